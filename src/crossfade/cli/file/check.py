"""`crossfade check`: whether the file is right, and what is still to do before a deploy. Nothing is run."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.adapters import DEFAULT_BALANCER
from crossfade.cli import programs
from crossfade.cli.call import Call, called
from crossfade.core.wire import encode
from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder

if TYPE_CHECKING:
    from crossfade.core.service import Service
    from crossfade.file.model import App
    from crossfade.file.parts.health import Health

_PATIENCE = 5.0  # seconds for Docker to say whether it has an image


@click.command(epilog="Examples: crossfade check | crossfade check -f deploy/web.yaml -e prod --json")
@called(file=True, state=False)
def check(call: Call) -> None:
    """Say whether the file is right, in every environment, and what is still to do before a deploy.

    Nothing is run. Without --environment every environment is checked.
    """
    from crossfade.cli.file import contents, readable, unserved
    from crossfade.file.cloud.unused import unused
    from crossfade.file.init.facts import open_items
    from crossfade.file.load import load_every, load_whole
    from crossfade.file.settle import settle

    path = call.required()
    apps = load_whole(path, call.environment).environments if call.environment else load_every(path)
    if call.environment:
        apps = {call.environment: apps[call.environment]}
    parts = {
        "services": list(dict.fromkeys(name for app in apps.values() for name in app.deploy_order)),
        "stores": list(dict.fromkeys(name for app in apps.values() for name in app.store_order)),
        "jobs": list(dict.fromkeys(name for app in apps.values() for name in app.jobs)),
    }
    app = next(iter(apps.values()))
    folder = path.absolute().parent.resolve()
    by_environment = {name: settle(app, folder) for name, app in apps.items() if app.platform != "aws"}
    settled = [one for services in by_environment.values() for one in services]
    here = [one for name, app in apps.items() if app.platform == "local" for one in by_environment[name]]
    found = contents.accounts(map(encode, settled), call.state.root)
    open_to_all = readable.lines(_secret_files(settled, apps, folder))
    without_effect = {f"{name}: {key}": why for name, app in apps.items() for key, why in unused(app)}
    todo = [
        *_without_source(apps, folder),
        *_without_command(here),
        *open_items(path.read_text(encoding="utf-8"), apps, _Images(), _known_here(path, apps)),
        *unserved.hooks(apps),
        *unserved.channels(apps),
    ]
    data = {
        "ok": True,
        "file": str(path),
        "app": app.name,
        "environment": app.environment if len(apps) == 1 else None,
        "environments": list(apps),
        **parts,
        **contents.data(found),
        **({"readable": open_to_all} if open_to_all else {}),
        **({"without_effect": without_effect} if without_effect else {}),
        "todo": [{"where": where, "what": what} for where, what in todo],
    }
    where = f"environment{'s' if len(apps) > 1 else ''} {', '.join(apps)}"
    told = [f"{kind} {', '.join(names)}" for kind, names in parts.items() if names]
    lines = [f"{path} is right: app {app.name}, {where}, {', '.join(told)}"]
    lines += [*contents.lines(found), *open_to_all, *_healthy_when(apps), *_half_a_release(apps)]
    lines += [f"  {key} has no effect on AWS: {why}" for key, why in without_effect.items()]
    lines += (
        ["To do before a deploy:", *(f"  {i}. {at}: {what}" for i, (at, what) in enumerate(todo, 1))] if todo else []
    )
    call.answer(data, "\n".join(lines))


def _without_source(apps: "Mapping[str, App]", folder: Path) -> list[tuple[str, str]]:
    """Services whose folder is not there; somebody may yet make it."""
    gone = {
        (f"services.{name}.source", f"there is no folder {service.source}: correct it, or make it before a deploy")
        for app in apps.values()
        for name, service in app.services.items()
        if service.source and not is_folder(from_folder(folder, service.source))
    }
    return sorted(gone)


def _without_command(settled: "Sequence[Service]") -> list[tuple[str, str]]:
    """Programs that this machine does not have; somebody may yet install them."""
    there = (one for one in settled if not one.source or is_folder(Path(one.source)))
    gone = {
        (".".join(one.keys), f"{one.word} was not found: install it, or correct it")
        for service in there
        for one in programs.absent(encode(service))
    }
    return sorted(gone)


def _secret_files(settled: "list[Service]", apps: "Mapping[str, App]", folder: Path) -> list[Path]:
    """Keys of TLS, and the files that values of secrets come from."""
    keys = [Path(one.listener.tls.key) for one in settled if one.listener.tls]
    for service in (service for app in apps.values() for service in app.services.values()):
        keys += [from_folder(folder, source.file) for source in service.secrets.sources.values() if source.file]
        keys += [from_folder(folder, one.path) for one in service.env_file]
    return keys


def _healthy_when(apps: "Mapping[str, App]") -> list[str]:
    """What each service must answer before it gets requests, where its file leaves the codes to us."""
    asked = {
        f"{name} is healthy {_asked(service.health)}"
        for app in apps.values()
        for name, service in app.services.items()
        if service.kind == "web" and "codes" not in service.health.model_fields_set
    }
    return [f"  {line}" for line in sorted(asked)]


def _asked(health: "Health") -> str:
    if health.command is not None:
        return f"while `{health.command}` ends with 0"
    there = f" at port {health.port}" if health.port is not None else ""
    return f"when GET {health.path}{there} answers {health.codes}"


def _half_a_release(apps: "Mapping[str, App]") -> list[str]:
    """What only Envoy does for pages while two releases serve, said where another balancer was chosen."""
    from crossfade.file.parts.kind import asks_others

    mixed = set()
    for app in apps.values():
        if app.platform == "aws" or app.balancer == DEFAULT_BALANCER:
            continue
        asks = asks_others(app.platform, app.balancer, app.cloud.compute.kind)
        lacked = (
            "a script that only the other release has is found while both serve if the first one answers 404, and not "
            "if it answers with a page"
            if asks
            else "a page of one release may ask for a script that only the other has, while both serve"
        )
        for name, service in app.services.items():
            says_404 = asks and service.static  # our own server does
            stays = service.sticky and service.sticky.release
            if service.kind == "web" and service.deploy.strategy != "recreate" and not (says_404 or stays):
                mixed.add(
                    f"  {name}: with {app.balancer} {lacked}; sticky: {{release: true}} keeps a visitor with one, and "
                    "balancer: envoy looks in both"
                )
    return sorted(mixed)


def _known_here(path: Path, apps: "Mapping[str, App]") -> set[str]:
    """The variables that have a value in this shell, in `.env` beside the file, or in an env_file."""
    from crossfade.file.reading.dotenv import read_variables
    from crossfade.file.reading.variables import variables_beside

    known = set(variables_beside(path, os.environ))
    for app in apps.values():
        for one in (one for service in app.services.values() for one in service.env_file):
            if is_file(there := from_folder(path.parent, one.path)):
                known |= set(read_variables(there, one.path, os.environ))
    return known


class _Images:
    """Whether Docker has an image here; None where there is no Docker to ask. Each is asked for once."""

    def __init__(self) -> None:
        self._seen: dict[str, bool | None] = {}
        self._docker = shutil.which("docker")

    def __call__(self, image: str) -> bool | None:
        if self._docker is None:
            return None
        if image not in self._seen:
            self._seen[image] = self._asked(image)
        return self._seen[image]

    def _asked(self, image: str) -> bool | None:
        with suppress(subprocess.TimeoutExpired, OSError):
            done = subprocess.run(
                ["docker", "image", "inspect", "--format", "{{.Id}}", image],
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
            if done.returncode == 0:
                return True
            if "o such image" in done.stderr:
                return False
        self._docker = None  # it does not answer: it need not be asked for every image
        return None
