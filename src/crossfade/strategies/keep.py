"""The decision of a service between rollouts: it is to stay as it is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from crossfade.core.actions import Action, StandBy
from crossfade.core.fleet import Fleet, Health
from crossfade.core.service import Kind, Strategy
from crossfade.strategies.course import toward
from crossfade.strategies.goal import Goal
from crossfade.strategies.phases import Bounds, bounds
from crossfade.strategies.pins import Pins


def keep(
    current: int | None,
    replicas: int,
    strategy: Strategy,
    fleet: Fleet,
    now: float,
    *,
    warm: Mapping[int, float],
    drain: float,
    kind: Kind = "web",
    pins: bool = False,
) -> tuple[Action, ...]:
    """Hold a service at its current release and size; `warm` maps releases kept ready to when they may go.

    What is warm answers while nothing of the current release can; what of it breaks is not mended. Everything else that
    runs is an orphan or left over, and leaves as gently as anything does.
    """
    standing_in = frozenset() if fleet.routing.weight(current or 0) else frozenset(dict(fleet.routing.weights))
    # Who stands in goes when the current release can answer, or nobody is to; any other one when its time is over.
    ready_until = {r: t for r, t in warm.items() if r != current and (replicas > 0 if r in standing_in else t > now)}
    standby = {r: sum(i.usable for i in fleet.of(r)) for r in ready_until}
    room = bounds(strategy, replicas)
    goal = Goal(
        want=standby if current is None else {current: replicas, **standby},
        shares=None if kind == "worker" else {} if current is None else {current: 100},
        serves=kind == "web",
        bounds=Bounds(floor=0 if current is None else room.floor, ceiling=room.ceiling + sum(standby.values())),
        need=current,
        fallback=_stand_in(standby, replicas, fleet),
        enough=room.floor,
        alone=strategy.name == "recreate",
        drain=drain,
        patience=strategy.timeout,
        lead=current or 0,
        pins=Pins.of(strategy, sticky=pins),
        urgent=True,
    )
    # Traffic comes to the current release when it can carry it, or when no more of it can come and nobody stands in.
    course = toward(goal, fleet, now)
    in_need = not (course.reached or course.effects or standing_in & standby.keys())
    if in_need and not (_comes(fleet, current or 0) or _make_room(fleet, goal)):
        course = toward(replace(goal, enough=1), fleet, now)
    if course.effects:
        return course.effects
    retire = tuple(StandBy(release=r, until=t) for r, t in sorted(ready_until.items()) if t > now)
    return (*course.waits, *retire)


def _stand_in(standby: Mapping[int, int], replicas: int, fleet: Fleet) -> int | None:
    """The newest warm release that can answer: it is the nearest to what visitors had.

    None for a service that is to answer nobody; and where the platform keeps sizes, for who looks after those leaves
    once they are settled, and nobody would be there to give the traffic back.
    """
    if not replicas or fleet.sizes is not None:
        return None
    return max((release for release, count in standby.items() if count), default=None)


def _comes(fleet: Fleet, release: int) -> bool:
    """More of a release is on its way: an instance that starts, or one that ends and leaves its place to another."""
    return any(i.health is Health.STARTING or (i.stopping and i.health is not Health.EXITED) for i in fleet.of(release))


def _make_room(fleet: Fleet, goal: Goal) -> bool:
    """Others than are wanted are on their way out: what comes instead may have their places once they are gone."""
    running = Counter(i.release for i in fleet.instances if i.health is not Health.EXITED)
    sizes = running if fleet.sizes is None else dict(fleet.sizes)
    leaves = Counter(
        i.release
        for i in fleet.instances
        if i.health is not Health.EXITED and (i.stopping or i.draining_since is not None)
    )
    return any(
        release not in goal.want and (leaves[release] or sizes.get(release, 0) < count)
        for release, count in running.items()
    )
