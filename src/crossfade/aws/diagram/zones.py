"""The zones of a picture: which instances, databases and caches stand in which."""

from collections.abc import Iterator

from crossfade.aws.diagram.scene import Node
from crossfade.aws.resources.hosts import listens_on, on_hosts
from crossfade.file.cloud.data import Cache, Database
from crossfade.file.model import App, Service
from crossfade.file.units import write_size

NAMES = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "redis": "Redis", "valkey": "Valkey"}


def spread(count: int, zones: int, zone: int) -> int:
    """How many of `count` are in one zone: 5 over 2 are 3 and 2."""
    return count // zones + (zone < count % zones)


def instance(service: str, zone: str) -> str:
    """The id of a service's box in a zone."""
    return f"service-{service}-{zone}"


def instances(app: App, zone: int) -> Iterator[Node]:
    for name, service in app.services.items():
        yield _service(app, name, service, zone)


def _service(app: App, name: str, service: Service, zone: int) -> Node:
    here = spread(service.replicas, len(app.cloud.zones), zone)
    what = "host" if on_hosts(app) else "task"
    several = what if service.replicas == 1 else f"{what}s"
    counted = f"{here} of {service.replicas} {several}" if here else f"no {what} now; one may start here"
    fleets = [] if on_hosts(app) else ["blue serves, green waits, or the reverse"]
    door = [_ports(app, service), *_routes(service)] if service.kind == "web" else ["a worker: nobody asks it anything"]
    lines = [counted, *fleets, _size(app, service), *door]
    if service.scale is not None and service.scale.max > service.scale.min:
        lines.append(f"scales from {service.scale.min} to {service.scale.max}")
    return Node(id=instance(name, app.cloud.zones[zone]), title=name, lines=tuple(lines), idle=not here)


def _size(app: App, service: Service) -> str:
    compute, resources = app.cloud.compute, service.resources
    if on_hosts(app):
        return f"{compute.instance}, {size(compute.disk)}"
    return f"Fargate, {resources.cpu:g} vCPU, {size(resources.memory or 0)}"


def _ports(app: App, service: Service) -> str:
    if (port := listens_on(app, service)) == service.port:
        return f"port {port}"
    last = service.port + app.cloud.compute.processes - 1
    return f"nginx on {port}, processes on {service.port}-{last}"


def _routes(service: Service) -> Iterator[str]:
    """Which requests come here, when not all do."""
    asked = [f"{route.host or ''}{route.path}" for route in service.routes]
    if asked != ["/*"]:
        yield ", ".join(asked)


def database(kept: Database, zone: int) -> Iterator[Node]:
    name = f"{NAMES[kept.engine]} {kept.version or ''}".strip()
    where = "on a host of its own" if kept.host else "RDS"
    grows = f" to {size(kept.max_storage)}" if kept.max_storage else ""
    if zone == 0:
        lines = (f"{where}, {kept.instance}", f"{size(kept.storage)}{grows}, backups {kept.backups} d")
        yield Node(id="database", title=name, lines=lines, kind="data")
    if zone == 1 and kept.multi_az:
        yield Node(id="standby", title=f"{name} standby", lines=("takes over when the first fails",), kind="data")
    if zone == 1 and kept.replica:
        yield Node(id="replica", title=f"{name} read replica", lines=(f"RDS, {kept.replica}",), kind="data")


def cache(kept: Cache, zones: tuple[str, ...], zone: int) -> Iterator[Node]:
    """Primaries stand in the first zone and their replicas in the others, as the picture has it; AWS may move them."""
    name = f"{NAMES[kept.engine]} {kept.version}"
    if zone == 0:
        primaries = "1 node" if kept.shards == 1 else f"{kept.shards} shards"
        lines = (f"{primaries}, {kept.node}", f"snapshots {kept.snapshots} d")
        yield Node(id="cache", title=name, lines=lines, kind="data")
    elif count := spread(kept.replicas, len(zones) - 1, zone - 1):
        title = f"{name} replica" if count * kept.shards == 1 else f"{name} replicas"
        each = f"{count} of each shard, " if kept.shards > 1 else f"{count} nodes, " if count > 1 else ""
        yield Node(id=f"cache-{zones[zone]}", title=title, lines=(f"{each}{kept.node}",), kind="data")


def size(count: int) -> str:
    """20G of the file as people say it: 20 GB."""
    text = write_size(count)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} B"
