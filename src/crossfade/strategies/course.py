"""The course towards a goal that never breaks a bound on the way: grow, route, drain, stop.

Level-triggered: everything is derived from what is there now, so the same call continues after a crash.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from crossfade.core.actions import AwaitHealthy, Drain, Launch, Resize, Shift, Stop, Wait
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.core.routing import Routing, TargetGroup, weights_of
from crossfade.strategies.back_off import waits_after_exits
from crossfade.strategies.goal import (
    Goal,
    count_ready,
    is_sick,
    lacks_room,
    releases_running,
    room_left,
    tally,
    who_serves,
)
from crossfade.strategies.sizes import abandoned, next_is_awaited, parting, resizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What to do now, what is waited for, and whether the goal is reached; `held` has left but for its pages' parts."""

    effects: tuple[Launch | Resize | Shift | Stop, ...]
    waits: tuple[Wait, ...]
    reached: bool
    held: frozenset[str] = frozenset()


def toward(goal: Goal, fleet: Fleet, now: float) -> Course:
    """The next effects towards the goal; none when everything that can be done now is done."""
    shares = _shares(goal, fleet, now)
    sized = fleet.sizes is not None
    leaving = abandoned(goal, fleet, shares) if sized else _leaving(goal, fleet, shares, now)
    routing, held, stays = _routing(goal, fleet, shares, leaving, now)
    if sized and not routing.weights and next_is_awaited(goal, fleet):
        routing = fleet.routing
    shift = () if routing == fleet.routing or not goal.serves else (Shift(routing=routing, lead=_lead(goal, routing)),)
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


def _lead(goal: Goal, routing: Routing) -> int:
    """Whose settings expose the service: the release that comes, once it has traffic; else the one that has most."""
    if goal.preview is not None and routing.weight(goal.preview):
        return goal.preview
    return max(routing.weights, key=lambda weight: weight[1], default=(goal.lead, 0))[0]


def _shares(goal: Goal, fleet: Fleet, now: float) -> dict[int, int]:
    """Which releases get traffic, as relative parts; with `shares` None the part is only a mark that it may."""
    open_to = {i.release for i in fleet.instances if i.usable} - goal.closed
    if goal.shares is None:
        return dict.fromkeys(open_to - parting(goal, fleet, now), 1)
    wanted = {release: share for release, share in goal.shares.items() if share and release in open_to}
    current = {release: weight for release, weight in fleet.routing.weights if release in open_to}
    if not current:
        return wanted or ({goal.fallback: 1} if goal.fallback in open_to else {})
    total = sum(current.values())
    for release, share in wanted.items():
        grows = share * total > current.get(release, 0) * sum(wanted.values())
        if grows and count_ready(fleet, release, goal, now) < min(goal.enough, goal.want.get(release, 0)):
            return current
    return wanted or current


def _leaving(goal: Goal, fleet: Fleet, shares: Mapping[int, int], now: float) -> frozenset[str]:
    """Who is to go now: surplus, the useless first, and of those that serve only as many as the floor allows.

    One that warms up or drains does not count as capacity, and still goes only when enough others do: after a restart
    of the controller all that serve are warming up, and one that drains is taken back in when those after it fail.
    """
    serving = who_serves(goal, fleet)

    def carries(instance: Instance) -> bool:
        return instance.release in shares and instance.id in serving and instance.ready(now, goal.warmup)

    def could_serve(instance: Instance) -> bool:
        return (
            instance.release in shares and instance.usable and (instance.id in serving or instance.release in goal.want)
        )

    capacity = sum(map(carries, fleet.instances))
    room = max(0, room_left(goal, fleet))
    up: defaultdict[int, list[Instance]] = defaultdict(list)
    for instance in fleet.instances:
        if instance.up:
            up[instance.release].append(instance)
    leaving: set[str] = set()
    for release, mine in sorted(up.items()):
        wanted = goal.want.get(release, 0)
        sick = {i.id for i in mine if is_sick(i, goal, fleet, now)}
        if not sick and len(mine) <= wanted:
            continue
        mine.sort(key=partial(_least_useful_first, sick=sick))
        # With no room to launch a replacement beside a sick one, the sick one makes room.
        missing = max(0, wanted - (len(mine) - len(sick)) - room)
        for instance in mine[: min(missing, len(sick)) if len(mine) <= wanted else len(mine) - wanted]:
            left = capacity - carries(instance)
            if could_serve(instance) and left < goal.bounds.floor:
                continue
            capacity = left
            leaving.add(instance.id)
    return frozenset(leaving)


def _least_useful_first(instance: Instance, *, sick: Collection[str]) -> tuple[int, bool, float, str]:
    """Sick ones, then starting ones, then the healthy: of these the draining first, so that what goes goes on going.

    Of equals the youngest: the others' caches are warm.
    """
    use = 0 if instance.id in sick else 1 if instance.health is Health.STARTING else 2
    return (use, instance.draining_since is None, -instance.launched_at, instance.id)


def _routing(
    goal: Goal, fleet: Fleet, shares: Mapping[int, int], leaving: frozenset[str], now: float
) -> tuple[Routing, frozenset[str], tuple[Drain, ...]]:
    """Who gets requests, and who of those that leave is held because it is still reached, with what is waited for."""
    counts = tally(i for i in fleet.instances if i.usable and i.id not in leaving)
    parts = counts if goal.shares is None else shares
    weights = weights_of({r: part for r, part in parts.items() if r in shares and r in counts})
    pins = goal.pins if fleet.sizes is None else None
    stays = pins.stays(fleet, dict(weights)) if pins else frozenset()
    held = pins.held(fleet, dict(weights), goal.want, goal.drain, now) if pins else {}
    if held and goal.urgent and lacks_room(goal, fleet, now):
        held = {release: until for release, until in held.items() if release in stays}
    stay = leaving & {i for g in fleet.routing.groups if g.release in held for i in g.registered}
    groups = _groups(fleet, leaving - stay)
    usable = {group.release for group in groups if group.registered}
    routing = Routing(
        groups=groups,
        weights=weights,
        preview=_preview(goal, fleet, weights, there=(goal.preview or 0) in counts),
        pinned=tuple(release for release in held if release in stays & usable),
    )
    until = min((held[i.release] for i in fleet.instances if i.id in stay), default=now)
    return routing, stay, (Drain(instances=tuple(sorted(stay)), until=until),) if stay else ()


def _preview(goal: Goal, fleet: Fleet, weights: tuple[tuple[int, int], ...], *, there: bool) -> int | None:
    """Who is seen before visitors see it.

    Where the platform keeps sizes a routing takes seconds to arrive: it is told while instances still boot, and with
    the visitors' own once all of them are sent there, so that neither costs a rollout time.
    """
    if fleet.sizes is None:
        return goal.preview if there else None
    comes = dict(fleet.sizes).get(goal.preview or 0, 0) > 0
    return goal.preview if comes and weights != ((goal.preview, 100),) else None


def _groups(fleet: Fleet, leaving: Collection[str]) -> tuple[TargetGroup, ...]:
    known = fleet.routing.registered() | fleet.routing.draining()
    members: dict[int, tuple[list[str], list[str]]] = {}
    for instance in sorted(fleet.instances, key=lambda i: i.id):
        if instance.usable and instance.id not in leaving:
            members.setdefault(instance.release, ([], []))[0].append(instance.id)
        elif instance.id in known and instance.health is not Health.EXITED:
            members.setdefault(instance.release, ([], []))[1].append(instance.id)
    return tuple(
        TargetGroup(release=release, registered=tuple(registered), draining=tuple(draining))
        for release, (registered, draining) in sorted(members.items())
    )


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
    running, room = releases_running(fleet), room_left(goal, fleet)
    for release, wanted in goal.want.items():
        mine = [i for i in fleet.of(release) if i.up and i.id not in leaving]
        ready = sum(i.ready(now, goal.warmup) for i in mine)
        count = (
            0 if fleet.sizes is not None else min(wanted - sum(not is_sick(i, goal, fleet, now) for i in mine), room)
        )
        if count > 0 and not (goal.alone and running - {release}):
            wait = waits_after_exits(fleet, release, goal.started_at, now)
            if wait:
                waits.append(wait)
            else:
                launches.append(Launch(release=release, count=count))
                room -= count
        if ready < wanted:
            waits.append(AwaitHealthy(release=release, ready=ready, wanted=wanted, until=goal.until))
    return tuple(launches), tuple(waits)
