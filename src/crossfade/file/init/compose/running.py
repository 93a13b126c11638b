"""What a service runs: the image, how it is built, and the command line, put together as Compose does."""

import os
import shlex
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.dockerfile import Dockerfile
from crossfade.file.init.todo import Rank
from crossfade.file.secrecy import is_secret

Service = dict[str, Any]
# What `docker build` has under another name, or what decides how and not what is built.
_BUILD_OPTIONS = {"context", "dockerfile", "dockerfile_inline", "target", "args", "platforms", "additional_contexts"}
_HOW = {
    "cache_from",
    "cache_to",
    "no_cache",
    "pull",
    "tags",
    "labels",
    "network",
    "shm_size",
    "extra_hosts",
    "isolation",
}


def image_of(service: Service, app: str, name: str) -> str:
    """The image's name; one that is only built is called as Compose calls it."""
    return str(service.get("image") or "").rstrip(":") or f"{app}-{name}:latest".lower()


def build_line(service: Service, image: str, folder: Path, here: Path) -> str:
    """The exact `docker build` to type in the folder `here`; `folder` is the Compose file's."""
    build = service["build"]
    context = str(build.get("context") or ".")
    remote = "://" in context or context.startswith("git@")
    place = context if remote or folder == here else relative(folder / context, here)
    words = ["docker", "build", "-t", image]
    if dockerfile := build.get("dockerfile"):
        words += ["-f", str(dockerfile) if remote else relative(folder / context / str(dockerfile), here)]
    if target := build.get("target"):
        words += ["--target", str(target)]
    args = build.get("args")
    for key, value in args.items() if isinstance(args, dict) else ():
        # A value that must not be seen comes from the shell of who builds, as one without a value does.
        words += ["--build-arg", key if value is None or is_secret(key, str(value)) else f"{key}={_text(value)}"]
    contexts = build.get("additional_contexts")
    for key, value in contexts.items() if isinstance(contexts, dict) else ():
        words += ["--build-context", f"{key}={value if '://' in str(value) else relative(folder / str(value), here)}"]
    platforms = build.get("platforms")
    words += ["--platform", ",".join(map(str, platforms))] if isinstance(platforms, list) else []
    return shlex.join([*words, place])


def tell_build(service: Service, image: str, folder: Path, here: Path, notes: ServiceNotes) -> None:
    """Say how the image is built before a deploy, and what of `build` is not in that line."""
    build = service.get("build")
    if not isinstance(build, dict):
        return
    line = build_line(service, image, folder, here)
    notes.leave(("build",), f"build {build.get('context') or '.'}", f"build the image before a deploy: {line}")
    notes.todo(Rank.NOTHING_RUNS, "image", f"build it: {line}")
    if "dockerfile_inline" in build:
        notes.leave(("build", "dockerfile_inline"), "dockerfile_inline", "write it to a file and name that with -f")
    for key in build.keys() - _BUILD_OPTIONS - _HOW:
        notes.leave(
            ("build", key), f"build.{key}", f"give it to docker build yourself: see docker build --help, --{key}"
        )


def tell_tag(service: Service, image: str, notes: ServiceNotes) -> None:
    """Say that an image without a tag is the latest, whatever that will be."""
    if "build" not in service and ":" not in image.rsplit("/", 1)[-1] and "@" not in image:
        notes.todo(Rank.ASSUMED, "image", f"write a tag: {image} alone is {image}:latest, whatever that is at the time")


def command_of(service: Service, dockerfile: Dockerfile | None, notes: ServiceNotes) -> list[str] | None:
    """The words that an instance runs: Compose's entrypoint and command, joined; None for the image's own.

    Compose replaces the image's command and keeps its entrypoint; ours is the whole command line.
    """
    entrypoint, command = words_of(service.get("entrypoint")), words_of(service.get("command"))
    if entrypoint is not None:
        return [*entrypoint, *(command or [])] or None
    if not command:
        return None
    if dockerfile is not None:
        return _after(dockerfile, command, notes)
    notes.comment("command", "the whole command line: the image's ENTRYPOINT, if it has one, belongs in front of it")
    what = "put the image's ENTRYPOINT, if it has one, in front: Compose's command is what follows it, ours is all"
    ask = f"docker image inspect {service.get('image')} -f '{{{{json .Config.Entrypoint}}}}' shows it"
    rank = Rank.NOTHING_RUNS if command[0].startswith("-") else Rank.ASSUMED
    notes.todo(rank, "command", f"{what} ({ask})")
    notes.leave(
        ("command",),
        f"command {shlex.join(command)}",
        "it goes to the image's ENTRYPOINT in Compose; here it is the whole command line",
    )
    return command


def words_of(value: Any) -> list[str] | None:
    """A command as words: a list as it is, a text split as Compose splits it, without a shell."""
    if isinstance(value, list):
        return [_text(item) for item in value]
    if value is None:
        return None
    try:
        return shlex.split(_text(value))
    except ValueError:  # a quote that is not closed
        return _text(value).split()


def _after(dockerfile: Dockerfile, command: list[str], notes: ServiceNotes) -> list[str] | None:
    """The command behind the entrypoint that the Dockerfile gives."""
    if isinstance(dockerfile.entrypoint, list):
        return [*dockerfile.entrypoint, *command]
    if dockerfile.entrypoint:
        why = f"the Dockerfile's ENTRYPOINT is a text for a shell, which takes no command: {dockerfile.entrypoint}"
        notes.leave(("command",), f"command {shlex.join(command)}", why)
        return None
    return command


def relative(path: Path, here: Path) -> str:
    """The path as one types it in the folder `here`."""
    return os.path.relpath(path, here)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
