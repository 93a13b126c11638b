"""The goal of a fleet: what it is to become, and how far it is from that."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.strategies.phases import Bounds
from crossfade.strategies.pins import Pins


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the fleet is to become.

    `want` maps release to instances; a release that is not in it is to go. `shares` maps release to its part of the
    traffic; None lets traffic follow registered instances, but never to a release in `closed`. A share grows only
    once its release has `enough` ready instances (unless nobody else could answer); when none of the releases with
    a share can answer, `fallback` does. The goal is reached when `need` is at its full size; a broken source must
    not keep its successor waiting.
    """

    want: Mapping[int, int]
    shares: Mapping[int, int] | None
    bounds: Bounds
    serves: bool = True  # False: workers, to whom nobody sends anything; who is ready is at work
    need: int | None = None
    fallback: int | None = None
    enough: int = 0
    closed: frozenset[int] = frozenset()
    alone: bool = False  # a release is launched only when nothing of another one runs any more
    preview: int | None = None
    pins: Pins | None = None  # who is still reached once its share is gone
    urgent: bool = False  # what is missing comes before pages that were sent by a release that goes
    warmup: float = 0.0
    drain: float = 30.0
    patience: float = math.inf  # seconds after which an instance that is still starting is taken for broken
    started_at: float = 0.0  # exits before it are not held against a release
    lead: int = 0  # whose settings expose the service when nobody has traffic
    until: float | None = None  # when waiting for health is given up; not enforced here


def count_ready(fleet: Fleet, release: int, goal: Goal, now: float) -> int:
    return sum(i.ready(now, goal.warmup) for i in fleet.of(release))


def who_serves(goal: Goal, fleet: Fleet) -> frozenset[str]:
    """Who carries the load once it is ready: of workers everyone."""
    return fleet.routing.serving() if goal.serves else frozenset(i.id for i in fleet.instances)


def tally(instances: Iterable[Instance]) -> dict[int, int]:
    """How many there are of each release. Asked at every look: a Counter takes three times as long for a few."""
    counts: dict[int, int] = {}
    for instance in instances:
        counts[instance.release] = counts.get(instance.release, 0) + 1
    return counts


def is_sick(instance: Instance, goal: Goal, fleet: Fleet, now: float) -> bool:
    """To be replaced: outdated or broken."""
    return instance.outdated or is_broken(instance, goal, fleet, now)


def is_broken(instance: Instance, goal: Goal, fleet: Fleet, now: float) -> bool:
    """It lost its health, or never found it in all the time that somebody gave it."""
    if instance.health is not Health.STARTING:
        return instance.health is Health.UNHEALTHY
    return now - max(instance.launched_at, fleet.watched_since) > goal.patience


def releases_running(fleet: Fleet) -> set[int]:
    """Releases of which something runs, be it in its grace."""
    return {i.release for i in fleet.instances if i.health is not Health.EXITED}


def lacks_room(goal: Goal, fleet: Fleet, now: float) -> bool:
    """More instances are missing than may be launched beside those that run; one that is only outdated is not."""
    sound = tally(i for i in fleet.instances if i.up and not is_broken(i, goal, fleet, now))
    missing = sum(max(0, wanted - sound.get(release, 0)) for release, wanted in goal.want.items())
    return missing > max(0, room_left(goal, fleet))


def room_left(goal: Goal, fleet: Fleet) -> int:
    """How many more may run; those in their grace still do, and those that the platform is about to start will."""
    releases = [i.release for i in fleet.instances if i.health is not Health.EXITED]
    if not fleet.sizes:
        return goal.bounds.ceiling - len(releases)
    running, sizes = Counter(releases), dict(fleet.sizes)
    return goal.bounds.ceiling - sum(max(running[r], sizes.get(r, 0)) for r in running.keys() | sizes.keys())
