"""What loses requests although everything works: drains, timeouts, routes, how many there are."""

import math
from collections.abc import Iterator

from crossfade.aws.audit.balancer import opens_streams
from crossfade.aws.audit.finding import Keys, Spot
from crossfade.aws.idle import LONGEST_IDLE, SHORT_IDLE
from crossfade.file.model import App
from crossfade.file.parts.service import Service
from crossfade.file.parts.web.route import Route
from crossfade.file.units import write_duration


def short_drain(app: App) -> Iterator[Spot]:
    for name, service in app.web.items():
        if service.timeout > service.drain:
            slowest, drain = write_duration(service.timeout), write_duration(service.drain)
            yield Spot(("services", name, "drain"), f"a request may take {slowest}, the drain ends after {drain}")


def streams_cut(app: App) -> Iterator[Spot]:
    """A stream that is silent for longer than this is closed, and the visitor sees it."""
    for name, service in app.web.items():
        keys = ("services", name, "idle_timeout")
        idle = write_duration(service.idle_timeout) if service.idle_timeout else "never"
        paths = [route.path for route in service.routes if opens_streams(route.path)]
        if paths and 0 < service.idle_timeout <= SHORT_IDLE:
            yield Spot(keys, f"connections of {', '.join(paths)} are closed after {idle} of silence")
        elif app.platform == "aws" and not 0 < service.idle_timeout <= LONGEST_IDLE:
            most = write_duration(LONGEST_IDLE)
            yield Spot(keys, f"{idle}, but the load balancer closes silent connections after {most} at the latest")


def shadowed_health(app: App) -> Iterator[Spot]:
    for name, service in app.web.items():
        owner = _answering(app, service)
        if owner not in (name, None):
            what = f"for visitors {service.health.path} is answered by service {owner}, not by {name}"
            yield Spot(("services", name, "health", "path"), what)


def _answering(app: App, service: Service) -> str | None:
    """The service that a visitor reaches who asks one of this service's hosts for its health path."""
    path = service.health.path.partition("?")[0]
    hosts = {route.host for route in service.routes}
    found = [
        (_exactness(route), name)
        for name, other in app.web.items()
        for route in other.routes
        if _leads_to(route, path) and (route.host is None or route.host in hosts)
    ]
    return max(found)[1] if found else None


def _leads_to(route: Route, path: str) -> bool:
    return path.startswith(route.path[:-1]) if route.path.endswith("*") else path == route.path


def _exactness(route: Route) -> tuple[bool, bool, int]:
    """The most exact route wins: one with a host, then an exact path, then the longest."""
    return (route.host is not None, not route.path.endswith("*"), len(route.path))


def cannot_roll(app: App) -> Iterator[Spot]:
    """AWS rounds the healthy up and the surge down: of one instance, 150 % is one instance."""
    if app.platform != "aws" or app.cloud.compute.kind == "hosts":  # the last one that serves is never taken out
        return
    hosts = app.cloud.compute.kind == "autoscaling"
    then = "the only host stops before another one starts" if hosts else "nothing may stop and nothing may start"
    for name, service in app.services.items():
        deploy, count = service.deploy, service.replicas
        needed, surge = math.ceil(count * deploy.min_healthy / 100), count * deploy.max_surge // 100
        stuck = count - needed + surge < 1 and (not hosts or count == 1)
        if deploy.strategy == "rolling" and count and stuck:
            what = f"of {count}, {deploy.min_healthy} % healthy is {needed} and {deploy.max_surge} % surge is {surge}"
            yield Spot(("services", name, "deploy", "min_healthy"), f"{what}: {then}")


def alone(app: App) -> Iterator[Spot]:
    for name, service in app.services.items():
        keys: Keys = ("services", name, "replicas")
        least = service.replicas
        if service.scale and service.scale.min < least:
            keys, least = ("services", name, "scale", "min"), service.scale.min
        if least < 2:  # noqa: PLR2004  one that fails, and one that answers
            yield Spot(keys, f"service {name} may run {'as one instance' if least else 'without an instance'}")


def recreated(app: App) -> Iterator[Spot]:
    for name, service in app.web.items():
        if service.deploy.strategy == "recreate":
            yield Spot(("services", name, "deploy", "strategy"), "recreate: nobody answers while a release is replaced")


ALWAYS = {
    "CF-AVL-001": alone,
    "CF-AVL-002": cannot_roll,
    "CF-AVL-003": short_drain,
    "CF-AVL-004": streams_cut,
    "CF-AVL-005": shadowed_health,
    "CF-AVL-006": recreated,
}
