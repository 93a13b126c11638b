"""The simulated world: what it does by itself, and the times at which a rollout happens in it."""

from dataclasses import replace

import pytest
from tests.unit.strategies.fleets import NEW, NOW, OLD, fleet, rollout, some

from crossfade.core.actions import Finish, Launch, RollBack, RunHook, Shift, StartBake, Stop
from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.service import Strategy
from crossfade.engine.simulate import Simulation, Step
from crossfade.engine.simulated import Behaviour, CrashError, Fault, Manner, World

SERVING = fleet(some(OLD, 2), weights={OLD: 100})


def run(plan: Rollout, world: World) -> tuple[Rollout, list[Step]]:
    simulation = Simulation(plan, world)
    steps = list(simulation.run())
    return simulation.rollout, steps


def times(steps: list[Step], kind: type) -> list[float]:
    """When actions of a kind were decided, in whole seconds after the start."""
    return [round(step.at - NOW) for step in steps if any(isinstance(action, kind) for action in step.actions)]


def test_an_instance_refresh_takes_as_long_as_on_a_real_group() -> None:
    """Two instances one by one, 1 min to boot, 5 min of warmup: the first is replaced at +6 min, all is done at +12."""
    slow = Behaviour(life=((60.0, Health.HEALTHY),))
    plan = rollout("rolling", min_healthy=50, max_surge=0, warmup=300.0, checkpoints=(50, 100))
    ended, steps = run(plan, World(SERVING, behaves=lambda _release, _nth: slow, now=NOW))
    assert ended.state is State.SUCCEEDED
    assert times(steps, Launch) == [0, 360]
    assert times(steps, StartBake) == [360, 720]
    assert times(steps, Finish) == [721]


def test_blue_green_takes_as_long_as_the_boot() -> None:
    """Launched at once, switched when all are healthy after 2 s."""
    _, steps = run(rollout(), World(SERVING, now=NOW))
    switch = next(s.at for s in steps if any(isinstance(a, Shift) and a.routing.weight(NEW) for a in s.actions))
    assert switch - NOW == pytest.approx(2.0, abs=0.5)


def test_a_release_that_answers_badly_is_taken_back_in_its_bake() -> None:
    """Half of 50 requests a second fail: a second after the switch there are more than enough."""
    world = World(SERVING, manners={NEW: Manner(error_rate=0.5)}, now=NOW)
    ended, steps = run(rollout(bake=60.0), world)
    assert ended.state is State.ROLLED_BACK
    assert times(steps, RollBack)[0] < 10
    assert {i.release for i in world.observe().instances} == {OLD}


def test_a_hook_takes_its_time_and_its_complaint_counts() -> None:
    """A smoke test of 30 s that fails takes the release back with what it said."""
    world = World(SERVING, hooks={Hook.SMOKE: (30.0, "the smoke hook failed with code 1")}, now=NOW)
    ended, steps = run(replace(rollout(), hooks=frozenset({Hook.SMOKE})), world)
    assert (ended.state, ended.reason) == (State.ROLLED_BACK, "the smoke hook failed with code 1")
    assert times(steps, RunHook)[0] == 2
    assert ended.finished_at is not None
    assert ended.finished_at - NOW > 32


def test_what_fails_may_have_been_done() -> None:
    """A fault says how often an effect takes place, and whether that is reported."""
    world = World(SERVING, now=NOW)
    launch = Launch(release=NEW, count=1)
    for fault, expected in ((Fault(times=0, failed=True), 0), (Fault(failed=True), 1), (Fault(times=2), 3)):
        world.fault = lambda _effect, fault=fault: fault  # type: ignore[misc]
        if fault.failed:
            with pytest.raises(PlatformError):
                world.perform(launch)
        else:
            world.perform(launch)
        assert len(world.observe().of(NEW)) == expected


def test_a_new_controller_trusts_whom_the_balancer_serves() -> None:
    """After a crash the registered stay healthy, the others are probed anew, and a stop that was begun is finished."""
    world = World(fleet(some(OLD, 2), weights={OLD: 100}), now=NOW)
    world.perform(Launch(release=NEW, count=2))
    world.wait(5.0)
    world.perform(Stop(instance="2-1"))
    world.fault = lambda _effect: Fault(crash=True)
    with pytest.raises(CrashError):
        world.perform(Launch(release=NEW, count=1))
    world.forget(0.0)
    health = {i.id: i.health for i in world.observe().instances}
    assert (health["1-0"], health["2-0"]) == (Health.HEALTHY, Health.STARTING)
    world.wait(3.0)
    assert {i.id: i.health for i in world.observe().instances} == {
        "1-0": Health.HEALTHY,
        "1-1": Health.HEALTHY,
        "2-0": Health.HEALTHY,
        "2-2": Health.HEALTHY,
    }


def test_an_instance_that_ends_is_on_record_once() -> None:
    """Losing its health and then exiting is one exit; being stopped is none."""
    life = Behaviour(life=((1.0, Health.HEALTHY), (2.0, Health.UNHEALTHY), (3.0, Health.EXITED)))
    world = World(SERVING, behaves=lambda _release, _nth: life, now=NOW)
    world.perform(Launch(release=NEW, count=2))
    world.wait(0.5)
    world.perform(Stop(instance="2-1"))
    world.wait(10.0)
    assert [(e.instance, e.was_healthy) for e in world.exits if e.release == NEW] == [("2-0", True)]


def test_the_same_seedless_world_gives_the_same_steps() -> None:
    """Nothing in it is random: two runs are equal, action by action."""
    first, second = (run(rollout("canary", steps=(10, 100), bake=5.0), World(SERVING, now=NOW))[1] for _ in range(2))
    assert first == second


def test_strategy_defaults_need_no_traffic_to_be_planned() -> None:
    """Without a bake a silent service is deployed too."""
    plan = replace(rollout(), strategy=Strategy())
    assert run(plan, World(SERVING, requests=0.0, now=NOW))[0].state is State.SUCCEEDED
