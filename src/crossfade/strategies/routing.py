"""The routing that a goal asks for now: which releases get requests, in which parts, and who only finishes theirs."""

from collections.abc import Collection, Mapping

from crossfade.core.actions import Drain
from crossfade.core.fleet import Fleet, Health
from crossfade.core.routing import Routing, TargetGroup, weights_of
from crossfade.strategies.goal import Goal, count_ready, lacks_room, tally
from crossfade.strategies.sizes import parting


def shares_of(goal: Goal, fleet: Fleet, now: float) -> dict[int, int]:
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


def routing_of(
    goal: Goal, fleet: Fleet, shares: Mapping[int, int], leaving: frozenset[str], now: float
) -> tuple[Routing, frozenset[str], tuple[Drain, ...]]:
    """Who gets requests, and who of those that leave is held because it is still reached, with what is waited for."""
    counts = tally(i for i in fleet.instances if i.usable and i.id not in leaving)
    parts = counts if goal.shares is None else shares
    weights = weights_of({r: part for r, part in parts.items() if r in shares and r in counts})
    preview = _preview(goal, fleet, weights, there=(goal.preview or 0) in counts)
    pins = goal.pins if fleet.sizes is None else None
    held = pins.held(fleet, dict(weights), goal.want, goal.drain, now) if pins else {}
    if not (pins and held):
        return Routing(groups=_groups(fleet, leaving), weights=weights, preview=preview), frozenset(), ()
    stays = pins.stays(fleet, dict(weights))
    if goal.urgent and lacks_room(goal, fleet, now):
        held = {release: until for release, until in held.items() if release in stays}
    stay = leaving & {i for g in fleet.routing.groups if g.release in held for i in g.registered}
    groups = _groups(fleet, leaving - stay)
    usable = {group.release for group in groups if group.registered}
    routing = Routing(
        groups=groups,
        weights=weights,
        preview=preview,
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


def lead_of(goal: Goal, routing: Routing) -> int:
    """Whose settings expose the service: the release that comes, once it has traffic; else the one that has most.

    Who stands in between rollouts is asked where the release is that it stands in for: its ports, its certificates, and
    whom it lets in.
    """
    if goal.preview is not None and routing.weight(goal.preview):
        return goal.preview
    if goal.preview is None and routing.weight(goal.fallback or 0):
        return goal.lead
    return max(routing.weights, key=lambda weight: weight[1], default=(goal.lead, 0))[0]
