"""A service as production ships it, arranged for one machine: the same plan, and what is otherwise is said. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from crossfade.core.service import Container, Hooks, Listener, Preview, Resources, Service
from crossfade.telling.text import seconds

By = Literal["processes", "containers", "a stand-in"]

LEAST_INTERVAL = 0.2  # seconds between two health checks: as often as the loop looks
LEAST_DRAIN = 2.0  # seconds: requests are no faster than they were
LEAST_PATIENCE = 30.0  # seconds for instances to become healthy: apps boot as slowly as they do
MOST = 8  # instances of a service on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedService:
    """`plan` is the service as production ships it, `played` as it runs here. `otherwise` are lines for a reader."""

    plan: Service
    played: Service
    by: By
    otherwise: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.plan.name


def shortened(service: Service, faster: float) -> Service:
    """Its waits in `faster` times less; not what is the app's own: answers, boots, the time from SIGTERM to its end."""
    health, strategy, sticky = service.health, service.strategy, service.sticky
    return replace(
        service,
        health=replace(
            health,
            interval=max(min(health.interval, LEAST_INTERVAL), health.interval / faster),
            after=None if health.after is None else health.after / faster,
        ),
        drain=max(min(service.drain, LEAST_DRAIN), service.drain / faster),
        sticky=replace(sticky, ttl=max(1.0, sticky.ttl / faster)) if sticky else None,
        strategy=replace(
            strategy,
            bake=strategy.bake / faster,
            warmup=strategy.warmup / faster,
            keep_previous=strategy.keep_previous / faster,
            timeout=max(min(strategy.timeout, LEAST_PATIENCE), strategy.timeout / faster),
        ),
    )


def arranged(
    plan: Service, here: Service, by: By, *, port: int, faster: float, told: Mapping[str, str], why: str = ""
) -> PlayedService:
    """`plan` as production ships it, run as `here` says; `told` are variables that only AWS would know."""
    otherwise = [why] if why else []
    short = shortened(plan, faster)
    played = replace(
        here,
        kind=plan.kind,
        replicas=min(plan.replicas, MOST),
        health=short.health,
        drain=short.drain,
        grace=plan.grace,
        timeout=plan.timeout,
        idle_timeout=plan.idle_timeout,
        sticky=short.sticky,
        routes=plan.routes,
        headers=plan.headers,
        preview=Preview(header=plan.preview.header),
        listener=Listener(host="127.0.0.1", http=port),
        env=tuple(sorted({**dict(plan.env), **told, **dict(here.env)}.items())),
        resources=plan.resources,
        hooks=plan.hooks,
        strategy=replace(short.strategy, approve=()),
        depends_on=plan.depends_on,
        jobs=(),
        login="",
        was="",
    )
    if plan.replicas > MOST:
        otherwise.append(f"{MOST} instances instead of {plan.replicas}")
    if plan.strategy.approve:
        shares = ", ".join(f"{share} %" for share in plan.strategy.approve)
        otherwise.append(f"nobody is asked at {shares}: in production it waits there for `crossfade promote`")
    if plan.snapshot:
        otherwise.append("no snapshot of the database before the migration")
    if plan.jobs:
        otherwise.append(f"no jobs: {', '.join(job.name for job in plan.jobs)}")
    if not plan.listener.https and any(rule.host != "*" for rule in plan.routes):
        otherwise.append("asked by 127.0.0.1: routes by host get no visitors")
    return PlayedService(plan=plan, played=played, by=by, otherwise=tuple(otherwise))


def stand_in(service: Service, python: str, folder: str, sick: str = "") -> Service:
    """The service as the program `standin.py` of `folder` plays it: nothing of the app is run, its hooks neither."""
    settings = {"STAND_IN_HEALTH": service.health.path, "STAND_IN_SICK": sick}
    return replace(
        service,
        runtime="process",
        source=folder,
        image="",
        build="",
        cache=(),
        built_from=(),
        also=(),
        command=f"exec {python} standin.py",
        static=None,
        container=Container(),
        listen_on="port",
        protocol="http",
        health=replace(
            service.health, h2c=False, host="", headers=(), body="", command="", port=None, codes=((200, 299),)
        ),
        hooks=Hooks(),
        volumes=(),
        env=tuple(settings.items()),
        secrets=(),
        resources=_roomy(service.resources),
    )


def _roomy(resources: Resources) -> Resources:
    """Python needs more memory than the smallest task has, and the stand-in is not what is tried."""
    least = 128 << 20
    return replace(resources, memory=None if resources.memory is None else max(resources.memory, least))


def pace(planned: Mapping[float, float], within: float) -> float:
    """The least of these factors with which a deploy is planned to take at most `within` seconds, else the greatest."""
    return min((factor for factor, took in planned.items() if took <= within), default=max(planned))


def told_pace(faster: float) -> str:
    return f"{faster:g} times faster" if faster > 1 else "in its own time"


def told_times(plan: Service, played: Service) -> str:
    """What became of its times, for a reader."""
    pairs = [
        ("health check every", plan.health.interval, played.health.interval),
        ("bake", plan.strategy.bake, played.strategy.bake),
        ("warmup", plan.strategy.warmup, played.strategy.warmup),
        ("drain", plan.drain, played.drain),
    ]
    return ", ".join(
        f"{name} {seconds(there)} -> {seconds(here)}"
        for name, there, here in pairs
        if there and not math.isclose(there, here)
    )
