"""Moving a fleet towards a goal: who is launched, routed, drained and stopped, with worked numbers."""

from typing import Any

import pytest
from tests.unit.strategies.fleets import NEW, NOW, OLD, exits, fleet, some

from crossfade.core.actions import AwaitHealthy, Drain, Hold, Launch, Shift, Stop
from crossfade.core.fleet import Fleet, Health
from crossfade.core.routing import Routing, TargetGroup
from crossfade.strategies.back_off import back_off
from crossfade.strategies.course import Course, toward
from crossfade.strategies.goal import Goal
from crossfade.strategies.phases import Bounds


def goal(want: dict[int, int], shares: dict[int, int] | None = None, **traits: Any) -> Goal:
    known: dict[str, Any] = {"bounds": Bounds(floor=0, ceiling=10), "drain": 30.0, **traits}
    return Goal(want=want, shares=shares, **known)


def routing(course: Course) -> Routing:
    """The routing that is asked for."""
    return next(effect.routing for effect in course.effects if isinstance(effect, Shift))


def launched(course: Course) -> dict[int, int]:
    return {effect.release: effect.count for effect in course.effects if isinstance(effect, Launch)}


def stopped(course: Course) -> list[str]:
    return [effect.instance for effect in course.effects if isinstance(effect, Stop)]


def draining(count: int, since: float, **traits: Any) -> Fleet:
    """Two new ones that serve, and old ones that drain."""
    return fleet(some(NEW, 2), some(OLD, count, draining_since=since, **traits), weights={NEW: 100})


def test_back_off_doubles_up_to_a_minute() -> None:
    """After the first failure at once, then 1, 2, 4 ... seconds, 60 at most."""
    assert [back_off(failures) for failures in range(11)] == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("ats", "wait"),
    [
        ((1000.0,), None),
        ((999.9, 1000.0), None),  # one moment: a reboot is no crash loop
        ((998.0, 1000.0), 1001.0),
        ((996.0, 998.0, 1000.0), 1002.0),
        ((999.2, 999.6, 1000.0), 1001.0),  # a fast loop: 999.2 and 999.6 are one moment, 1000.0 is the next
        ((998.0, 998.9), None),  # its second is over
        ((200.0, 300.0, 390.0, 1000.0), None),  # ten minutes are forgiven
        ((998.0, 1500.0), None),  # an exit that lies ahead: the clock went back
    ],
)
def test_launches_wait_after_exits(ats: tuple[float, ...], wait: float | None) -> None:
    """The next launch waits longer the more often the release failed of late."""
    course = toward(goal({NEW: 1}), fleet(exits=exits(NEW, *ats)), NOW)
    holds = [each.until for each in course.waits if isinstance(each, Hold)]
    assert holds == ([] if wait is None else [wait])
    assert launched(course) == ({NEW: 1} if wait is None else {})


def test_a_clock_that_went_back_past_the_start_does_not_let_a_crash_loop_run_free() -> None:
    """With a start that lies ahead the exits of the last ten minutes count."""
    seen = fleet(exits=exits(NEW, 995.0, 998.0, 1000.0))
    assert launched(toward(goal({NEW: 1}, started_at=4600.0), seen, NOW)) == {}


def test_exits_before_the_rollout_do_not_slow_it_down() -> None:
    """What a release did in an earlier rollout is forgiven when it is tried again."""
    seen = fleet(exits=exits(NEW, 990.0, 995.0, 999.0))
    assert launched(toward(goal({NEW: 1}, started_at=999.5), seen, NOW)) == {NEW: 1}


def test_a_fleet_grows_to_the_ceiling() -> None:
    """With 3 old and a ceiling of 5 two of four are launched now, those in their grace counted."""
    seen = fleet(some(OLD, 3), weights={OLD: 100})
    assert launched(toward(goal({NEW: 4, OLD: 3}, bounds=Bounds(floor=3, ceiling=5)), seen, NOW)) == {NEW: 2}
    seen = fleet(some(OLD, 2), some(OLD, 1, first=2, stopping=True), weights={OLD: 100})
    assert launched(toward(goal({NEW: 4, OLD: 2}, bounds=Bounds(floor=2, ceiling=5)), seen, NOW)) == {NEW: 2}


def test_who_starts_is_waited_for() -> None:
    """The wait says how many are ready of how many, and until when."""
    seen = fleet(some(NEW, 1), some(NEW, 1, Health.STARTING, first=1))
    course = toward(goal({NEW: 2}, until=1600.0), seen, NOW)
    assert AwaitHealthy(release=NEW, ready=1, wanted=2, until=1600.0) in course.waits


def test_the_floor_holds_the_old_until_the_new_are_ready() -> None:
    """Of 4 old with a floor of 3 one goes; a new one that is still starting frees nobody, a ready one does."""
    bounds = Bounds(floor=3, ceiling=6)
    seen = fleet(some(OLD, 4), some(NEW, 1, Health.STARTING), weights={OLD: 4})
    first = routing(toward(goal({NEW: 4, OLD: 0}, bounds=bounds), seen, NOW))
    assert first.groups == (TargetGroup(release=OLD, registered=("1-1", "1-2", "1-3"), draining=("1-0",)),)
    seen = fleet(some(OLD, 1, draining_since=NOW), some(OLD, 3, first=1), some(NEW, 1), weights={OLD: 3, NEW: 1})
    second = routing(toward(goal({NEW: 4, OLD: 0}, bounds=bounds), seen, NOW))
    assert second.groups[0] == TargetGroup(release=OLD, registered=("1-2", "1-3"), draining=("1-0", "1-1"))


def test_what_faults_took_is_not_ours_to_take_again() -> None:
    """With a floor of 3 and only 2 healthy left nobody that serves goes."""
    seen = fleet(some(OLD, 2), some(OLD, 1, Health.STARTING, first=2), weights={OLD: 2})
    course = toward(goal({NEW: 3, OLD: 0}, bounds=Bounds(floor=3, ceiling=6)), seen, NOW)
    assert stopped(course) == ["1-2"]
    assert not any(isinstance(effect, Shift) for effect in course.effects)


def test_the_least_useful_go_first() -> None:
    """Of four, of whom two are to stay: the one that starts, then the youngest; the oldest keep their warm caches."""
    seen = fleet(
        some(OLD, 2),
        some(OLD, 1, Health.HEALTHY, first=2, launched_at=900.0),
        some(OLD, 1, Health.STARTING, first=3),
        weights={OLD: 100},
    )
    course = toward(goal({OLD: 2}, {OLD: 100}), seen, NOW)
    assert stopped(course) == ["1-3"]
    assert routing(course).draining() == {"1-2"}


def test_who_got_well_while_it_drained_is_more_use_than_the_sick() -> None:
    """Of two draining ones that recovered and their two sick replacements, the replacements go."""
    well, ill = some(OLD, 2, draining_since=NOW - 5), some(OLD, 2, Health.UNHEALTHY, first=2)
    course = toward(goal({OLD: 2}, {OLD: 100}), fleet(well, ill), NOW)
    assert routing(course).serving() == {"1-0", "1-1"}
    assert stopped(course) == ["1-2", "1-3"]


def test_what_goes_goes_on_going() -> None:
    """Of two of whom one is to stay, the one that drains already goes, although the other is younger."""
    seen = fleet(some(OLD, 1, launched_at=500.0), some(OLD, 1, first=1, draining_since=NOW), weights={OLD: 100})
    assert stopped(toward(goal({OLD: 1}, {OLD: 100}), seen, NOW)) == ["1-1"]


def test_strangers_are_no_reserve() -> None:
    """With capacity below the floor a healthy instance of a release that nobody asked for still leaves."""
    seen = fleet(some(OLD, 1), some(7, 1, draining_since=NOW), weights={OLD: 100})
    course = toward(goal({NEW: 2, OLD: 0}, bounds=Bounds(floor=2, ceiling=4)), seen, NOW)
    assert stopped(course) == ["7-0"]


def test_the_floor_holds_also_while_everybody_warms_up() -> None:
    """A new controller takes all that serve for just healthy: nobody of them goes before enough have warmed up."""
    warming = some(OLD, 2, healthy_since=NOW - 1)
    seen, aim = (
        fleet(warming, weights={OLD: 100}),
        goal({NEW: 2, OLD: 0}, bounds=Bounds(floor=1, ceiling=4), warmup=40.0),
    )
    assert not any(isinstance(effect, Shift) for effect in toward(aim, seen, NOW).effects)
    assert routing(toward(aim, seen, NOW + 40)).serving() == {"1-1"}


def test_one_that_drains_is_taken_back_in_when_those_after_it_fail() -> None:
    """The last old instance has not been stopped yet when the new one loses its health: it serves again."""
    seen = fleet(some(OLD, 1, draining_since=NOW - 5), some(NEW, 1, Health.UNHEALTHY), weights={NEW: 100})
    course = toward(goal({NEW: 1, OLD: 0}, bounds=Bounds(floor=1, ceiling=3)), seen, NOW)
    assert routing(course).serving() == {"1-0"}
    assert stopped(course) == []


def test_a_sick_one_makes_room_only_when_there_is_none() -> None:
    """Beside an unhealthy instance its replacement is launched; without room it goes first."""
    sick = some(OLD, 1, Health.UNHEALTHY, first=1, draining_since=NOW - 60)
    seen = fleet(some(OLD, 1), sick, weights={OLD: 100})
    roomy = toward(goal({OLD: 2}, {OLD: 100}, bounds=Bounds(floor=2, ceiling=3)), seen, NOW)
    assert (launched(roomy), stopped(roomy)) == ({OLD: 1}, [])
    crowded = toward(goal({OLD: 2}, {OLD: 100}, bounds=Bounds(floor=1, ceiling=2)), seen, NOW)
    assert (launched(crowded), stopped(crowded)) == ({}, ["1-1"])


def test_one_that_recovers_is_taken_back_in() -> None:
    """An instance that got its health back while it drained is registered again."""
    seen = fleet(some(OLD, 1), some(OLD, 1, first=1, draining_since=NOW - 5), weights={OLD: 100})
    assert routing(toward(goal({OLD: 2}, {OLD: 100}), seen, NOW)).registered() == {"1-0", "1-1"}


def test_patience_ends_for_one_that_never_starts() -> None:
    """After the patience a starting instance counts as sick and is replaced; before, it is waited for."""
    seen = fleet(some(OLD, 1, Health.STARTING, launched_at=NOW - 61))
    assert launched(toward(goal({OLD: 1}, patience=60.0), seen, NOW)) == {OLD: 1}
    assert launched(toward(goal({OLD: 1}, patience=120.0), seen, NOW)) == {}


def test_strangers_leave_gently() -> None:
    """Instances of a release that nobody asked for lose the balancer's registration first and are stopped then."""
    seen = fleet(some(OLD, 2), some(7, 1), weights={OLD: 100})
    course = toward(goal({OLD: 2}, {OLD: 100}), seen, NOW)
    assert stopped(course) == []
    assert routing(course).draining() == {"7-0"}
    after = fleet(some(OLD, 2), some(7, 1, draining_since=NOW), weights={OLD: 100})
    assert stopped(toward(goal({OLD: 2}, {OLD: 100}), after, NOW)) == ["7-0"]


def test_what_exited_is_cleared_away_and_replaced() -> None:
    """An exited instance is nobody's capacity: it leaves the routing, is cleared away, and another is launched."""
    gone = Fleet(
        instances=(*some(OLD, 1), *some(OLD, 1, Health.EXITED, first=1)),
        routing=Routing(groups=(TargetGroup(release=OLD, registered=("1-0", "1-1")),), weights=((OLD, 100),)),
    )
    course = toward(goal({OLD: 2}, {OLD: 100}), gone, NOW)
    assert (launched(course), stopped(course), routing(course).registered()) == ({OLD: 1}, ["1-1"], {"1-0"})


@pytest.mark.parametrize(
    ("in_flight", "waited", "stops"), [(0, 0.0, True), (1, 0.0, False), (1, 29.9, False), (1, 30.0, True)]
)
def test_requests_in_flight_have_the_delay(in_flight: int, waited: float, stops: bool) -> None:
    """An idle instance is stopped as soon as it gets no new requests; a busy one after 30 s at the latest."""
    course = toward(goal({NEW: 2, OLD: 0}, {NEW: 100}), draining(1, NOW - waited, in_flight=in_flight), NOW)
    assert (stopped(course) == ["1-0"]) is stops
    if not stops:
        assert course.waits == (Drain(instances=("1-0",), until=NOW - waited + 30.0),)


@pytest.mark.parametrize(
    ("left", "waited", "stops"),
    [
        (3, 9.9, []),
        (3, 10.0, ["1-0"]),
        (2, 19.9, []),
        (2, 20.0, ["1-0"]),
        (1, 29.9, []),
        (1, 30.0, ["1-0"]),
        (3, 30.0, ["1-0", "1-1", "1-2"]),
    ],
)
def test_streams_close_one_instance_after_the_other(left: int, waited: float, stops: list[str]) -> None:
    """Three instances with WebSockets and 30 s leave at 10, 20 and 30 s; the last two still do when one is gone."""
    seen = draining(left, NOW - waited, streams=5)
    assert stopped(toward(goal({NEW: 3, OLD: 0}, {NEW: 100}), seen, NOW)) == stops


def test_whoever_is_still_registered_is_not_stopped() -> None:
    """A routing that was asked for is not one that was confirmed."""
    seen = fleet(some(NEW, 2), some(OLD, 2), weights={NEW: 100})
    assert stopped(toward(goal({NEW: 2, OLD: 0}, {NEW: 100}), seen, NOW)) == []


@pytest.mark.parametrize(("ready", "weights"), [(4, ((OLD, 90), (NEW, 10))), (3, ((OLD, 100),)), (0, ((OLD, 100),))])
def test_a_share_grows_only_with_enough_to_carry_it(ready: int, weights: tuple[tuple[int, int], ...]) -> None:
    """The step to 10 % waits for all four; with three it stays at nothing, as it does with none."""
    rest = some(NEW, 4 - ready, Health.STARTING, first=ready)
    seen = fleet(some(OLD, 4), some(NEW, ready), rest, weights={OLD: 100})
    course = toward(goal({NEW: 4, OLD: 4}, {NEW: 10, OLD: 90}, enough=4), seen, NOW)
    asked = routing(course) if any(isinstance(e, Shift) for e in course.effects) else seen.routing
    assert asked.weights == weights


def test_a_share_that_is_there_is_not_taken_for_want_of_one_instance() -> None:
    """At 50 % with one of four gone the weights stay; only growing asks for all."""
    seen = fleet(some(OLD, 4), some(NEW, 3), weights={OLD: 50, NEW: 50})
    course = toward(goal({NEW: 4, OLD: 4}, {NEW: 50, OLD: 50}, enough=4), seen, NOW)
    assert not any(isinstance(effect, Shift) for effect in course.effects)


def test_whoever_can_answer_does() -> None:
    """When the old release is gone altogether, one ready instance of the new one is better than nobody."""
    seen = fleet(some(OLD, 2, Health.UNHEALTHY), some(NEW, 1), weights={OLD: 100})
    course = toward(goal({NEW: 2, OLD: 2}, {NEW: 10, OLD: 90}, enough=2), seen, NOW)
    assert routing(course).serving() == {"2-0"}


def test_the_fallback_answers_when_the_switch_leaves_nobody() -> None:
    """All traffic is on the new release and it dies: the old one, still warm, answers until there is a verdict."""
    seen = fleet(some(OLD, 2), some(NEW, 2, Health.UNHEALTHY), weights={NEW: 100})
    course = toward(goal({NEW: 2, OLD: 2}, {NEW: 100, OLD: 0}, enough=2, fallback=OLD), seen, NOW)
    assert routing(course).serving() == {"1-0", "1-1"}


def test_a_closed_release_gets_no_clients() -> None:
    """Registered for the preview, but without weight, also where traffic follows the instances."""
    seen = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 2})
    course = toward(goal({NEW: 2, OLD: 2}, closed=frozenset({NEW}), preview=NEW), seen, NOW)
    assert routing(course).weights == ((OLD, 100),)
    assert routing(course).preview == NEW


def test_traffic_follows_the_instances_without_shares() -> None:
    """Two old and one new get two thirds and one third."""
    seen = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 2})
    assert routing(toward(goal({NEW: 1, OLD: 2}), seen, NOW)).weights == ((OLD, 2), (NEW, 1))


def test_alone_waits_until_the_others_are_gone() -> None:
    """With recreate nothing is launched while an instance of another release still has its grace."""
    last = fleet(some(OLD, 1, stopping=True, draining_since=NOW))
    assert launched(toward(goal({NEW: 2, OLD: 0}, alone=True), last, NOW)) == {}
    assert launched(toward(goal({NEW: 2, OLD: 0}, alone=True), fleet(), NOW)) == {NEW: 2}


def test_a_goal_is_reached_when_nothing_is_left_to_do() -> None:
    """All that is needed is ready, nobody has to go, and the balancer runs what it should."""
    reached = fleet(some(NEW, 2), weights={NEW: 100})
    assert toward(goal({NEW: 2, OLD: 0}, {NEW: 100}, need=NEW), reached, NOW) == Course(
        effects=(), waits=(), reached=True
    )
    assert not toward(goal({NEW: 3, OLD: 0}, {NEW: 100}, need=NEW), reached, NOW).reached
    assert not toward(goal({NEW: 2, OLD: 0}, {NEW: 100}, need=NEW), draining(1, NOW, in_flight=1), NOW).reached


def test_a_broken_source_keeps_no_goal_from_being_reached() -> None:
    """While the old release waits for its next try, the new one is all that is needed."""
    seen = fleet(some(NEW, 2), weights={NEW: 100}, exits=exits(OLD, 990.0, 995.0, 999.9))
    course = toward(goal({NEW: 2, OLD: 2}, {NEW: 100}, need=NEW), seen, NOW)
    assert course.reached
    assert any(isinstance(wait, Hold) for wait in course.waits)
