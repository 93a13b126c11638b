"""Holding a service as it is when no rollout is under way."""

from dataclasses import replace
from typing import Any

from tests.unit.strategies.fleets import NEW, NOW, OLD, exits, fleet, some

from crossfade.core.actions import Action, Hold, Launch, Shift, StandBy, Stop
from crossfade.core.fleet import Fleet, Health
from crossfade.core.service import Strategy
from crossfade.strategies.keep import keep


def kept(seen: Fleet, current: int | None = NEW, replicas: int = 2, **traits: Any) -> tuple[Action, ...]:
    strategy = traits.pop("strategy", Strategy(timeout=60.0))
    return keep(current, replicas, strategy, seen, NOW, warm=traits.pop("warm", {}), drain=30.0)


def weights(actions: tuple[Action, ...]) -> list[tuple[tuple[int, int], ...]]:
    return [action.routing.weights for action in actions if isinstance(action, Shift)]


def test_what_is_as_it_should_be_is_left_alone() -> None:
    """With nothing left to do it does nothing."""
    assert kept(fleet(some(NEW, 2), weights={NEW: 100})) == ()
    assert kept(fleet(), current=None, replicas=0) == ()


def test_what_died_is_replaced() -> None:
    """One of two is gone: one is launched, with back-off when it keeps dying."""
    assert kept(fleet(some(NEW, 1), weights={NEW: 100})) == (Launch(release=NEW, count=1),)
    dying = fleet(some(NEW, 1), weights={NEW: 100}, exits=exits(NEW, 990.0, 995.0, 999.0))
    assert Hold(why="release 2 exited 3 times, next launch waits", until=1001.0) in kept(dying)


def test_nobody_is_sent_to_what_died_before_another_is_launched() -> None:
    """Whoever listens at its port now is a stranger, and a launch takes a while."""
    seen = fleet(some(NEW, 2), weights={NEW: 100})
    died = replace(seen.instances[0], health=Health.EXITED)
    shift, launch, stop = kept(replace(seen, instances=(died, *seen.instances[1:])))
    assert isinstance(shift, Shift)
    assert shift.routing.registered() == {"2-1"}
    assert (launch, stop) == (Launch(release=NEW, count=1), Stop(instance="2-0"))


def test_what_never_gets_healthy_is_replaced() -> None:
    """A replacement that hangs in its start for longer than the timeout gives way to another one."""
    hung = some(NEW, 1, Health.STARTING, first=1, launched_at=NOW - 61)
    assert Launch(release=NEW, count=1) in kept(fleet(some(NEW, 1), hung, weights={NEW: 100}))


def test_a_service_grows_and_shrinks_to_its_size() -> None:
    """Scaled to 3 one is launched; scaled to 1 one drains."""
    seen = fleet(some(NEW, 2), weights={NEW: 100})
    assert kept(seen, replicas=3) == (Launch(release=NEW, count=1),)
    (shift,) = kept(seen, replicas=1)
    assert isinstance(shift, Shift)
    assert shift.routing.draining() == {"2-0"}


def test_the_warm_release_stands_by_until_its_time() -> None:
    """It stays registered without weight, says until when, and then leaves."""
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100})
    assert kept(seen, warm={OLD: NOW + 60}) == (StandBy(release=OLD, until=NOW + 60),)
    (shift,) = kept(seen, warm={OLD: NOW})
    assert isinstance(shift, Shift)
    assert shift.routing.draining() == {"1-0", "1-1"}


def test_the_warm_release_answers_while_all_of_the_current_one_are_dead() -> None:
    """It gets the traffic in the same look, and gives it back once enough of the current one are ready."""
    warm, dead = {OLD: NOW + 30}, some(NEW, 2, Health.EXITED)
    assert weights(kept(fleet(some(OLD, 2), dead, weights={NEW: 100}), warm=warm)) == [((OLD, 100),)]
    coming = some(NEW, 1, Health.STARTING, first=1, launched_at=NOW)
    assert weights(kept(fleet(some(OLD, 2), some(NEW, 1), coming, weights={OLD: 100}), warm=warm)) == []
    assert weights(kept(fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100}), warm=warm)) == [((NEW, 100),)]


def test_of_several_warm_releases_the_newest_answers() -> None:
    """It is the nearest to what visitors had; one whose instances are gone, too, can answer nobody."""
    dead, warm = some(3, 2, Health.EXITED), {OLD: NOW + 30, NEW: NOW + 30}
    seen = fleet(some(OLD, 2), some(NEW, 2), dead, weights={3: 100})
    assert weights(kept(seen, current=3, warm=warm)) == [((NEW, 100),)]
    seen = fleet(some(OLD, 2), some(NEW, 2, Health.EXITED), dead, weights={3: 100})
    assert weights(kept(seen, current=3, warm=warm)) == [((OLD, 100),)]


def test_who_stands_in_stays_until_the_current_release_can_answer() -> None:
    """Its time may be over meanwhile: then it goes as soon as it is not needed any more."""
    over, coming = {OLD: NOW - 1}, some(NEW, 2, Health.STARTING, launched_at=NOW)
    rolling = Strategy(name="rolling", min_healthy=0, timeout=60.0)  # no floor keeps it
    assert weights(kept(fleet(some(OLD, 2), coming, weights={OLD: 100}), warm=over, strategy=rolling)) == []
    seen = fleet(some(OLD, 2), some(NEW, 2), weights={OLD: 100})
    assert weights(kept(seen, warm=over)) == [((NEW, 100),)]
    (shift,) = kept(fleet(some(OLD, 2), some(NEW, 2), weights={NEW: 100}), warm=over)
    assert isinstance(shift, Shift)
    assert shift.routing.draining() == {"1-0", "1-1"}


def test_who_stands_in_does_so_until_there_are_enough() -> None:
    """One of two that is ready while the next launch waits is less than visitors have."""
    seen = fleet(some(OLD, 2), some(NEW, 1), weights={OLD: 100}, exits=exits(NEW, 990.0, 995.0, 999.0))
    assert weights(kept(seen, warm={OLD: NOW + 30})) == []
    assert weights(kept(seen, warm={OLD: NOW - 1})) == []
    assert weights(kept(seen)) == [((NEW, 100),)]  # the control: what is left over and not warm


def test_who_stands_in_is_asked_where_the_current_release_is() -> None:
    """At its ports and with its certificates, and nobody is let in whom it does not let in."""
    for dead in (some(NEW, 2, Health.EXITED), some(NEW, 2, Health.UNHEALTHY)):
        actions = kept(fleet(some(OLD, 2), dead, weights={NEW: 100}), warm={OLD: NOW + 30})
        shift = next(action for action in actions if isinstance(action, Shift))
        assert (shift.routing.weights, shift.lead) == (((OLD, 100),), NEW)


def test_nobody_stands_in_for_what_is_scaled_to_nothing() -> None:
    """Neither from then on, nor who did until then."""
    warm = {OLD: NOW + 30}
    assert weights(kept(fleet(some(OLD, 2), weights={NEW: 100}), replicas=0, warm=warm)) == [()]
    assert weights(kept(fleet(some(OLD, 2), weights={OLD: 100}), replicas=0, warm=warm)) == [()]


def test_nobody_stands_in_where_nobody_would_give_it_back() -> None:
    """Who looks after what a platform keeps leaves once it is settled: the platform brings the current one back."""
    seen = fleet(some(OLD, 2), some(NEW, 2, Health.EXITED), weights={NEW: 100})
    assert weights(kept(seen, warm={OLD: NOW + 30})) == [((OLD, 100),)]  # the control
    assert weights(kept(replace(seen, sizes=((OLD, 2), (NEW, 2))), warm={OLD: NOW + 30})) == []


def test_what_is_warm_and_breaks_is_not_mended() -> None:
    """Sick and hung instances of the standby go, and none is launched: otherwise it would grow with every round."""
    hung = some(OLD, 1, Health.STARTING, first=2, launched_at=0.0)
    sick = some(OLD, 1, Health.UNHEALTHY, first=1)
    actions = kept(fleet(some(OLD, 1), sick, hung, some(NEW, 2), weights={NEW: 100}), warm={OLD: NOW + 60})
    assert actions == (Stop(instance="1-1"), Stop(instance="1-2"))


def test_instances_of_a_release_that_nobody_knows_of_are_stopped() -> None:
    """Instances of a release that nobody knows of are stopped, gently when the balancer knows them."""
    assert kept(fleet(some(NEW, 2), some(9, 1, Health.STARTING), weights={NEW: 100})) == (Stop(instance="9-0"),)


def test_a_removed_service_leaves_nothing() -> None:
    """Without a current release even what serves is drained and stopped."""
    (shift,) = kept(fleet(some(NEW, 2), weights={NEW: 100}), current=None, replicas=0)
    assert isinstance(shift, Shift)
    assert shift.routing.serving() == set()


def test_traffic_comes_back_when_the_current_release_can_carry_it() -> None:
    """After a failed way back: not onto the first of two that come up, but onto one when no other is on its way."""
    coming = fleet(some(NEW, 1), some(NEW, 1, Health.STARTING, first=1), some(OLD, 2), weights={OLD: 100})
    assert weights(kept(coming)) in ([], [((OLD, 100),)])
    failing = exits(NEW, 990.0, 995.0, 999.9)
    assert weights(kept(fleet(some(NEW, 1), some(OLD, 2), weights={OLD: 100}, exits=failing))) == [((NEW, 100),)]


def test_the_bad_release_serves_on_until_the_good_one_is_whole() -> None:
    """Also while those of the good one that never came up are in their grace, and leave no room for others yet."""
    rolling, parts = Strategy(name="rolling", min_healthy=75, max_surge=25, timeout=60.0), {OLD: 1, NEW: 2}
    ending = some(NEW, 2, Health.STARTING, first=2, stopping=True)
    assert weights(kept(fleet(some(NEW, 2), ending, some(OLD, 1), weights=parts), replicas=4, strategy=rolling)) == []
    beginning = kept(fleet(some(NEW, 2), some(OLD, 1), weights=parts), replicas=4, strategy=rolling)
    assert beginning == (Launch(release=NEW, count=2),)
    whole = fleet(some(NEW, 4), some(OLD, 1), weights={OLD: 1, NEW: 4})
    assert weights(kept(whole, replicas=4, strategy=rolling)) == [((NEW, 100),)]


def test_recreate_waits_for_the_last_orphan() -> None:
    """What must not run twice is launched only when nothing else runs."""
    seen = fleet(some(OLD, 1, Health.STARTING))
    assert kept(seen, strategy=Strategy(name="recreate")) == (Stop(instance="1-0"),)
