"""The course towards a goal that never breaks a bound on the way: grow, route, drain, stop.

Level-triggered: everything is derived from what is there now, so the same call continues after a crash.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from crossfade.core.actions import AwaitHealthy, Drain, Launch, Resize, Shift, Stop, Wait
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.strategies.back_off import waits_after_exits
from crossfade.strategies.goal import (
    Goal,
    count_ready,
    is_sick,
    releases_running,
    room_left,
    tally,
    who_serves,
)
from crossfade.strategies.routing import lead_of, routing_of, shares_of
from crossfade.strategies.sizes import abandoned, next_is_awaited, resizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What to do now, what is waited for, and whether the goal is reached; `held` has left but for its pages' parts."""

    effects: tuple[Launch | Resize | Shift | Stop, ...]
    waits: tuple[Wait, ...]
    reached: bool
    held: frozenset[str] = frozenset()


def toward(goal: Goal, fleet: Fleet, now: float) -> Course:
    """The next effects towards the goal; none when everything that can be done now is done."""
    shares = shares_of(goal, fleet, now)
    sized = fleet.sizes is not None
    leaving = abandoned(goal, fleet, shares) if sized else _leaving(goal, fleet, shares, now)
    routing, held, stays = routing_of(goal, fleet, shares, leaving, now)
    if sized and not routing.weights and next_is_awaited(goal, fleet):
        routing = fleet.routing
    moves = goal.serves and routing != fleet.routing
    shift = (Shift(routing=routing, lead=lead_of(goal, routing)),) if moves else ()
    due, drain = _due(goal, fleet, leaving, now)
    launches, waits = _launches(goal, fleet, leaving, now)
    up = tally(i for i in fleet.instances if i.up and i.id not in held)
    settled = not shift and all(count <= goal.want.get(release, 0) for release, count in up.items())
    if goal.alone:  # what is still in its grace may be at work
        settled = settled and all(goal.want.get(release) for release in releases_running(fleet))
    reached = settled and (goal.need is None or count_ready(fleet, goal.need, goal, now) >= goal.want[goal.need])
    if sized:
        grows, shrinks = resizes(goal, fleet, leaving - due, now)
        # Who is spare is known once the routing is there: it may be refused, or bring traffic back to who had none.
        return Course(effects=(*grows, *(shift or shrinks)), waits=(*waits, *drain), reached=reached)
    exited = sorted(i.id for i in fleet.instances if i.health is Health.EXITED and not i.stopping)
    stops = (Stop(instance=name) for name in (*exited, *sorted(due)))
    # At the port of one that died a stranger may listen by now: to start others takes longer than to send nobody there.
    first, then = (shift, launches) if exited and fleet.routing.registered() & set(exited) else (launches, shift)
    return Course(effects=(*first, *then, *stops), waits=(*waits, *stays, *drain), reached=reached, held=held)


def _leaving(goal: Goal, fleet: Fleet, shares: Mapping[int, int], now: float) -> frozenset[str]:
    """Who is to go now: surplus, the useless first, and of those that serve only as many as the floor allows.

    One that warms up or drains does not count as capacity, and still goes only when enough others do: after a restart
    of the controller all that serve are warming up, and one that drains is taken back in when those after it fail.
    The last one of a release that shares the traffic stays, too: without it the other had all of it.
    """
    surplus = _surplus(goal, fleet, now)
    if not surplus:  # as at most looks
        return frozenset()
    serving = who_serves(goal, fleet)

    def carries(instance: Instance) -> bool:
        return instance.release in shares and instance.id in serving and instance.ready(now, goal.warmup)

    def could_serve(instance: Instance) -> bool:
        return (
            instance.release in shares and instance.usable and (instance.id in serving or instance.release in goal.want)
        )

    capacity = sum(map(carries, fleet.instances))
    able = Counter(i.release for i in fleet.instances if could_serve(i)) if len(shares) > 1 else None
    room = max(0, room_left(goal, fleet))
    leaving: set[str] = set()
    for release, mine, sick in surplus:
        wanted = goal.want.get(release, 0)
        mine.sort(key=partial(_least_useful_first, sick=sick))
        # With no room to launch a replacement beside a sick one, the sick one makes room.
        missing = max(0, wanted - (len(mine) - len(sick)) - room)
        for instance in mine[: min(missing, len(sick)) if len(mine) <= wanted else len(mine) - wanted]:
            left = capacity - carries(instance)
            if could_serve(instance):
                if left < goal.bounds.floor or (able and wanted and able[release] == 1):
                    continue
                if able:
                    able[release] -= 1
            capacity = left
            leaving.add(instance.id)
    return frozenset(leaving)


def _surplus(goal: Goal, fleet: Fleet, now: float) -> list[tuple[int, list[Instance], set[str]]]:
    """Releases of which there are too many or some are sick: who is up, and who of these is sick."""
    up: defaultdict[int, list[Instance]] = defaultdict(list)
    for instance in fleet.instances:
        if instance.up:
            up[instance.release].append(instance)
    found = [
        (release, mine, {i.id for i in mine if is_sick(i, goal, fleet, now)}) for release, mine in sorted(up.items())
    ]
    return [(r, mine, sick) for r, mine, sick in found if sick or len(mine) > goal.want.get(r, 0)]


def _least_useful_first(instance: Instance, *, sick: Collection[str]) -> tuple[int, bool, float, str]:
    """Sick ones, then starting ones, then the healthy: of these the draining first, so that what goes goes on going.

    Of equals the youngest: the others' caches are warm.
    """
    use = 0 if instance.id in sick else 1 if instance.health is Health.STARTING else 2
    return (use, instance.draining_since is None, -instance.launched_at, instance.id)


def _due(goal: Goal, fleet: Fleet, leaving: frozenset[str], now: float) -> tuple[frozenset[str], tuple[Drain, ...]]:
    """Who of those that leave may be stopped: the balancer sends it nothing, and it is idle or its delay is over.

    Where the balancer cannot tell what an instance holds, only time drains it.
    """
    if not leaving:
        return frozenset(), ()
    registered, draining = fleet.routing.registered(), fleet.routing.draining()
    going = [i for i in sorted(fleet.instances, key=lambda i: i.id) if i.id in leaving and i.id not in registered]
    turns = _turns(goal, going)
    may_go: set[str] = set()
    waiting: list[tuple[str, float]] = []
    for instance in going:
        due = now
        if instance.id in draining:
            since = now if instance.draining_since is None else instance.draining_since
            unsure = instance.in_flight is None or instance.streams is None
            due = since + goal.drain * (1.0 if instance.in_flight or unsure else turns.get(instance.id, 0.0))
        if now >= due:
            may_go.add(instance.id)
        else:
            waiting.append((instance.id, due))
    drain = (Drain(instances=tuple(i for i, _ in waiting), until=min(t for _, t in waiting)),) if waiting else ()
    return frozenset(may_go), drain


def _turns(goal: Goal, going: list[Instance]) -> dict[str, float]:
    """When those that only hold streams (WebSocket, SSE) are stopped, as a part of the delay.

    One after the other, so that their clients do not all come back in one moment. Turns are counted from the end of
    the delay and in steps of the whole fleet, so that they stay the same while fewer are left: with a fleet of 3 and
    30 s, three leave at 10 s, 20 s and 30 s, and once the first is gone the other two still at 20 s and 30 s.
    """
    streaming = [i.id for i in going if i.streams]
    steps = max(len(streaming), sum(goal.want.values()))
    return {name: 1.0 - (len(streaming) - turn) / steps for turn, name in enumerate(streaming, start=1)}


def _launches(
    goal: Goal, fleet: Fleet, leaving: frozenset[str], now: float
) -> tuple[tuple[Launch, ...], tuple[Wait, ...]]:
    launches: list[Launch] = []
    waits: list[Wait] = []
    room = room_left(goal, fleet)
    for release, wanted in goal.want.items():
        mine = [i for i in fleet.of(release) if i.up and i.id not in leaving]
        ready = sum(i.ready(now, goal.warmup) for i in mine)
        count = (
            0 if fleet.sizes is not None else min(wanted - sum(not is_sick(i, goal, fleet, now) for i in mine), room)
        )
        if count > 0 and not (goal.alone and releases_running(fleet) - {release}):
            wait = waits_after_exits(fleet, release, goal.started_at, now)
            if wait:
                waits.append(wait)
            else:
                launches.append(Launch(release=release, count=count))
                room -= count
        if ready < wanted:
            waits.append(AwaitHealthy(release=release, ready=ready, wanted=wanted, until=goal.until))
    return tuple(launches), tuple(waits)
