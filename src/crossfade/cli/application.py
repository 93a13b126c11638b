"""The application to deploy: the file's services, and what can be said against them before anything is touched."""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from crossfade import __version__
from crossfade.cli import programs
from crossfade.cli.call import Call
from crossfade.cli.client import ControllerClient, NotRunningError
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.paths import from_folder
from crossfade.platforms.local.balancers.ports import require_free
from crossfade.source.there import is_file

Json = Mapping[str, Any]

_ASKED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = re.compile(r"[^\s\[\]{},'\"]+")
_LARGEST = 1 << 20  # bytes of a file of variables


def read(call: Call, service: str | None = None, strategy: str | None = None) -> Json:
    """The services to deploy as `file.deployable` gives them: all of the file, or the one that is named.

    A controller of our version reads the file for us when one runs: it has loaded pydantic already, which takes
    longer than all else a deploy does in this process.
    """
    path = call.required()
    wanted: dict[str, Any] = {"environment": call.environment, "service": service, "strategy": strategy}
    wanted["variables"] = _variables(path)
    with suppress(NotRunningError):
        client = ControllerClient(call.state.socket)
        if client.get("/v1/controller")["version"] == __version__:
            there: Json = client.post("/v1/services", path=str(path.absolute()), called=str(path), **wanted)
            return there
    from crossfade.file.deployable import deployable

    return deployable(path.absolute(), called=str(path), **wanted)


def _variables(path: Path) -> dict[str, str]:
    """The variables of this shell that the file, `.env` beside it and its env_files may ask for, and no others."""
    files = [path, *path.parent.glob("*.env"), *path.parent.glob(".env*"), *_named_in(path)]
    asked = set()
    for file in files:
        with suppress(OSError, UnicodeDecodeError):
            asked |= set(_ASKED.findall(file.read_text(encoding="utf-8")))
    return {name: os.environ[name] for name in asked if name in os.environ}


def _named_in(path: Path) -> list[Path]:
    """What may be its env_files: the file itself is not read yet, and a word too many asks for nothing that counts."""
    with suppress(OSError, UnicodeDecodeError):
        text = path.read_text(encoding="utf-8")
        if "env_file" in text:
            there = (from_folder(path.parent, word) for word in set(_WORD.findall(text)))
            return [file for file in there if is_file(file) and file.stat().st_size <= _LARGEST]
    return []


def preflight(call: Call, wanted: Json, *, detach: bool = False) -> None:
    """Refuse what cannot become a release, while nothing has been touched yet.

    Raises RefusedError for a platform that is not reached, WrongInputError for a command that is not, PlatformError for
    a port that somebody else holds.
    """
    if detach and call.environment:
        raise WrongInputError("--detach: nobody would carry the rollout once this process ends", "leave it out")
    if wanted["hosts"] is not None:
        return
    if wanted["platform"] != "local":
        _require_reach(wanted)
        return
    ours = _our_ports(call)
    for service in wanted["services"]:
        programs.require(service, lambda keys: _place(call, keys))
        if service["kind"] == "worker":
            continue
        listener, preview = service["listener"], service["preview"]
        for port in (listener["http"], listener["https"], preview["port"]):
            if port is not None and port not in ours:
                require_free(listener["host"], port)


def _place(call: Call, keys: tuple[str, ...]) -> str:
    """Where in the file that is, with its line. Read again for it, which only who is refused pays for."""
    from crossfade.file.load import load_whole

    path = call.required()
    return str(load_whole(path.absolute(), call.environment, called=str(path)).document.at(keys).place)


def _require_reach(wanted: Json) -> None:
    from crossfade.adapters import PLATFORMS

    unknown = [key(service) for service in wanted["services"] if not _is_reached(service, brings=wanted["brings"])]
    if wanted["platform"] not in PLATFORMS or unknown:
        named = ", ".join(unknown) or wanted["environment"]
        raise RefusedError(
            f"{named} cannot be deployed yet: on AWS images can, on Fargate or in Auto Scaling groups, and sources "
            "that CodeDeploy brings",
            "give it an `image`, or write `cloud: {pipeline: {by: codedeploy, strategy: hybrid}}`",
        )


def _is_reached(service: Json, *, brings: bool) -> bool:
    """Hosts of a group are told which image to run; a source gets there by CodeDeploy."""
    from crossfade.adapters import ON_AWS
    from crossfade.core.service import SITE

    has_artifact = service["image"] or service["container"]["build"] or (brings and service["source"])
    there = service["runtime"] in ON_AWS.values() and bool(has_artifact)
    return there or service["runtime"] == SITE


def shell_of(services: Iterable[Json]) -> dict[str, str]:
    """This shell's environment where something is built or pulled, for what finds its way by it; else nothing."""
    if not any(service["build"] or service["image"] or service["container"]["build"] for service in services):
        return {}
    return {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE_")}


def absent(services: Iterable[Json], stores: Iterable[Json], client: ControllerClient) -> list[str]:
    """Services and stores of the file's app that run although the file does not have them."""
    services, kept = list(services), {f"{one['service']['app']}/{one['service']['name']}" for one in stores}
    named = {key(service) for service in services} | {f"{home(one)}/{one['was']}" for one in services}
    apps = {home(service) for service in services}
    about = client.get("/v1/controller")
    running = [*about["services"], *(one for one in about.get("stores", ()) if one not in kept)]
    return [one for one in running if one.split("/")[0] in apps and one not in named]


def ends(service: str) -> str:
    """What to say of such a one."""
    return f"{service} runs, but is not in the file: `crossfade down {service}` ends it"


def key(service: Json) -> str:
    """`app/service`, elsewhere `app@environment/service`: as the engine calls it."""
    return f"{home(service)}/{service['name']}"


def home(service: Json) -> str:
    """Where its app is at home: `app`, elsewhere `app@environment`."""
    there = service["environment"]
    return f"{service['app']}@{there}" if there else str(service["app"])


def _our_ports(call: Call) -> frozenset[int]:
    """The ports our own balancer has open. When services were left without a controller, it must come back to tell."""
    from crossfade.cli.machine.controller import ensure

    try:
        return frozenset(call.client().get("/v1/controller")["ports"])
    except NotRunningError:
        if not (call.state.serving or call.state.balancing):
            return frozenset()
        return frozenset(ensure(call.state).get("/v1/controller")["ports"])
