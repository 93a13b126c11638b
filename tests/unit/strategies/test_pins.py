"""Releases that are reached without a share: by whom, and for how long."""

from dataclasses import replace

from tests.unit.strategies.fleets import NEW, NOW, OLD, fleet, rollout, some

from crossfade.core.actions import Action, Drain, Finish, Launch, RollBack, Shift, StartBake, Stop
from crossfade.core.fleet import Fleet, Health
from crossfade.core.rollout import State
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Strategy
from crossfade.strategies.decide import decide
from crossfade.strategies.keep import keep

PINS = rollout(pins=True, step=1)  # blue-green, at its switch
ROLLING = rollout("rolling", pins=True, replicas=1, min_healthy=100, max_surge=100)
PAGES = rollout("rolling", replicas=2, min_healthy=100, max_surge=50, keep_assets=10.0)  # nobody stays, all read pages


def routing(actions: tuple[Action, ...], seen: Fleet) -> Routing:
    """The routing that is asked for; what is there when none is."""
    return next((one.routing for one in actions if isinstance(one, Shift)), seen.routing)


def held(seen: Fleet, now: float, *, warm: bool = False) -> tuple[Action, ...]:
    """Between rollouts, with release 2 as the current one."""
    standby = {OLD: now + 600.0} if warm else {}
    return keep(NEW, 2, Strategy(), seen, now, warm=standby, drain=30.0, pins=True)


def test_visitors_of_the_old_release_stay_in_the_switch() -> None:
    """It has no share any more, and its own visitors still reach it."""
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100}, preview=NEW)
    asked = routing(decide(PINS, seen, NOW), seen)
    assert (asked.weights, asked.pinned) == (((NEW, 100),), (OLD,))
    assert asked.serving() == {"2-0", "2-1"}
    assert asked.answering() == {"1-0", "1-1", "2-0", "2-1"}


def test_without_the_word_of_the_file_nobody_stays() -> None:
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100}, preview=NEW)
    assert routing(decide(replace(PINS, pins=False), seen, NOW), seen).pinned == ()


def test_a_kept_release_keeps_its_visitors() -> None:
    """As long as it is warm, however long ago the switch was."""
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100}, pinned={OLD: NOW - 500})
    assert routing(held(seen, NOW, warm=True), seen).pinned == (OLD,)


def test_one_that_is_to_go_is_held_for_its_drain_and_then_drained() -> None:
    """30 s after it lost its share it gets nothing new, and only after that it is stopped."""
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100}, pinned={OLD: NOW})
    waits = held(seen, NOW + 29)
    assert routing(waits, seen) == seen.routing
    assert Drain(instances=("1-0", "1-1"), until=NOW + 30) in waits
    assert not any(isinstance(one, Stop) for one in waits)
    asked = routing(held(seen, NOW + 30), seen)
    assert (asked.pinned, asked.draining()) == ((), {"1-0", "1-1"})


def test_in_a_rolling_deploy_the_last_old_instance_is_held() -> None:
    """The new one gets all newcomers at once; who has a page of the old release gets the rest of it, too."""
    seen = fleet(some(OLD, 1), some(NEW, 1), weights={OLD: 1, NEW: 1})
    asked = routing(decide(ROLLING, seen, NOW), seen)
    assert (asked.weights, asked.pinned, asked.draining()) == (((NEW, 100),), (OLD,), frozenset())
    later = fleet(some(OLD, 1), some(NEW, 1), weights={NEW: 100}, pinned={OLD: NOW})
    assert routing(decide(ROLLING, later, NOW + 31), later).draining() == {"1-0"}


def test_all_visitors_leave_a_release_that_is_taken_back() -> None:
    """A bad one, and one that a person goes back from: whoever had it gets the good one at once."""
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100}, pinned={OLD: NOW - 5})
    back = replace(PINS, state=State.ROLLING_BACK, reason="errors")
    asked = routing(decide(back, seen, NOW), seen)
    assert (asked.weights, asked.pinned) == (((OLD, 100),), ())
    left = rollout("rollback", pins=True, back=True)
    asked = routing(decide(left, fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100}), NOW), seen)
    assert (asked.weights, asked.pinned) == (((NEW, 100),), ())


def test_who_stays_with_a_release_that_dies_is_let_go() -> None:
    """One without a healthy instance is reached by nobody; its visitors are new again, and do not come back to it."""
    seen = fleet(some(OLD, 2, Health.UNHEALTHY), some(NEW, 2), weights={NEW: 100}, pinned={OLD: NOW})
    assert routing(held(seen, NOW), seen).pinned == ()
    well = fleet(some(OLD, 2, draining_since=NOW), some(NEW, 2), weights={NEW: 100})
    assert routing(held(well, NOW + 1), well).pinned == ()


def test_what_must_not_run_twice_has_nobody_who_stays() -> None:
    seen = fleet(some(OLD, 2), weights={OLD: 100})
    assert routing(decide(rollout("recreate", pins=True), seen, NOW), seen).answering() == frozenset()


def test_a_release_from_before_the_last_one_keeps_its_visitors_while_there_is_room() -> None:
    """A third release begins: the first one's time runs from its own switch."""
    third = replace(PINS, source=NEW, target=3, step=0)
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100}, pinned={OLD: NOW - 10})
    assert routing(decide(third, seen, NOW), seen).pinned == (OLD,)
    assert routing(decide(third, seen, NOW + 20), seen).pinned == ()


def test_pages_of_the_old_release_are_read_once_its_last_instance_lost_its_share() -> None:
    """It stays registered for 10 s, for what only it has; the rollout goes on meanwhile. Then it drains."""
    seen = fleet(some(OLD, 1), some(NEW, 2), weights={OLD: 1, NEW: 2})
    asked = routing(decide(PAGES, seen, NOW), seen)
    old = TargetGroup(release=OLD, registered=("1-0",))
    assert (asked.weights, asked.pinned, asked.groups[0]) == (((NEW, 100),), (), old)
    kept = fleet(some(OLD, 1), some(NEW, 2), weights={NEW: 100}, unshared={OLD: NOW}, preview=NEW)
    assert decide(PAGES, kept, NOW + 1) == (StartBake(step=0),)
    done = decide(replace(PAGES, holding_since=NOW + 1), kept, NOW + 1)
    assert isinstance(done[0], Finish)
    later = decide(PAGES, kept, NOW + 10)
    assert routing(later, kept).draining() == {"1-0"}


def test_only_the_last_old_instance_waits_for_pages() -> None:
    """Those before it drain at once: another of their release is asked."""
    seen = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 2, NEW: 1})
    assert routing(decide(PAGES, seen, NOW), seen).draining() == {"1-0"}


def between(seen: Fleet, now: float, replicas: int = 2) -> tuple[Action, ...]:
    return keep(NEW, replicas, PAGES.strategy, seen, now, warm={}, drain=30.0)


def test_pages_are_read_after_the_rollout_ended() -> None:
    """The time counts from the switch, whoever looks on; then the release drains and goes."""
    seen = fleet(some(OLD, 1), some(NEW, 2), weights={NEW: 100}, unshared={OLD: NOW})
    assert between(seen, NOW + 9) == (Drain(instances=("1-0",), until=NOW + 10),)
    assert routing(between(seen, NOW + 10), seen).draining() == {"1-0"}


def test_an_instance_that_is_missing_comes_before_pages() -> None:
    """One of two is dead: where no more than two may run, the one that is kept makes room for it."""
    tight = replace(PAGES.strategy, min_healthy=50, max_surge=0)
    seen = fleet(some(OLD, 1), some(NEW, 1), weights={NEW: 100}, unshared={OLD: NOW})
    asked = routing(keep(NEW, 2, tight, seen, NOW + 1, warm={}, drain=30.0), seen)
    assert asked.draining() == {"1-0"}
    assert between(seen, NOW + 1)[0] == Launch(release=NEW, count=1)
    assert routing(between(seen, NOW + 1), seen).draining() == frozenset()


def test_a_restart_waits_for_pages_where_there_is_no_room() -> None:
    """Nobody is missing: those that are to be replaced serve as before."""
    tight = replace(PAGES.strategy, min_healthy=50, max_surge=0)
    seen = fleet(some(OLD, 1), some(NEW, 2, outdated=True), weights={NEW: 100}, unshared={OLD: NOW})
    asked = routing(keep(NEW, 2, tight, seen, NOW + 1, warm={}, drain=30.0), seen)
    assert "1-0" in asked.registered()


def test_a_rolling_deploy_without_room_waits_for_pages() -> None:
    """Where no more may run, the last new one comes when the last old one is gone, and has time for that."""
    tight = rollout("rolling", replicas=2, min_healthy=50, max_surge=0, keep_assets=10.0, timeout=5.0, drain=1.0)
    seen = fleet(some(OLD, 1), some(NEW, 1), weights={NEW: 100}, unshared={OLD: NOW}, preview=NEW)
    assert not any(isinstance(one, Launch | Shift) for one in decide(tight, seen, NOW + 9))
    gone = fleet(some(NEW, 1), weights={NEW: 100})
    assert decide(tight, gone, NOW + 14)[0] == Launch(release=NEW, count=1)


def test_only_who_got_its_place_late_has_the_time_of_pages_more() -> None:
    """One that hangs is taken back after its timeout; one that waited 30 s for its place has its timeout after that."""
    slow = rollout(replicas=1, keep_assets=60.0, timeout=20.0)
    for launched, given in ((NOW, 20.0), (NOW + 30, 50.0), (NOW + 70, 80.0)):
        seen = fleet(some(OLD, 1), some(NEW, 1, Health.STARTING, launched_at=launched), weights={OLD: 100}, preview=NEW)
        assert not any(isinstance(one, RollBack) for one in decide(slow, seen, NOW + given - 1))
        assert isinstance(decide(slow, seen, NOW + given)[0], RollBack)


def test_pages_of_a_release_that_is_taken_back_are_read_too() -> None:
    """It is over once the good one has all visitors; the bad one is asked for its own pages' parts alone."""
    back = replace(PAGES, state=State.ROLLING_BACK, reason="errors")
    seen = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 2, NEW: 1})
    asked = routing(decide(back, seen, NOW), seen)
    assert (asked.weights, asked.pinned, asked.registered()) == (((OLD, 100),), (), {"1-0", "1-1", "2-0"})
    kept = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 100}, unshared={NEW: NOW})
    assert decide(back, kept, NOW + 1) == (Finish(state=State.ROLLED_BACK, reason="errors"),)


def test_a_release_that_had_no_visitors_sent_no_pages() -> None:
    """One in preview goes at once when it is taken back."""
    back = rollout(keep_assets=10.0, state=State.ROLLING_BACK, reason="not healthy")
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100}, preview=NEW)
    assert routing(decide(back, seen, NOW), seen).draining() == {"2-0", "2-1"}


def test_visitors_of_a_short_drain_stay_as_long_as_pages_are_read() -> None:
    """Pinned for its drain of 1 s, the release is reached for 10."""
    brief = rollout("rolling", pins=True, replicas=1, keep_assets=10.0, drain=1.0)
    seen = fleet(some(OLD, 1), some(NEW, 1), weights={NEW: 100}, pinned={OLD: NOW})
    assert routing(decide(brief, seen, NOW + 9), seen).pinned == (OLD,)
    assert routing(decide(brief, seen, NOW + 10), seen).draining() == {"1-0"}
