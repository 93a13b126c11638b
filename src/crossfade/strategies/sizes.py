"""Platforms that keep sizes and choose ids and victims themselves: which sizes to ask for, and whom traffic leaves."""

from collections import Counter
from collections.abc import Mapping

from crossfade.core.actions import Resize
from crossfade.core.fleet import Fleet
from crossfade.strategies.goal import Goal, releases_running, room_left, who_serves


def abandoned(goal: Goal, fleet: Fleet, shares: Mapping[int, int]) -> frozenset[str]:
    """Where the platform chooses victims, only whole releases leave: unwanted, and nobody's share leads to them."""
    return frozenset(
        i.id
        for i in fleet.instances
        if i.up and not goal.want.get(i.release, 0) and i.release not in shares
        if goal.shares is not None or i.release not in goal.want
    )


def next_is_awaited(goal: Goal, fleet: Fleet) -> bool:
    """Where the platform registers whoever is healthy, a weight that leads to nobody now leads to the next that is.

    Taken away, it would have to be given back first; and what is read may be a moment old, so that there is one. Not
    so of a release that is to go: without room beside it, it goes before another comes.
    """
    stays = any(goal.want.get(release) for release, _ in fleet.routing.weights)
    return stays and (goal.shares is None or any(goal.shares.values()))


def parting(goal: Goal, fleet: Fleet, now: float) -> frozenset[int]:
    """Releases that go altogether where the platform chooses victims: the traffic has to leave them before the last of
    their instances does, for a share that leads to nobody is not answered by others.

    They part once the others that are ready keep to the floor; where that is 0 they still wait for one, if there is
    room for it or one is to come at all.
    """
    if fleet.sizes is None:
        return frozenset()
    ready = Counter(i.release for i in fleet.instances if i.ready(now, goal.warmup) and i.release not in goal.closed)
    going = {i.release for i in fleet.instances if i.usable and not goal.want.get(i.release, 0)}
    wanted = any(i.usable and i.release in goal.want for i in fleet.instances)
    strangers = going - goal.want.keys() if wanted else set()  # warm ones, or left over: they get no traffic
    stays = sum(count for release, count in ready.items() if release not in going)
    waits = room_left(goal, fleet) > 0 and any(goal.want.values()) and not goal.alone
    return frozenset(going if stays >= max(int(waits), goal.bounds.floor) else strangers)


def resizes(
    goal: Goal, fleet: Fleet, kept: frozenset[str], now: float
) -> tuple[tuple[Resize, ...], tuple[Resize, ...]]:
    """The sizes that grow, and those that shrink: to nothing once drained (`kept` still drain), else by what is spare.

    The platform takes an instance out of the traffic before it stops it; which one is its choice, so of four that are
    ready beside a floor of three one may go, whichever that is. One that warms up does not count as capacity and is no
    loss to be made light of either: after a restart of the controller all that serve are warming up.
    """
    grows: list[Resize] = []
    shrinks: list[Resize] = []
    sizes, serving = dict(fleet.sizes or ()), who_serves(goal, fleet)
    carrying = Counter(i.release for i in fleet.instances if i.id in serving and i.usable)
    spare = max(0, sum(i.id in serving and i.ready(now, goal.warmup) for i in fleet.instances) - goal.bounds.floor)
    taken = releases_running(fleet) | {r for r, n in sizes.items() if n}
    room = room_left(goal, fleet)
    for release in sorted(goal.want.keys() | sizes.keys()):
        size, wanted = sizes.get(release, 0), goal.want.get(release, 0)
        if wanted > size:
            count = min(wanted - size, max(0, room)) if _has_place(release, taken, goal, fleet) else 0
            room -= count
            if count:
                grows.append(Resize(release=release, count=size + count))
                taken.add(release)
        elif wanted < size:
            mine = [i for i in fleet.of(release) if i.up]
            led = goal.shares is None and fleet.routing.weight(release) and carrying[release]
            if any(i.id in kept for i in mine):
                continue
            if led and not wanted:  # its last one stays until the traffic has left it
                if size == 1:
                    continue
                wanted = 1
            lost = min(carrying[release], max(0, len(mine) - wanted))
            if lost > spare:  # of three, one of which serves, not even one may go: it may be that one
                wanted, lost = len(mine) - spare, spare
            spare -= lost
            if wanted < size:
                shrinks.append(Resize(release=release, count=wanted))
    return tuple(grows), tuple(shrinks)


def _has_place(release: int, taken: set[int], goal: Goal, fleet: Fleet) -> bool:
    """Whether there is a place for a release beside those that have one, until their last instance is gone."""
    if goal.alone:
        return not taken - {release}
    return fleet.places is None or release in taken or len(taken) < fleet.places
