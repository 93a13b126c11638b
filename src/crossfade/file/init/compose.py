"""From a Compose file to ours: what can be carried over is, and everything else is listed with the reason."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from crossfade.core.errors import WrongInputError
from crossfade.file.document import Keys, Written, read, written
from crossfade.file.init.compose_service import Carried, Leave, carry
from crossfade.file.init.starter import app_name
from crossfade.file.model import App
from crossfade.file.problem import shown
from crossfade.file.wording import problems

# They keep what they were told between two requests. A second copy beside the first, which is how a release changes
# here, would corrupt it or know nothing of it.
_STATEFUL = re.compile(
    r"postgres|postgis|timescale|mysql|mariadb|percona|mongo|redis|valkey|keydb|dragonfly|memcached|rabbitmq|kafka|redpanda"
    r"|zookeeper|elasticsearch|opensearch|solr|meilisearch|typesense|minio|cassandra|scylla|clickhouse|influxdb|neo4j"
    r"|etcd|consul|vault|nats|mssql|oracle|cockroach|couchdb|qdrant|weaviate|milvus|registry"
)
_PROXIES = re.compile(r"nginx|traefik|caddy|haproxy|envoy|httpd|varnish")
_SECTIONS = {
    "networks": "instances are reached through the balancer; there is nothing to connect",
    "volumes": "instances come and go; what must last belongs into a database or an object store",
    "configs": "put the file into the source or the image",
    "secrets": "name environment variables under `secrets` of a service",
    "include": "only this file was read",
}
_SILENT = ("version", "name", "services")


@dataclass(frozen=True)
class NotCarried:
    """Something of the Compose file that is not in ours: where it stands, what it is, and why not."""

    where: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.why}"


def from_compose(path: Path) -> tuple[str, list[NotCarried]]:
    """The text of a `crossfade.yaml`, which loads, and what of the Compose file is not in it.

    Raises WrongInputError when there is no such file, when it is no Compose file, or when nothing in it can be carried.
    """
    if not path.exists():
        raise WrongInputError(f"There is no file {path}.", "Name a Compose file with --from.")
    return _Import(path, read(path, str(path))).done()


class _Import:
    def __init__(self, path: Path, root: Written) -> None:
        self.path, self.root, self.plain = path, root, root.plain(_is_variable)
        self.left: list[NotCarried] = []

    def done(self) -> tuple[str, list[NotCarried]]:
        services = self.plain.get("services")
        if not isinstance(services, dict) or not services:
            raise WrongInputError(f"{self.path} is no Compose file: it has no services.", "Name one with --from.")
        for section in self.plain:
            if section not in _SILENT and not section.startswith("x-"):
                self.leave((section,), section, _SECTIONS.get(section, "crossfade has nothing like it"))
        carried = self._carried(services)
        file = self._without_the_impossible(self._file(carried), carried)
        if not file["services"]:
            reasons = "\n  ".join(str(left) for left in self.left)
            raise WrongInputError(
                f"No service of {self.path} can be carried over:\n  {reasons}", "Use `crossfade init`."
            )
        head = f"# Carried over from {self.path.name}. `crossfade check` reads this file without running anything.\n"
        return head + yaml.safe_dump(file, sort_keys=False, allow_unicode=True, width=110), self.left

    def leave(self, keys: Keys, what: str, why: str) -> None:
        place = self.root.at(keys).place
        self.left.append(NotCarried(str(place), what, why))

    def _carried(self, services: dict[str, Any]) -> dict[str, Carried]:
        carried: dict[str, Carried] = {}
        for name, service in services.items():
            keys = ("services", name)
            if not isinstance(service, dict):
                self.leave(keys, shown(service), "a service is a mapping")
            elif reason := _reason_to_leave(name, service, services):
                self.leave(keys, name, reason)
            elif _name(name) in carried:
                self.leave(keys, name, f"another service is called {_name(name)} already")
            elif (one := carry(self._app(), name, service, self._leave_below(keys))) is not None:
                carried[_name(name)] = one
        return carried

    def _leave_below(self, keys: Keys) -> Leave:
        return lambda below, what, why: self.leave((*keys, *below), what, why)

    def _app(self) -> str:
        name = self.plain.get("name")
        return app_name(Path(name)) if isinstance(name, str) and name else app_name(self.path.resolve().parent)

    def _file(self, carried: dict[str, Carried]) -> dict[str, Any]:
        """The file as data. The first published port is the listener's; further services get a path of their own."""
        file: dict[str, Any] = {"app": self._app(), "services": {}}
        for name, one in carried.items():
            service = dict(one.service)
            known = [_name(other) for other in one.depends_on if _name(other) in carried]
            if known:
                service["depends_on"] = known
            if file["services"]:
                service["routes"] = [{"path": f"/{name}/*"}]
                why = (
                    f"one application has one listener; it gets /{name}/* now, write its real path or host into routes"
                )
                self.leave(("services", one.name), f"an address of its own for {name}", why)
            file["services"][name] = service
        published = [one.published for one in carried.values() if one.published]
        file["listen"] = published[0] if published else 8080
        return file

    def _without_the_impossible(self, file: dict[str, Any], carried: dict[str, Carried]) -> dict[str, Any]:
        """What Compose takes and crossfade does not is left out, a key at a time, until the file loads."""
        while file["services"]:
            try:
                App.model_validate(file)
            except ValidationError as error:
                problem = next(problems(error, written(file, str(self.path))))
                taken = _without(file, problem.place.keys)
                keys = (taken[0], carried[str(taken[1])].name, *taken[2:]) if len(taken) > 1 else taken
                self.leave(keys, ".".join(map(str, taken)), f"{problem.found}; allowed: {problem.allowed}")
            else:
                break
        return file


def _reason_to_leave(name: str, service: dict[str, Any], services: dict[str, Any]) -> str:
    """Why a service as a whole is not for us; empty when it may be."""
    image = str(service.get("image") or "").lower()
    basename = image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    if "build" not in service and _STATEFUL.search(basename):
        return "it keeps state: leave it where it is, and give services its address in env or secrets"
    if _PROXIES.search(basename) and service.get("depends_on") and len(services) > 1:
        return "crossfade's own balancer takes its place; what it did by path or host belongs into routes"
    if any(_waits_for_end(other, name) for other in services.values()):
        return "it runs once, before others: put its command into their hooks.migrate"
    return ""


def _waits_for_end(service: Any, name: str) -> bool:
    depends_on = service.get("depends_on") if isinstance(service, dict) else None
    condition = depends_on.get(name) if isinstance(depends_on, dict) else None
    return isinstance(condition, dict) and condition.get("condition") == "service_completed_successfully"


def _is_variable(keys: Keys) -> bool:
    """True for `services.<name>.environment.<variable>`, whose value is what was typed."""
    return len(keys) == 4 and keys[0] == "services" and keys[2] == "environment"  # noqa: PLR2004 - the four keys above


def _without(file: dict[str, Any], keys: Keys) -> Keys:
    """Takes out the value under `keys` (of an item in a list: the whole list) and says what it took."""
    here: Any = file
    for index, key in enumerate(keys):
        if index == len(keys) - 1 or isinstance(here[key], list):
            del here[key]
            return keys[: index + 1]
        here = here[key]
    file["services"].clear()
    return ("services",)


def _name(name: str) -> str:
    """A Compose service's name as one of ours: my_Web.1 is my-web-1."""
    return app_name(Path(name.replace(".", "-")))
