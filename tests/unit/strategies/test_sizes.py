"""Platforms that are told sizes and have room for few releases at a time."""

from dataclasses import replace

from tests.unit.strategies.fleets import NEW, NOW, OLD, fleet, rollout, some

from crossfade.core.actions import Action, AwaitHealthy, Finish, Probe, Resize, Shift
from crossfade.core.fleet import Fleet, Health
from crossfade.core.rollout import State
from crossfade.core.service import Strategy
from crossfade.strategies.decide import decide
from crossfade.strategies.goal import Goal
from crossfade.strategies.keep import keep
from crossfade.strategies.phases import Bounds
from crossfade.strategies.sizes import resizes

OLDER = 0  # before OLD, and still warm


def sized(seen: Fleet, sizes: dict[int, int], places: int | None = 2) -> Fleet:
    return replace(seen, sizes=tuple(sorted(sizes.items())), places=places)


def first(seen: Fleet) -> tuple[Action, ...]:
    return decide(rollout(), seen, NOW)


def test_a_release_grows_where_there_is_room() -> None:
    """With one place free the target grows at once, beside the source."""
    seen = sized(fleet(some(OLD, 2), weights={OLD: 100}), {OLD: 2})
    assert first(seen) == (Resize(release=NEW, count=2),)


def test_a_preview_is_told_while_its_instances_boot() -> None:
    """A routing takes seconds to arrive there: told once they are ready, it would hold the rollout up."""
    booting = some(NEW, 2, Health.STARTING)
    (shift, *_) = first(sized(fleet(some(OLD, 2), booting, weights={OLD: 100}), {OLD: 2, NEW: 2}))
    assert isinstance(shift, Shift)
    assert (shift.routing.preview, shift.routing.weights) == (NEW, ((OLD, 100),))


def test_a_preview_ends_with_the_switch() -> None:
    """Who has all visitors is seen by them: one routing less, and it is still asked where too few of them come."""
    ready = sized(fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100}, preview=NEW), {OLD: 2, NEW: 2})
    (shift,) = decide(rollout(step=1), ready, NOW)
    assert isinstance(shift, Shift)
    assert (shift.routing.preview, shift.routing.weights) == (None, ((NEW, 100),))
    baked = rollout(bake=1.0, min_requests=5, inconclusive="probe", step=1, holding_since=NOW - 10)
    seen = sized(fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100}), {OLD: 2, NEW: 2})
    assert decide(baked, seen, NOW) == (Probe(release=NEW, count=5),)


def test_a_release_waits_for_a_place() -> None:
    """With a warm one in the other place that one is sent home first, and nothing is asked for that cannot be."""
    seen = sized(fleet(some(OLDER, 2), some(OLD, 2), weights={OLD: 100}), {OLDER: 2, OLD: 2})
    (shift,) = first(seen)
    assert isinstance(shift, Shift)
    assert shift.routing.groups[0].draining == ("0-0", "0-1")
    gone = some(OLDER, 2, stopping=True)
    assert first(sized(fleet(gone, some(OLD, 2), weights={OLD: 100}), {OLD: 2}))[0] != Resize(release=NEW, count=2)
    assert first(sized(fleet(some(OLD, 2), weights={OLD: 100}), {OLD: 2})) == (Resize(release=NEW, count=2),)


def test_as_many_as_there_are_where_nothing_limits_it() -> None:
    """Without a number of places a third release grows beside both."""
    seen = sized(fleet(some(OLDER, 2), some(OLD, 2), weights={OLD: 100}), {OLDER: 2, OLD: 2}, places=None)
    assert Resize(release=NEW, count=2) not in first(seen)  # two times the fleet run already
    seen = sized(fleet(some(OLDER, 1), some(OLD, 2), weights={OLD: 100}), {OLDER: 1, OLD: 2}, places=None)
    assert first(seen)[0] == Resize(release=NEW, count=1)


def test_weight_stays_where_the_next_that_is_healthy_will_be() -> None:
    """Of a release whose instances all are ill the platform starts others and registers them: it keeps its weight."""
    ill = some(NEW, 2, Health.UNHEALTHY, stopping=True)
    starting = some(NEW, 2, Health.STARTING, first=2)
    routing = fleet(some(NEW, 2), weights={NEW: 100}).routing
    seen = replace(sized(fleet(ill, starting), {NEW: 2}), routing=routing)
    assert kept(NEW, seen) == (AwaitHealthy(release=NEW, ready=0, wanted=2, until=None),)
    (shift,) = (action for action in kept(None, seen) if isinstance(action, Shift))
    assert shift.routing.weights == ()


def test_weight_leaves_what_has_to_go_first() -> None:
    """One instance, floor 0 and no room for a second: the old one gets nothing new although nobody else is there."""
    seen = sized(fleet(some(OLD, 1), weights={OLD: 100}), {OLD: 1})
    (shift,) = decide(rollout("rolling", replicas=1, min_healthy=0, max_surge=0), seen, NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ()


def kept(current: int | None, seen: Fleet) -> tuple[Action, ...]:
    return keep(current, 2, Strategy(), seen, NOW, warm={}, drain=0.0)


def test_what_a_failed_way_back_left_serves_on_and_makes_room() -> None:
    """It has the good one's last place: it gives that up first, and its visitors only when the good one is whole."""
    rolling = Strategy(name="rolling", min_healthy=100, max_surge=25)

    def kept(seen: Fleet, sizes: dict[int, int]) -> tuple[Action, ...]:
        return keep(OLD, 4, rolling, sized(seen, sizes), NOW, warm={}, drain=0.0)

    crowded = fleet(some(OLD, 3), some(NEW, 2), weights={OLD: 3, NEW: 2})
    assert kept(crowded, {OLD: 3, NEW: 2}) == (Resize(release=NEW, count=1),)
    going = fleet(some(OLD, 3), some(NEW, 1), some(NEW, 1, first=1, stopping=True), weights={OLD: 3, NEW: 2})
    assert not any(
        isinstance(action, Shift) and action.routing.weights == ((OLD, 100),)
        for action in kept(going, {OLD: 3, NEW: 1})
    )
    roomy = fleet(some(OLD, 3), some(NEW, 1), weights={OLD: 3, NEW: 1})
    assert Resize(release=OLD, count=4) in kept(roomy, {OLD: 3, NEW: 1})
    whole = fleet(some(OLD, 4), some(NEW, 1), weights={OLD: 3, NEW: 1})
    (shift, *_) = kept(whole, {OLD: 4, NEW: 1})
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 100),)


def test_a_size_shrinks_by_as_many_as_may_be_lost_whichever_they_are() -> None:
    """The platform may end the one that serves rather than one that boots."""
    goal = Goal(want={OLD: 1, NEW: 0}, shares=None, bounds=Bounds(floor=1, ceiling=3))
    one = fleet(some(NEW, 1), some(NEW, 2, Health.STARTING, first=1), weights={NEW: 100})
    assert resizes(goal, sized(one, {NEW: 3}), frozenset(), NOW) == ((), ())
    two = fleet(some(NEW, 2), some(NEW, 1, Health.STARTING, first=2), weights={NEW: 100})
    assert resizes(goal, sized(two, {NEW: 3}), frozenset(), NOW) == ((), (Resize(release=NEW, count=2),))


def test_a_release_that_gets_its_traffic_back_is_not_taken_away() -> None:
    """The traffic had left the old one when one of the new ones was lost: it comes back, and nothing goes."""
    plan = rollout("rolling", min_healthy=100, max_surge=50)
    lost = fleet(some(OLD, 1), some(NEW, 1), some(NEW, 1, Health.STARTING, first=1), weights={NEW: 100})
    (shift,) = decide(plan, sized(lost, {OLD: 1, NEW: 2}), NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 1), (NEW, 1))


def test_nothing_shrinks_before_the_traffic_is_where_it_is_to_be() -> None:
    """The routing may be refused, and who had no traffic when it was told may have some by then."""
    back = rollout(state=State.ROLLING_BACK, step=1)
    lost = fleet(some(OLD, 2), some(NEW, 2, Health.STARTING), weights={OLD: 90, NEW: 10})
    (shift,) = decide(back, sized(lost, {OLD: 2, NEW: 2}), NOW)
    assert isinstance(shift, Shift)
    assert shift.routing.weights == ((OLD, 100),)
    led = replace(sized(lost, {OLD: 2, NEW: 2}), routing=shift.routing)
    assert decide(back, led, NOW) == (Resize(release=NEW, count=0),)


def test_a_way_back_ends_in_time_although_the_platform_replaces_the_good_ones_again_and_again() -> None:
    """All traffic is with them and nothing else is left: others of them each time are no reason to go on for ever."""
    back = rollout(state=State.ROLLING_BACK, step=1, reason="it is bad")
    known = fleet(some(OLD, 2), weights={OLD: 100}).routing
    there = replace(sized(fleet(some(OLD, 2, first=2), weights={OLD: 100}), {OLD: 2, NEW: 0}), routing=known)
    (shift,) = decide(back, there, NOW)
    assert isinstance(shift, Shift)
    assert decide(back, there, NOW + 5000.0) == (Finish(state=State.ROLLED_BACK, reason="it is bad"),)
