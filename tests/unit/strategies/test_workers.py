"""Workers: the same rollouts without a target group, where whoever is healthy is at work."""

from dataclasses import replace

import pytest
from tests.unit.strategies.fleets import NEW, NOW, OLD, exits, fleet, rollout, some

from crossfade.core.actions import Advance, AwaitHealthy, Finish, Hold, Launch, RollBack, RunHook, StartBake, Stop
from crossfade.core.fleet import Fleet, Health
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.routing import Routing
from crossfade.core.service import Strategy, StrategyName
from crossfade.strategies.decide import decide
from crossfade.strategies.keep import keep
from crossfade.strategies.phases import phases


def workers(*instances: list, **traits: object) -> Fleet:  # type: ignore[type-arg]
    """A fleet that no balancer knows."""
    return replace(fleet(*instances, **traits), routing=Routing())  # type: ignore[arg-type]


def worker(name: StrategyName = "blue-green", **traits: object) -> Rollout:
    return rollout(name, kind="worker", drain=0.0, **traits)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blue-green", [(2, 3, None), (2, 0, None)]),
        ("rollback", [(2, 3, None), (2, 0, None)]),
        ("rolling", [(2, 0, None)]),
        ("recreate", [(0, 0, None), (2, 0, None)]),
    ],
)
def test_phases_are_of_instances_alone(name: StrategyName, expected: list[tuple[int, int, None]]) -> None:
    """Blue-green bakes with all new ones beside all old ones, because both take work."""
    made = phases(Strategy(name=name), 2, 3, "worker")
    assert [(phase.new, phase.old, phase.share) for phase in made] == expected


def test_the_bake_is_while_both_are_at_work() -> None:
    """A release that fails in it costs nothing: the old ones never left."""
    first, second = phases(Strategy(bake=30.0, approve=(100,)), 2, 2, "worker")
    assert (first.bake, first.approve, second.bake, second.approve) == (30.0, True, 0.0, False)


def test_a_rollout_asks_for_no_routing() -> None:
    """Launch, hold, stop the old ones, done: nothing in between is a shift, and nobody drains."""
    both = workers(some(OLD, 2), some(NEW, 2))
    assert decide(worker(), workers(some(OLD, 2)), NOW) == (Launch(release=NEW, count=2),)
    assert decide(worker(), both, NOW) == (StartBake(step=0),)
    assert decide(worker(holding_since=NOW), both, NOW) == (Advance(step=1),)
    assert decide(worker(step=1), both, NOW) == (Stop(instance="1-0"), Stop(instance="1-1"))
    alone = worker(step=1, holding_since=NOW)
    done = Finish(state=State.SUCCEEDED, reason="release 2 does all the work")
    assert decide(alone, workers(some(NEW, 2)), NOW) == (done,)


def test_an_old_one_in_its_grace_does_not_keep_the_rollout() -> None:
    """It finishes its job, an hour if need be; the rollout is over."""
    going = workers(some(OLD, 2, stopping=True), some(NEW, 2))
    assert decide(worker(step=1), going, NOW) == (StartBake(step=1),)


def test_rolling_keeps_the_floor_at_work() -> None:
    """Of two with a floor of two and room for one more, one comes before one goes."""
    plan = worker("rolling", max_surge=50)
    assert decide(plan, workers(some(OLD, 2)), NOW) == (Launch(release=NEW, count=1),)
    one_starts = workers(some(OLD, 2), some(NEW, 1, Health.STARTING))
    assert isinstance(decide(plan, one_starts, NOW)[0], AwaitHealthy)
    assert decide(plan, workers(some(OLD, 2), some(NEW, 1)), NOW) == (Stop(instance="1-0"),)


def test_recreate_waits_until_the_old_one_is_gone() -> None:
    """A scheduler never runs twice: in its grace the old one may still be at work, and no time runs for the new one."""
    plan, going = worker("recreate", replicas=1), workers(some(OLD, 1, stopping=True))
    assert decide(plan, workers(some(OLD, 1)), NOW) == (Stop(instance="1-0"),)
    assert decide(plan, going, NOW + 3600) == (Hold(why="the last instances end, each in its grace"),)
    assert decide(plan, workers(), NOW + 3600) == (StartBake(step=0),)


def test_a_long_grace_is_not_held_against_the_next_release() -> None:
    """Two in a grace as long as a job take up the room of two: the new release is not late for it."""
    full = workers(some(OLD, 2), some(3, 2, stopping=True))
    late = decide(worker(timeout=60.0), full, NOW + 600)
    assert late == (AwaitHealthy(release=NEW, ready=0, wanted=2, until=None),)
    just_launched = workers(some(OLD, 2), some(NEW, 2, Health.STARTING, launched_at=NOW + 600))
    waits = AwaitHealthy(release=NEW, ready=0, wanted=2, until=NOW + 660.0)
    assert decide(worker(timeout=60.0), just_launched, NOW + 601) == (waits,)
    assert isinstance(decide(worker(timeout=60.0), just_launched, NOW + 661)[0], RollBack)


def test_a_worker_that_its_platform_begins_again_and_again_is_late() -> None:
    """Those that failed are in their grace, or listed as ended: the others have not come in the time of the first."""
    failed = some(NEW, 2, Health.STARTING, launched_at=NOW, stopping=True)
    again = some(NEW, 2, Health.STARTING, launched_at=NOW + 600.0, first=2)
    there = replace(workers(some(OLD, 2), failed, again), sizes=((OLD, 2), (NEW, 2)))
    assert not isinstance(decide(worker(), there, NOW + 599.0)[0], RollBack)
    (back,) = decide(worker(), there, NOW + 600.0)
    assert isinstance(back, RollBack)


def test_a_worker_that_crashes_in_its_bake_is_a_bad_release() -> None:
    """Exits are judged as a service's are; no requests are missed for a verdict."""
    baking = worker(bake=60.0, holding_since=NOW, min_requests=20)
    lost = workers(some(OLD, 2), some(NEW, 1), exits=exits(NEW, NOW + 1, was_healthy=True))
    (back,) = decide(baking, lost, NOW + 2)
    assert isinstance(back, RollBack)
    assert back.reason == "release 2 lost 1 instance that had been healthy: 2-0 exited with code 1"
    assert decide(baking, workers(some(OLD, 2), some(NEW, 2)), NOW + 60) == (Advance(step=1),)


def test_it_is_taken_back_by_ending_the_new_ones() -> None:
    """The old ones are there still; once the new are gone it is over."""
    back = replace(worker(), state=State.ROLLING_BACK, reason="release 2 is bad")
    assert decide(back, workers(some(OLD, 2), some(NEW, 2)), NOW) == (Stop(instance="2-0"), Stop(instance="2-1"))
    over = Finish(state=State.ROLLED_BACK, reason="release 2 is bad")
    assert decide(back, workers(some(OLD, 2)), NOW) == (over,)


def test_a_smoke_test_comes_before_any_old_one_goes() -> None:
    """Rolling, with the first new one up: it is tried first."""
    plan = worker("rolling", max_surge=50, hooks=(Hook.SMOKE,))
    assert decide(plan, workers(some(OLD, 2), some(NEW, 1)), NOW) == (RunHook(hook=Hook.SMOKE, release=NEW),)


def kept(current: int | None, there: Fleet, strategy: Strategy | None = None) -> tuple[object, ...]:
    return keep(current, 2, strategy or Strategy(), there, NOW, warm={}, drain=0.0, kind="worker")


def test_a_size_is_kept() -> None:
    """One too few is launched, one too many stopped, what is left of another release sent home; at rest nothing."""
    assert kept(NEW, workers(some(NEW, 2))) == ()
    assert kept(NEW, workers(some(NEW, 1)))[0] == Launch(release=NEW, count=1)
    assert kept(NEW, workers(some(NEW, 3))) == (Stop(instance="2-0"),)
    assert kept(NEW, workers(some(NEW, 2), some(OLD, 1))) == (Stop(instance="1-0"),)
    assert kept(None, workers(some(OLD, 1))) == (Stop(instance="1-0"),)


def test_a_sick_scheduler_ends_before_another_comes() -> None:
    """With recreate there is no room beside it."""
    sick = workers(some(NEW, 2, Health.UNHEALTHY))
    assert kept(NEW, sick, Strategy(name="recreate"))[:2] == (Stop(instance="2-0"), Stop(instance="2-1"))
