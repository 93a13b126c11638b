"""The cast of a rehearsal: the app itself where it can run here, as its `local` environment says, else a stand-in."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossfade.cli import programs
from crossfade.cli.secrets import values_of
from crossfade.core.errors import WrongInputError
from crossfade.core.service import SITE, Build, Service
from crossfade.core.store import Store
from crossfade.core.wire import encode
from crossfade.file.deployable import deployable
from crossfade.file.load import choose, load_every
from crossfade.file.model import App
from crossfade.file.parts.variables.origin import origins
from crossfade.file.reading.problem import nearest
from crossfade.file.settle import settle, settle_stores
from crossfade.rehearse import containers
from crossfade.rehearse.arrange import By, PlayedService, arranged, stand_in

HERE = "127.0.0.1"
UNKNOWN = "rehearsal"  # in place of a secret that has no value here
_DATABASE_PORTS = {"postgres": "5432", "mysql": "3306", "mariadb": "3306"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """`app` is the production environment; `stores` run beside. `left_out` are parts that are not played."""

    app: App
    roles: tuple[PlayedService, ...]
    stores: tuple[Store, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """The file's environment that is rehearsed, and how the same app runs on this machine."""

    app: App
    here: App
    path: Path
    local: bool  # the file says how it runs on this machine

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def plans(self) -> tuple[Service, ...]:
        """The services as production has them, in the order they are deployed."""
        return tuple(one for one in settle(self.app, self.folder) if one.name != SITE)


def read(path: Path, environment: str) -> Both:
    """WrongInputError for a file that is wrong, and for an environment that it has not."""
    apps = load_every(path.absolute(), called=str(path))
    app = apps[choose(list(apps), environment, str(path))]
    local = [one for one in apps.values() if one.platform == "local"]
    here = next((one for one in local if one.environment == "local"), local[0] if local else app)
    return Both(app=app, here=here.model_copy(update={"platform": "local"}), path=path.absolute(), local=bool(local))


def cast(both: Both, *, port: int, faster: float, folder: Path, played: frozenset[str]) -> Cast:
    """Who plays each service; `played` are those for which stand-ins are asked for. Their program lies in `folder`."""
    known = [one.name for one in both.plans]
    for name in sorted(played - set(known)):
        meant = nearest(name, known)
        hint = f"did you mean {meant}? " if meant else ""
        raise WrongInputError(f"the file has no service {name}", f"{hint}it has {', '.join(known)}")
    run_here = {one.name: one for one in settle(both.here, both.folder)}
    roles = []
    for plan in both.plans:
        here, by, why = _who(plan, run_here.get(plan.name), both.folder, asked=plan.name in played)
        told = _told(both.app, plan.name)
        role = arranged(plan, here or plan, by, port=port, faster=faster, told=told, why=why)
        if by == "a stand-in":
            role = replace(role, played=stand_in(role.played, sys.executable, str(folder)))
        roles.append(role)
    real = any(role.by != "a stand-in" for role in roles)
    stores = settle_stores(both.here, both.folder) if real else ()
    return Cast(app=both.app, roles=tuple(roles), stores=stores, left_out=tuple(_left_out(both.app, stores)))


def secrets(both: Both, cast: Cast) -> dict[str, dict[str, str]]:
    """Values by `app/service`: as a deploy to this machine would find them, else a word in their place."""
    parts = [role.played for role in cast.roles] + [store.service for store in cast.stores]
    found: Mapping[str, Mapping[str, str]] = {}
    if both.local and any(one.secrets for one in parts):
        found = values_of(deployable(both.path, called=str(both.path), environment=both.here.environment)).found
    return {
        f"{one.app}/{one.name}": {name: found.get(one.name, {}).get(name, UNKNOWN) for name in one.secrets}
        for one in parts
    }


def _who(plan: Service, here: Service | None, folder: Path, *, asked: bool) -> tuple[Service | None, By, str]:
    if asked:
        return here, "a stand-in", "a stand-in was asked for: no answer, time or size of it is the app's"
    if here is None:
        return None, "a stand-in", "the environment of this machine has no such service"
    if here.runtime == "process":
        try:
            programs.require(encode(here))
        except WrongInputError as error:
            return here, "a stand-in", error.cause
        return here, "processes", ""
    return _container(plan, here, folder)


def _container(plan: Service, here: Service, folder: Path) -> tuple[Service, By, str]:
    if not containers.there():
        return here, "a stand-in", "no Docker runs here"
    if here.container.build or containers.has(here.image):
        return here, "containers", ""
    for context in (folder / plan.name, folder):
        if (context / "Dockerfile").is_file():
            made = replace(here.container, build=Build(context=str(context)))
            return replace(here, container=made), "containers", ""
    return here, "a stand-in", f"the image {here.image} is not on this machine, and no Dockerfile is beside the file"


def _told(app: App, service: str) -> Mapping[str, str]:
    """Values for what only an environment on AWS knows, so that every variable is there."""
    database = app.cloud.database
    known = {
        "database.host": HERE,
        "database.port": _DATABASE_PORTS.get(database.engine, "5432") if database else "5432",
        "database.name": app.name,
        "database.user": app.name,
        "database.password": "rehearsal",
        "cache.host": HERE,
        "cache.port": "6379",
        "region": app.cloud.region,
    }
    return {
        name: known.get(str(origin), str(origin).rpartition(".")[2])
        for name, origin in origins(app.services[service].env).items()
    }


def _left_out(app: App, stores: tuple[Store, ...]) -> list[str]:
    cloud: Any = app.cloud
    said = []
    if app.has_site:
        said.append("the site behind the CDN: its deploy is copies of files and one change of what is shown")
    if not stores:
        said += [
            f"the {what}: nothing of it runs here, and whoever asks for it finds {HERE}"
            for what, there in (("database", cloud.database), ("cache", cloud.cache))
            if app.platform == "aws" and there
        ]
    return said
