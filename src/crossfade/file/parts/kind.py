"""Kinds of services, and where they run: which keys are for those that get requests, and which are for workers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossfade.file.part import Clash

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service

# Of each key of the service, of its `deploy` and of its `health` that a worker cannot have: what to do instead.
_OF_REQUESTS = {
    "port": "no port",
    "listen_on": "nothing in its place",
    "protocol": "no protocol",
    "routes": "no routes",
    "headers": "no headers",
    "sticky": "nothing in its place",
    "preview": "nothing in its place",
    "timeout": "grace, for the job it is at",
    "idle_timeout": "nothing in its place",
    "drain": "grace, for the job it is at",
}
_OF_TRAFFIC = {
    "steps": "checkpoints, with strategy rolling",
    "step": "checkpoints, with strategy rolling",
    "keep_previous": "nothing in its place: the old instances would go on taking jobs",
    "keep_assets": "nothing in its place: a worker sends no pages",
    "inconclusive": "nothing in its place: a worker is judged by whether it lives",
}
_OF_ANSWERS = {"error_rate", "p95", "worse_than_previous", "min_requests"}
_OF_QUESTIONS = {"path", "codes", "host", "headers", "body", "port"}
_ASKING = {"envoy", "nginx"}
STRATEGIES = ("blue-green", "rolling", "recreate")
LONGEST_GRACE = 120.0  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
WORKER_GRACE = 60.0  # seconds; a web service's requests are drained before, a worker's job is not


def wrong_for_its_kind(service: "Service") -> Iterator[Clash]:
    """Every key that says something about traffic a worker does not get, or that only a worker can have."""
    if service.kind == "web":
        yield from _wrong_health_of_web(service)
        return
    for key, instead in _OF_REQUESTS.items():
        if key in service.model_fields_set:
            yield Clash((key,), f"{key} for a worker, which gets no requests", instead)
    yield from _wrong_health(service)
    yield from _wrong_deploy(service)


def wrong_for_its_platform(
    name: str, service: "Service", platform: str, balancer: str, compute: str
) -> Iterator[Clash]:
    """What releases of a service cannot be where they run. Keys are from the file's top."""
    there, cloud = ("services", name), platform == "aws"
    if service.protocol == "h2c" and (cloud or balancer != "envoy"):
        where = "on AWS" if cloud else f"with {balancer}"
        yield Clash((*there, "protocol"), f"h2c {where}", "http there, or platform local with envoy")
    kept = service.deploy.keep_assets if "keep_assets" in service.deploy.model_fields_set else 0.0
    if kept and not asks_others(platform, balancer, compute):
        ours = not cloud or compute == "hosts"
        where = f"with {balancer}, which asks" if ours else "on AWS, whose load balancers ask"
        yield Clash((*there, "deploy", "keep_assets"), f"keep_assets {where} no other release", "`keep_assets: null`")
    if not cloud:
        return
    if service.listen_on == "socket":
        yield Clash((*there, "listen_on"), "a socket on AWS", "port there")
    if service.kind == "worker":
        yield from _wrong_for_workers_there(there, service, compute)
    if service.also and compute == "autoscaling":
        yield Clash((*there, "also"), "also on AWS", "a source there that has all of it in one folder")
    if service.headers and compute != "hosts":
        allowed = "`headers: null` there: AWS's load balancer adds none, so that the app has to"
        yield Clash((*there, "headers"), "headers on AWS", allowed)
    if service.static:
        yield Clash((*there, "static"), "static on AWS", "cloud: {site: ...} there, a bucket and its CDN")
    if service.sticky and service.sticky.release:
        allowed = "sticky without release there: releases on AWS share no visitors yet"
        yield Clash((*there, "sticky", "release"), "release on AWS", allowed)


def asks_others(platform: str, balancer: str, compute: str) -> bool:
    """A part of a page that one release does not have is asked of another: by Envoy and nginx, which hosts have too."""
    return balancer in _ASKING and (platform != "aws" or compute == "hosts")


def _wrong_for_workers_there(there: tuple[str, str], service: "Service", compute: str) -> Iterator[Clash]:
    if compute != "fargate":
        allowed = "a worker on fargate, or platform local: hosts run one web service"
        yield Clash((*there, "kind"), f"a worker with compute {compute}", allowed)
    if "command" in service.health.model_fields_set:
        allowed = f"after there; `cloud: {{compute: {{checks: {{{there[1]}: ...}}}}}}` has ECS run a command"
        yield Clash((*there, "health", "command"), "a command on AWS", allowed)
    if service.grace > LONGEST_GRACE:
        allowed = f"at most {LONGEST_GRACE:g}s: then Fargate kills it"
        yield Clash((*there, "grace"), f"{service.grace:g}s on AWS", allowed)


def _wrong_health_of_web(service: "Service") -> Iterator[Clash]:
    written = service.health.model_fields_set
    if "after" in written:
        yield Clash(("health", "after"), "after for a web service", "path, which is asked; or kind: worker")
    if service.health.command is not None:
        for key in sorted(written & _OF_QUESTIONS):
            yield Clash(("health", key), f"{key} beside command, which is run instead", f"one of {key}, command")
    if "port" in written and service.image is None:
        found = "a port of its own for a process, which is given one in $PORT"
        yield Clash(("health", "port"), found, "a path there, or a command")


def _wrong_health(service: "Service") -> Iterator[Clash]:
    written = service.health.model_fields_set
    for key in sorted(written & _OF_QUESTIONS):
        yield Clash(("health", key), f"{key} for a worker, which is asked nothing", "after or command")
    if "after" in written:
        for key in ("command", "interval", "timeout", "healthy", "unhealthy"):
            if key in written:
                yield Clash(("health", key), f"{key} beside after, which asks nothing", "one of after, command")


def _wrong_deploy(service: "Service") -> Iterator[Clash]:
    deploy = service.deploy
    for key, instead in _OF_TRAFFIC.items():
        if key in deploy.model_fields_set:
            yield Clash(("deploy", key), f"{key} for a worker, which gets no requests", instead)
    for key in sorted(deploy.rollback_on.model_fields_set & _OF_ANSWERS):
        yield Clash(("deploy", "rollback_on", key), f"{key} for a worker, which answers nobody", "unhealthy")
    if deploy.strategy not in STRATEGIES:
        found = f"{deploy.strategy}, which moves traffic, for a worker"
        yield Clash(("deploy", "strategy"), found, f"one of {', '.join(STRATEGIES)}")
    elif deploy.strategy == "blue-green" and deploy.approve not in ((), (100,)):
        yield Clash(("deploy", "approve"), f"{list(deploy.approve)}, where a worker never stops", "[100]")
