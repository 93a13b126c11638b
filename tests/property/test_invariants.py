"""The invariants over more than 10,000 random rollouts. What must hold of every decision is watched in all of them.

A failure names its seed and shows the last rounds; `Play(scenario(seed, ...)).to_the_end()` plays it again.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.property.play import Play
from tests.property.scenario import NEVER, NEW, OLD, Scenario, crashes, exits, flaps, scenario, sound

from crossfade.core.actions import Effect
from crossfade.core.fleet import Health
from crossfade.core.rollout import State
from crossfade.core.service import StrategyName
from crossfade.engine.simulated import Behaviour, Fault, Manner

ALL: tuple[StrategyName, ...] = ("rolling", "blue-green", "canary", "linear", "recreate", "rollback")
BY_TRAFFIC: tuple[StrategyName, ...] = ("blue-green", "canary", "linear", "rollback")


def played(scenarios: Iterable[Scenario]) -> Iterable[Play]:
    """Each scenario played to its end and then to rest."""
    for each in scenarios:
        play = Play(each)
        play.to_the_end()
        play.to_rest()
        yield play


def seeds(family: int, count: int = 1000) -> range:
    """Seeds that no other family uses."""
    return range(family * 100_000, family * 100_000 + count)


def test_traffic_goes_only_to_the_healthy() -> None:
    """Traffic goes only to instances that passed their healthy threshold and have not failed since."""
    for play in played(scenario(seed, sickness=0.9) for seed in seeds(1)):
        assert play.rounds


def test_bounds_are_kept_while_rolling() -> None:
    """Our own actions never take healthy capacity below the floor, nor the fleet above the surge bound."""
    for play in played(scenario(seed, strategies=("rolling",)) for seed in seeds(2)):
        assert play.rounds


def test_nothing_is_stopped_too_early() -> None:
    """Nothing is stopped before the balancer confirmed it gets no new requests and it is idle or its delay over."""
    busy = (sound(2.0, request=20.0), sound(2.0, request=60.0, streams=2), sound(2.0, streams=5, grace=10.0))
    for play in played(replace(scenario(seed, sickness=0.3), source=busy, target=busy) for seed in seeds(3)):
        assert play.rounds


def test_a_failed_rollout_ends_on_the_last_good_release() -> None:
    """A failed rollout ends with all traffic on the last good release at its full capacity."""
    ill = (NEVER, crashes(2.0, 1.0), flaps(1.0, 5.0, 5.0), exits(0.5), crashes(2.0, 30.0))
    taken_back = 0
    for seed in seeds(4):
        case = replace(scenario(seed), target=(ill[seed % len(ill)],), source=(sound(),))
        play = Play(case)
        ended = play.to_the_end()
        if ended.source is not None and ended.state is not State.SUCCEEDED:
            taken_back += 1
            assert ended.reason
        play.to_rest()
    assert taken_back > 500


def test_a_crash_at_any_moment_leaves_nothing_half_done() -> None:
    """From a crash at any step the rollout reaches a terminal state and no orphan remains."""
    for seed in seeds(5, 1200):
        case = scenario(seed)
        often = frozenset(range(seed % 7, 80, 2 + seed % 9))
        for play in played([replace(case, crashes=often, trouble=max(0.1, case.trouble), trouble_ends=120.0)]):
            assert play.simulation.rollout.state.terminal


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("ill", [False, True], ids=["good", "bad"])
@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
def test_a_crash_around_every_single_effect_is_survived(name: StrategyName, *, ill: bool, before: bool) -> None:
    """Whichever effect the controller dies in, before or after it took place, the rollout ends as it would have."""
    seed = next(s for s in range(1000) if _plain(s, name))
    case = scenario(seed, strategies=(name,), sickness=0, trouble=False, people=False)
    if ill:
        case = replace(case, target=(crashes(2.0, 1.0),), rollout=replace(case.rollout, hooks=frozenset()))
    calm = Play(case)
    expected, count = calm.to_the_end().state, 0
    for struck in range(100):
        play, count = Play(case), 0

        def fault(_: Effect, struck: int = struck) -> Fault:
            nonlocal count
            count += 1
            return Fault(times=0 if before else 1, crash=True) if count - 1 == struck else Fault()

        play.simulation.world.fault = fault
        assert play.to_the_end().state is expected
        play.to_rest()
        if count <= struck:
            return
    pytest.fail("a rollout of more effects than were struck")


def _plain(seed: int, name: StrategyName) -> bool:
    rollout = scenario(seed, strategies=(name,), sickness=0, trouble=False, people=False).rollout
    return rollout.replicas == 3 and rollout.source_replicas == 3 and rollout.strategy.bake > 0


def test_decisions_are_deterministic_and_end() -> None:
    """`decide` is deterministic, and with nothing left to do it does nothing."""
    for play in played(scenario(seed, sickness=0) for seed in seeds(6)):
        rest = play.simulation.world.observe()
        assert all(not play.step().actions for _ in range(3))
        assert play.simulation.world.observe().routing == rest.routing


def test_a_rollout_that_nothing_disturbs_succeeds() -> None:
    """Every rollout of a good release that nothing and nobody disturbs succeeds, whatever its strategy and sizes."""
    for seed in seeds(7):
        play = Play(replace(scenario(seed, sickness=0, trouble=False, people=False), requests=500.0))
        assert play.to_the_end().state is State.SUCCEEDED, play.fail(play.simulation.rollout.reason)
        play.to_rest()


def test_a_bad_release_is_always_taken_back() -> None:
    """A release that fails requests, answers late, loses its health or never finds it does not stay."""
    lives: tuple[tuple[Behaviour, Manner], ...] = (
        (sound(), Manner(error_rate=0.2)),
        (sound(), Manner(error_rate=1.0)),
        (sound(), Manner(latency_ms=5000.0)),
        (NEVER, Manner()),
        (exits(0.5), Manner()),
        (crashes(2.0, 1.0), Manner()),
        (flaps(2.0, 1.0, 20.0), Manner()),
    )
    for seed in seeds(8):
        case = scenario(seed, people=False)
        life, manner = lives[seed % len(lives)]
        rules = replace(
            case.rollout.strategy.rollback_on, error_rate=0.05, p95_ms=500.0, unhealthy=1, inconclusive="hold"
        )
        plan = replace(case.rollout.strategy, bake=30.0, rollback_on=rules, timeout=60.0, approve=())
        rollout = replace(case.rollout, strategy=plan, replicas=max(1, case.rollout.replicas))
        fleet = replace(case.fleet, instances=tuple(i for i in case.fleet.instances if i.release != NEW))
        play = Play(
            replace(
                case,
                rollout=rollout,
                fleet=fleet,
                target=(life,),
                source=(sound(),),
                manners={NEW: manner},
                requests=50.0,
                asked=None,
                jumps={},
            )
        )
        ended = play.to_the_end()
        assert ended.state in {State.ROLLED_BACK, State.FAILED}, play.fail("it stayed")
        assert "release" in ended.reason or "hook" in ended.reason or "verdict" in ended.reason
        play.to_rest()


def test_inconclusive_is_never_a_silent_pass() -> None:
    """Without traffic to judge by, a release passes only by a person's word or by our own probes."""
    for seed in seeds(9, 600):
        case = scenario(seed, sickness=0, trouble=False, people=False)
        rules = replace(
            case.rollout.strategy.rollback_on,
            min_requests=20,
            inconclusive=("hold", "ask", "probe")[seed % 3],
        )
        plan = replace(case.rollout.strategy, bake=30.0, rollback_on=rules, approve=())
        rollout = replace(case.rollout, strategy=plan, replicas=max(1, case.rollout.replicas))
        play = Play(replace(case, rollout=rollout, requests=0.0, asked="abort"))
        ended = play.to_the_end()
        expected = {"hold": {State.ROLLED_BACK, State.FAILED}, "ask": {State.ABORTED}, "probe": {State.SUCCEEDED}}
        assert ended.state in expected[rules.inconclusive], play.fail(f"{rules.inconclusive}: {ended.reason}")
        play.to_rest()


def test_weights_only_go_up_while_it_runs_well() -> None:
    """A canary's weight goes up only with all its instances ready, never past its step, and never on the way back."""
    for play in played(scenario(seed, strategies=BY_TRAFFIC, sickness=0.8) for seed in seeds(10)):
        assert play.rounds


def test_recreate_never_runs_two_releases() -> None:
    """Recreate never runs two releases at once, not even on its way back."""
    for play in played(scenario(seed, strategies=("recreate",), sickness=0.7) for seed in seeds(11)):
        assert play.rounds


def test_a_broken_source_does_not_keep_its_successor_out() -> None:
    """Over a release that is broken already, a good one still comes in and gets the traffic."""
    broken = (exits(0.2), NEVER, flaps(1.0, 2.0, 2.0))
    for seed in seeds(12, 300):
        case = scenario(seed, sickness=0, trouble=False, people=False)
        fleet = replace(
            case.fleet,
            instances=tuple(
                replace(i, health=Health.UNHEALTHY, healthy_since=None) if i.release == OLD else i
                for i in case.fleet.instances
            ),
        )
        play = Play(replace(case, fleet=fleet, source=(broken[seed % len(broken)],)))
        assert play.to_the_end().state is State.SUCCEEDED, play.fail(play.simulation.rollout.reason)
        play.to_rest()
