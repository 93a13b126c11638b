"""Fleets in a line: what runs, what the balancer confirmed."""

from collections.abc import Iterable, Mapping
from typing import Any

from crossfade.core.counters import Counters
from crossfade.core.fleet import Exit, Fleet, Health, Instance
from crossfade.core.rollout import Rollout
from crossfade.core.routing import Routing, TargetGroup, weights_of
from crossfade.core.service import RollbackOn, Strategy, StrategyName

NOW = 1000.0
OLD, NEW = 1, 2


def some(release: int, count: int, health: Health = Health.HEALTHY, *, first: int = 0, **traits: Any) -> list[Instance]:
    """`count` instances of a release, `1-0`, `1-1` ..., healthy for long when they are healthy."""
    since = None if health in {Health.STARTING, Health.EXITED} else 0.0
    known: dict[str, Any] = {"healthy_since": since, "launched_at": 0.0, **traits}
    return [Instance(id=f"{release}-{n}", release=release, health=health, **known) for n in range(first, first + count)]


def fleet(
    *instances: Iterable[Instance],
    weights: Mapping[int, int] | None = None,
    counters: Mapping[int, Counters] | None = None,
    exits: Iterable[Exit] = (),
    preview: int | None = None,
    pinned: Mapping[int, float] | None = None,
    unshared: Mapping[int, float] | None = None,
) -> Fleet:
    """Healthy instances are registered, those with `draining_since` drain; all traffic is on `weights`.

    `pinned` are releases that only their own visitors reach, and since when; `unshared` those that are kept otherwise.
    """
    everyone = [i for group in instances for i in group]
    groups = []
    for release in sorted({i.release for i in everyone}):
        mine = [i for i in everyone if i.release == release]
        registered = tuple(i.id for i in mine if i.usable and i.draining_since is None)
        draining = tuple(i.id for i in mine if i.draining_since is not None and i.health is not Health.EXITED)
        if registered or draining:
            groups.append(TargetGroup(release=release, registered=registered, draining=draining))
    return Fleet(
        instances=tuple(everyone),
        routing=Routing(
            groups=tuple(groups), weights=weights_of(weights or {}), preview=preview, pinned=tuple(pinned or ())
        ),
        unshared=tuple({**(pinned or {}), **(unshared or {})}.items()),
        counters=tuple((counters or {}).items()),
        exits=tuple(exits),
    )


def rollout(name: StrategyName = "blue-green", *, replicas: int = 2, **traits: Any) -> Rollout:
    """From release 1 to 2, begun at 1000 s; traits of the strategy and its rules are told by their names."""
    rules = {key: traits.pop(key) for key in list(traits) if key in RollbackOn.__dataclass_fields__}
    plan = {key: traits.pop(key) for key in list(traits) if key in Strategy.__dataclass_fields__}
    strategy = Strategy(name=name, **plan, rollback_on=RollbackOn(**rules))
    known: dict[str, Any] = {"source": OLD, "drain": 30.0, "started_at": NOW, "step_since": NOW, **traits}
    return Rollout(id=1, service="shop/web", target=NEW, strategy=strategy, replicas=replicas, **known)


def exits(release: int, *ats: float, was_healthy: bool = False) -> list[Exit]:
    return [
        Exit(instance=f"{release}-{n}", release=release, at=at, was_healthy=was_healthy, detail="exited with code 1")
        for n, at in enumerate(ats)
    ]
