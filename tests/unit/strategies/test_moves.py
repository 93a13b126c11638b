"""How moves, hooks and people change a rollout."""

from dataclasses import replace

import pytest

from crossfade.core.actions import Advance, Finish, Move, RollBack, StartBake
from crossfade.core.counters import Counters
from crossfade.core.rollout import Hook, Rollout, State
from crossfade.core.service import Strategy
from crossfade.strategies.moves import abort, apply, hook_ended, overslept, pause, promote, resume

ROLLOUT = Rollout(
    id=1,
    service="shop/web",
    source=1,
    target=2,
    strategy=Strategy(),
    replicas=2,
    drain=30.0,
    started_at=100.0,
    step_since=100.0,
    hooks=(Hook.MIGRATE, Hook.SMOKE),
)
COUNTED = ((1, Counters(requests=50)), (2, Counters(requests=5)))


def test_a_bake_begins_when_its_step_is_reached() -> None:
    """StartBake notes the moment, and nothing else."""
    assert apply(ROLLOUT, StartBake(step=0), COUNTED, 130.0) == replace(ROLLOUT, holding_since=130.0)


def test_the_next_step_counts_anew() -> None:
    """Advance begins the step at that moment, with the counters it will be judged from."""
    baked = replace(ROLLOUT, holding_since=130.0)
    assert apply(baked, Advance(step=1), COUNTED, 140.0) == replace(ROLLOUT, step=1, step_since=140.0, baseline=COUNTED)


def test_what_is_taken_back_says_why() -> None:
    """RollBack keeps the reason, ends a pause and a bake, and begins the time it may take."""
    baked = replace(ROLLOUT, holding_since=130.0, paused=True)
    back = apply(baked, RollBack(reason="bad"), COUNTED, 140.0)
    assert (back.state, back.ending, back.reason) == (State.ROLLING_BACK, State.ROLLED_BACK, "bad")
    assert (back.step_since, back.holding_since, back.paused) == (140.0, None, False)


def test_a_release_that_the_platform_let_down_is_not_blamed_and_it_is_on_record() -> None:
    """Whoever waits for the rollout gets another exit code for trouble of the platform."""
    baked = apply(ROLLOUT, StartBake(step=0), COUNTED, 130.0)
    back = apply(baked, RollBack(reason="no task could be placed", blame=False), COUNTED, 140.0)
    assert (back.blamed, back.denied) == (False, True)
    assert not apply(baked, RollBack(reason="bad"), COUNTED, 140.0).denied
    unsure = apply(baked, RollBack(reason="nobody came", blame=False, inconclusive=True), COUNTED, 140.0)
    assert (unsure.blamed, unsure.denied) == (False, False)


def test_a_finished_rollout_does_not_change() -> None:
    """After Finish no move, no abort and no hook brings it back."""
    done = apply(ROLLOUT, Finish(state=State.SUCCEEDED, reason="well"), COUNTED, 150.0)
    assert (done.state, done.reason, done.finished_at) == (State.SUCCEEDED, "well", 150.0)
    moves: tuple[Move, ...] = (StartBake(step=0), Advance(step=1), RollBack(reason="late"))
    assert all(apply(done, move, COUNTED, 160.0) == done for move in moves)
    assert abort(done, "late", 160.0) == done


def test_a_hook_that_passed_is_not_run_again() -> None:
    """It leaves the hooks to run, and what comes after it gets the step's whole time."""
    passed = hook_ended(ROLLOUT, Hook.MIGRATE, "", 500.0)
    assert passed == replace(ROLLOUT, hooks=(Hook.SMOKE,), step_since=500.0)


def test_a_hook_that_failed_takes_the_release_back() -> None:
    """Its complaint is the reason, and an unsmoked release stays unsmoked."""
    failed = hook_ended(ROLLOUT, Hook.SMOKE, "the smoke hook failed with code 1", 500.0)
    assert (failed.state, failed.reason) == (State.ROLLING_BACK, "the smoke hook failed with code 1")
    assert Hook.SMOKE in failed.hooks


def test_a_hook_whose_end_nobody_saw_takes_a_release_back_that_is_not_to_blame() -> None:
    """Its host went away in the middle; it is not begun a second time."""
    failed = hook_ended(ROLLOUT, Hook.MIGRATE, "the migrate hook ended, and nobody saw how", 500.0, blame=False)
    assert (failed.state, failed.blamed, failed.denied) == (State.ROLLING_BACK, False, False)
    assert Hook.MIGRATE in failed.hooks


def test_a_promotion_is_for_the_step_it_was_given_in() -> None:
    """The next step asks again."""
    assert promote(replace(ROLLOUT, step=2)).approved == 2


def test_a_resumed_rollout_has_its_whole_time_again() -> None:
    """A night in a pause is not held against it; resuming what is not paused changes nothing."""
    assert resume(pause(ROLLOUT), 40_000.0) == replace(ROLLOUT, step_since=40_000.0)
    assert resume(ROLLOUT, 40_000.0) == ROLLOUT


@pytest.mark.parametrize("ending", [State.ROLLED_BACK, State.ABORTED])
def test_an_abort_ends_as_one(ending: State) -> None:
    """Aborted while it runs it ends as aborted; while it is taken back already it ends as it was going to."""
    if ending is State.ABORTED:
        assert abort(ROLLOUT, "by ada", 110.0).ending is State.ABORTED
    else:
        back = apply(ROLLOUT, RollBack(reason="bad"), COUNTED, 105.0)
        assert abort(back, "by ada", 110.0) == back


def test_the_size_before_is_the_sources() -> None:
    """A first deploy has nothing before it; else it is as many as the target's, unless said otherwise."""
    assert replace(ROLLOUT, source=None).before == 0
    assert ROLLOUT.before == 2
    assert replace(ROLLOUT, source_replicas=5).before == 5
    assert replace(ROLLOUT, source=None).releases == (2,)
    assert ROLLOUT.releases == (2, 1)


def test_time_in_which_nobody_worked_is_given_back() -> None:
    """To the step and to its bake, and to neither more than has passed: who told of it may have had another clock."""
    baked = replace(ROLLOUT, holding_since=130.0)
    later = overslept(baked, 50.0, 190.0)
    assert (later.step_since, later.holding_since) == (150.0, 180.0)
    latest = overslept(baked, 3600.0, 190.0)
    assert (latest.step_since, latest.holding_since) == (190.0, 190.0)
