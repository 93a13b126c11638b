"""The run of a service: the image, how it is built, and the command line, put together as Compose does."""

import os
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.compose.source.handed import handed
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.kept import InShell, WithVariables, line_of
from crossfade.file.init.todo import Rank
from crossfade.file.parts.image import is_remote
from crossfade.file.reading.problem import shown
from crossfade.paths import at_home, from_folder, is_at_home
from crossfade.source.there import is_file, is_folder, why_no_file, why_no_folder
from crossfade.telling.secrecy import is_secret, is_secret_name, secret_in

Service = dict[str, Any]
# What `docker build` has under another name, or what decides how and not what is built.
_BUILD_OPTIONS = {
    "context",
    "dockerfile",
    "dockerfile_inline",
    "target",
    "args",
    "platforms",
    "additional_contexts",
} | {*("secrets", "ssh", "network")}
_HOW = {
    "cache_from",
    "cache_to",
    "no_cache",
    "pull",
    "tags",
    "labels",
    "shm_size",
    "extra_hosts",
    "isolation",
}


# What only `docker build` by hand can do.
_BY_HAND = {"dockerfile_inline", "additional_contexts", "platforms", "secrets", "ssh", "network"}
# Keys that mean the same in both files.
_SAME = (
    *("user", "working_dir", "cap_drop", "cap_add", "read_only", "tmpfs", "stop_signal", "extra_hosts", "shm_size"),
    "ulimits",
)
_INLINE = "inline.Dockerfile"
_MACHINE = ("host.docker.internal", "host-gateway")
SAME = frozenset({"entrypoint", "command", *_SAME})


def image_of(service: Service, app: str, name: str) -> str:
    """The image's name; one that is only built is called as Compose calls it."""
    return str(service.get("image") or "").rstrip(":") or f"{app}-{name}:latest".lower()


def made_by(service: Service, project: Project) -> Service:
    """The service with the build of its image, which may stand at another one: Compose builds a name once for all."""
    if service.get("build") or not service.get("image"):
        return service
    others = project.plain["services"].values()
    build = next(
        (one.get("build") for one in others if one.get("image") == service["image"] and one.get("build")), None
    )
    return {**service, "build": build} if build else service


def build_line(service: Service, image: str, project: Project, here: Path) -> str:
    """The exact `docker build` to type in the folder `here`."""
    build, folder = service["build"], project.folder
    context = str(build.get("context") or ".")
    remote = is_remote(context)
    place = context if remote else at_home(context) if folder == here else _place_of(context, folder, here)
    words, before = ["docker", "build", "-t", image], list[str]()
    if "dockerfile_inline" in build:
        words += ["-f", _INLINE]
    elif dockerfile := build.get("dockerfile"):
        named = str(dockerfile) if remote else _place_of(str(Path(context) / str(dockerfile)), folder, here)
        words += ["-f", named]
    if target := build.get("target"):
        words += ["--target", str(target)]
    args = build.get("args")
    for key, value in args.items() if isinstance(args, dict) else ():
        # A value that must not be seen comes from the shell of who builds, as one without a value does.
        if isinstance(value, InShell) and value:
            before.append(f"{key}={line_of([value])}")
        shell = value is None or isinstance(value, WithVariables | InShell) or _is_hidden_arg(key, value)
        words += ["--build-arg", key if shell else f"{key}={_text(value)}"]
    contexts = build.get("additional_contexts")
    for key, value in contexts.items() if isinstance(contexts, dict) else ():
        words += ["--build-context", _like(f"{key}={_place_of(str(value), folder, here)}", value)]
    platforms = build.get("platforms")
    words += ["--platform", ",".join(map(str, platforms))] if isinstance(platforms, list) else []
    line = line_of([*words, *_only_by_hand(build, project, here), _like(place, build.get("context"))])
    return " ".join([*before, line])


def _is_hidden_arg(key: str, value: Any) -> bool:
    """A value that stands in the Compose file, and nowhere else."""
    return value is not None and not isinstance(value, WithVariables | InShell) and is_secret(key, str(value))


def _like(text: str, value: Any) -> str:
    """The text, with variables for a shell where the value has some."""
    return InShell(text) if isinstance(value, InShell) else text


def _place_of(context: str, folder: Path, here: Path) -> str:
    """A path of a build on its command line, where a `~` would be quoted, or stand behind a =."""
    return context if "://" in context else at_home(typed(context, folder, here))


def _only_by_hand(build: Service, project: Project, here: Path) -> Iterator[str]:
    """Secrets, keys and the network that a build is given, in the words of `docker build`."""
    known = project.plain.get("secrets")
    secrets, keys = build.get("secrets"), build.get("ssh")
    for entry in secrets if isinstance(secrets, list) else ():
        name = str(entry.get("source") if isinstance(entry, dict) else entry)
        origin = known.get(name) if isinstance(known, dict) else None
        origin = origin if isinstance(origin, dict) else {}
        told = str(entry.get("target") or name) if isinstance(entry, dict) else name
        file = _place_of(str(origin.get("file") or f"{name}.txt"), project.folder, here)
        yield from (
            "--secret",
            f"id={told},env={origin['environment']}" if "environment" in origin else f"id={told},src={file}",
        )
    for key in keys if isinstance(keys, list | dict) else ():
        yield from ("--ssh", str(key))
    if network := build.get("network"):
        yield from ("--network", str(network))


def handed_files(project: Project, name: str, here: Path, notes: ServiceNotes) -> list[str]:
    """Volumes for the files of Compose's secrets and configs; what is to be done about those that are not there."""
    found = []
    for one in handed(project, name):
        if one.rights:
            what = f"{', '.join(one.rights)} of {one.section} {one.name}"
            notes.leave((one.section,), what, "a file is mounted as it is: its owner and mode on this machine count")
        if not one.why:
            found.append(f"{mounted(one.file, project.folder, here)}:{one.target}:ro")
            continue
        file = one.file or f"./{one.name}.txt"
        why = f"{one.why}; allowed: an existing file: write {file}" if one.file else one.why
        notes.notes.leave(one.keys, f"{one.section} {one.name}", why)
        what = f"write {file}, then add {file}:{one.target}:ro to the volumes: {one.why}"
        notes.todo(Rank.NOTHING_RUNS, "volumes", what)
    return found


def image_setting(service: Service, image: str, project: Project, here: Path, notes: ServiceNotes) -> Any:
    """The `image` as it is called; or how it is built, where a deploy can do that and its Dockerfile is there."""
    build, folder = service.get("build"), project.folder
    if not isinstance(build, dict):
        return image
    context, dockerfile = str(build.get("context") or "."), build.get("dockerfile")
    for key in build.keys() - _BUILD_OPTIONS - _HOW:
        notes.leave(
            ("build", key), f"build.{key}", f"give it to docker build yourself: see docker build --help, --{key}"
        )
    args = build.get("args")
    args = args if isinstance(args, dict) else {}
    secret = any(_is_hidden(key, value) for key, value in args.items())  # what a release has is on record
    missing = _missing(build, context, folder, notes)
    if missing or is_remote(context) or secret or build.keys() & _BY_HAND:
        _tell_build(service, image, project, here, notes, missing=missing)
        return image
    given = {key: f"${{{key}}}" if value is None else value for key, value in args.items()}
    place = typed(context, folder, here)
    said = {"context": place, "dockerfile": dockerfile, "target": build.get("target"), "args": given}
    said = {key: value for key, value in said.items() if value}
    return {"build": place if said.keys() == {"context"} else said}


def _is_hidden(name: str, value: Any) -> bool:
    """An argument of a build that must not be seen; of one without a value only its name tells."""
    return isinstance(value, InShell) or (is_secret_name(name) if value is None else is_secret(name, str(value)))


def _missing(build: Service, context: str, folder: Path, notes: ServiceNotes) -> str:
    """What a build needs that is not there: its folder, or its Dockerfile. It is told where it is named."""
    if is_remote(context) or "dockerfile_inline" in build:
        return ""
    named = str(build.get("dockerfile") or "")
    there = from_folder(folder, context)
    if not is_folder(there):
        where, found, allowed = "context", f"found {shown(context)}, {why_no_folder(there)}", "an existing folder"
    elif not is_file(there / (named or "Dockerfile")):
        where, allowed = "dockerfile", f"an existing file, relative to {context}"
        found = f"found {shown(named)}, {why_no_file(there / named)}" if named else "found no Dockerfile"
    else:
        return ""
    notes.leave(("build", where), f"build.{where}", f"{found}; allowed: {allowed}")
    return context if where == "context" else str(Path(context) / (named or "Dockerfile"))


def _tell_build(
    service: Service, image: str, project: Project, here: Path, notes: ServiceNotes, *, missing: str
) -> None:
    """Say how the image is built before a deploy, by hand; and what it needs that is not there."""
    build = service["build"]
    line = build_line(service, image, project, here)
    notes.leave(("build",), f"build {build.get('context') or '.'}", f"build the image before a deploy: {line}")
    also = f", once {typed(missing, project.folder, here)} is there" if missing else ""
    also = f", once {_INLINE} has the text of dockerfile_inline" if "dockerfile_inline" in build else also
    args = build.get("args")
    hidden = [key for key, value in args.items() if _is_hidden_arg(key, value)] if isinstance(args, dict) else []
    said = f", with {' and '.join(hidden)} exported as the Compose file has it" if hidden else ""
    notes.todo(Rank.NOTHING_RUNS, "image", f"build it: {line}{said}{also}")


def tell_tag(service: Service, image: str, notes: ServiceNotes) -> None:
    """Say that an image without a tag is the latest, whatever that will be."""
    if "build" not in service and ":" not in image.rsplit("/", 1)[-1] and "@" not in image:
        notes.todo(Rank.ASSUMED, "image", f"write a tag: {image} alone is {image}:latest, whatever that is at the time")


def bring_secrets(project: Project, name: str, secrets: list[str], notes: ServiceNotes) -> None:
    """Adds what its commands are made of to the service's `secrets`, and says which of it somebody has to bring."""
    for one in project.hidden.get(name, ()):
        key, names = str(one.keys[0]), ", ".join(one.secrets)
        secrets += [secret for secret in one.secrets if secret not in secrets]
        if one.secrets:
            why = "it is a secret, and the file only names it; a shell in the container fills it in"
            notes.leave(one.keys, f"the value of {names}", why)
        if one.lost:
            notes.todo(
                Rank.NOTHING_RUNS, key, f"write it anew: it had {', '.join([*one.secrets, *one.required])} in it"
            )
        absent = [variable for variable in (*one.secrets, *one.required) if variable not in project.dotenv]
        if absent:
            which = "it" if len(absent) == 1 else "them"
            what = f"export {', '.join(absent)}, or write {which} to .env beside this file"
            notes.todo(Rank.NOTHING_RUNS, "secrets" if one.secrets else key, what)


def settings_of(service: Service, notes: ServiceNotes) -> dict[str, Any]:
    """What starts and how it is made, in Compose's words, which are ours: neither starts a shell.

    An entrypoint that is switched off leaves the command to begin with its own first word.
    """
    entrypoint, command = words_of(service.get("entrypoint")), words_of(service.get("command"))
    entrypoint = [] if entrypoint == [""] else entrypoint  # a list of nothing switches it off, too
    if entrypoint == [] and command:
        entrypoint, command = command[:1], command[1:]
    _tell_written("command" if command else "entrypoint", [*(entrypoint or []), *(command or [])], notes)
    entrypoint, command = _by_a_shell(entrypoint, command, notes)
    found = {key: service[key] for key in _SAME if service.get(key) not in (None, "", [], {})}
    if isinstance(tmpfs := found.get("tmpfs"), str):
        found["tmpfs"] = [tmpfs]
    hosts = found.get("extra_hosts")
    if isinstance(hosts, dict):  # what every container knows need not be said
        left = {host: address for host, address in hosts.items() if (host, address) != _MACHINE}
        found = {**found, "extra_hosts": left} if left else {k: v for k, v in found.items() if k != "extra_hosts"}
    if entrypoint == []:
        notes.leave(("entrypoint",), "entrypoint []", "write what the container starts with as entrypoint")
    return {"entrypoint": entrypoint or None, "command": command or None, **found}


def _tell_written(key: str, words: list[str] | None, notes: ServiceNotes) -> None:
    """Say of a secret that stands in a command as it is: there it stays, and who may list processes reads it."""
    if any(_is_written(before, word) for before, word in pairwise(["", *(words or [])])):
        what = 'take out the secret, which stands in this file now: name it under secrets, and write "$NAME" in a text'
        notes.todo(Rank.EXPOSED, key, what)


def _is_written(before: str, word: str) -> bool:
    if isinstance(word, InShell | WithVariables):
        return False
    option, _, value = word.partition("=") if word.startswith("-") else (before, "", word)
    name = option.lstrip("-").replace("-", "_")
    named = option.startswith("-") and (is_secret_name(name, sure=True) or name.lower().endswith("_auth"))
    return bool(secret_in(word)) or (named and "=" not in option and is_secret(name, value))


def _by_a_shell(
    entrypoint: list[str] | None, command: list[str] | None, notes: ServiceNotes
) -> tuple[list[str] | None, list[str] | None]:
    """Both as they are; where a secret is in one, a shell in the container fills it in and is gone then."""
    if not any(isinstance(word, InShell) for word in (*(entrypoint or ()), *(command or ()))):
        return entrypoint, command
    if entrypoint:
        return ["sh", "-c", f"exec {line_of([*entrypoint, *(command or [])])}"], None
    if command and not command[0].startswith("-"):
        return None, ["sh", "-c", f"exec {line_of(command)}"]
    what = "write it with the program that the image starts in front, as a shell's line: a secret is in it"
    notes.todo(Rank.NOTHING_RUNS, "command", f"{what}: {line_of(command or [])}")
    return entrypoint, None


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


def typed(path: str, folder: Path, here: Path) -> str:
    """A path of a file in `folder` as one types it in the folder `here`; from / or at home it is the same there."""
    if path.startswith("/") or is_at_home(path):
        return str(Path(path))
    return os.path.relpath(folder / path, here)


def mounted(source: str, folder: Path, here: Path) -> str:
    """The same of what is mounted, which is told from a volume's name."""
    there = typed(source, folder, here)
    return there if there.startswith(("/", "~")) else f"./{there}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
