"""A file as a deploy needs it, as plain JSON: the command line hands it on without knowing more of it."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from crossfade.core import store as core
from crossfade.core.errors import WrongInputError
from crossfade.core.service import SITE
from crossfade.core.wire import encode
from crossfade.file.load import load
from crossfade.file.model import App
from crossfade.file.parts.health import code_ranges
from crossfade.file.parts.service import GIVEN, Service
from crossfade.file.parts.store import Store
from crossfade.file.reading.dotenv import read_variables
from crossfade.file.reading.problem import nearest
from crossfade.file.reading.variables import variables_beside
from crossfade.file.settle import settle, settle_stores
from crossfade.paths import from_folder, require_utf8
from crossfade.source.there import is_file

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def deployable(
    path: Path,
    *,
    called: str,
    environment: str | None = None,
    service: str | None = None,
    strategy: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """`{"environment", "platform", "balancer", "hosts", "brings", "services", "stores", "sources": {...}, "notify"}`.

    The services are encoded, in the order they are deployed. `sources` says by service where the values of its secrets
    come from: `{"folder", "files": [path], "secrets": {NAME: {"file" | "command" | "optional"}}, "from_files": [NAME]}`
    - never the values themselves. `variables` are those of the shell that deploys, by default this process's.
    `balancer` is None where the file leaves it to the machine, `hosts` where there are none, else as `reached` has it.
    With `brings` a source reaches hosts on AWS, by CodeDeploy.
    All services, or the one that is named; `strategy` is taken instead of the file's, `called` is the file's name in
    messages. Raises WrongInputError for a file that is wrong, and for an environment or a service that it has not.
    """
    app = load(path, environment, called=called, variables=variables)
    known = [*app.deploy_order, *([SITE] if app.has_site else [])]
    if service is not None and service not in known:
        meant = nearest(service, known)
        hint = f"did you mean {meant}? " if meant else ""
        raise WrongInputError(f"{called} has no service {service}", f"{hint}it has {', '.join(known)}")
    names = [service] if service else known
    if strategy:
        overrides = {"services": {name: {"deploy": {"strategy": strategy}} for name in names if name in app.services}}
        app = load(path, environment, overrides, called=called, variables=variables)
    folder = path.parent.resolve()
    require_utf8(folder, "the folder", "rename it: its name goes on record with each release")
    values = variables_beside(path, os.environ if variables is None else variables)
    sources = {
        name: _sources(app.services[name], folder, values) if name in app.services else _no_secrets(folder)
        for name in names
    }
    services = {
        one.name: replace(one, secrets=tuple(dict.fromkeys((*one.secrets, *sources[one.name]["from_files"]))))
        for one in settle(app, folder)
        if one.name in sources
    }
    sources |= {name: _sources(store, folder, values) for name, store in app.stores.items()}
    return {
        "environment": app.environment,
        "platform": app.platform,
        "balancer": app.balancer if "balancer" in app.model_fields_set else None,
        "hosts": reached(app, folder) if app.over_ssh else None,
        "brings": bool(app.cloud.pipeline and app.cloud.pipeline.brings),
        "services": [encode(services[name]) for name in names],
        "stores": [encode(_with_files(store, sources)) for store in settle_stores(app, folder)],
        "sources": sources,
        "notify": [
            {"name": name, "secret": one.secret, "on": list(one.on)} for name, one in sorted(app.notify.items())
        ],
    }


def reached(app: App, folder: Path) -> dict[str, Any]:
    """`{"app", "environment", "hosts", "cloud", "balancer", "ssh", "outside"}` of an environment on hosts, in plain
    values.

    Paths in it are absolute; `folder` is where the file stands. `cloud` is None, or where AWS has hosts that the file
    does not name: `{"region", "service", "user", "private"}`.
    """
    ssh, outside = app.ssh, app.outside

    def absolute(path: str | None) -> str:
        return str(from_folder(folder, path)) if path else ""

    return {
        "app": app.name,
        "environment": app.environment,
        "hosts": list(app.hosts),
        "cloud": _cloud(app) if app.platform == "aws" else None,
        "balancer": app.balancer if "balancer" in app.model_fields_set else None,
        "ssh": {
            "key": absolute(ssh.key),
            "known_hosts": absolute(ssh.known_hosts),
            "timeout": ssh.timeout,
            "crossfade": ssh.crossfade,
        },
        "outside": {
            "url": outside.url or "",
            "codes": code_ranges(outside.codes),
            "passes": outside.passes,
            "timeout": outside.timeout,
        },
    }


def _cloud(app: App) -> dict[str, Any]:
    compute = app.cloud.compute
    return {
        "region": app.cloud.region,
        "account": app.cloud.account,
        "service": app.deploy_order[0],  # the only one, which the file's own check holds
        "user": compute.user,
        "private": compute.address == "private",
    }


def _with_files(store: core.Store, sources: Mapping[str, Any]) -> core.Store:
    """The store with what its files hold among its secrets."""
    service = store.service
    named = tuple(dict.fromkeys((*service.secrets, *sources[service.name]["from_files"])))
    return replace(store, service=replace(service, secrets=named))


def _no_secrets(folder: Path) -> dict[str, Any]:
    return {"folder": str(folder), "files": [], "secrets": {}, "from_files": []}


def _sources(service: Service | Store, folder: Path, values: Mapping[str, str]) -> dict[str, Any]:
    """Where the values of a service's secrets come from. What an env_file holds is a secret, unless `env` has it."""
    files = [one.path for one in service.env_file if is_file(from_folder(folder, one.path))]
    held = {name for path in files for name in read_variables(from_folder(folder, path), path, values)}
    wrong = sorted(name for name in held if _VARIABLE.fullmatch(name) is None)
    if wrong:
        raise WrongInputError(
            f"{', '.join(files)} has variables that no shell knows: {', '.join(wrong)}", "give them other names"
        )
    return {
        "folder": str(folder),
        "files": files,
        "secrets": {name: asdict(source) for name, source in service.secrets.sources.items()},
        "from_files": sorted(held - service.env.keys() - GIVEN),
    }
