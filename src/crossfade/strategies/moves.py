"""Moves of a rollout: how it changes by what is decided for it, by its hooks, and by what a person orders.

The engine folds its journal with these functions. Every change needs only the rollout, the moment, and the counters at
that moment: plain data of one event.
"""

from dataclasses import replace

from crossfade.core.actions import Advance, Finish, Move, RollBack, StartBake
from crossfade.core.counters import Counters
from crossfade.core.rollout import Hook, Rollout, State

Counted = tuple[tuple[int, Counters], ...]  # by release, as in Fleet.counters


def apply(rollout: Rollout, move: Move, counters: Counted, now: float) -> Rollout:
    """The rollout after a move; a rollout that is over stays as it ended."""
    if rollout.state.terminal:
        return rollout
    match move:
        case StartBake():
            return replace(rollout, holding_since=now)
        case Advance(step=step):
            return replace(rollout, step=step, step_since=now, holding_since=None, baseline=counters)
        case RollBack(reason=reason, blame=blame, inconclusive=inconclusive):
            back = _back(rollout, reason, State.ROLLED_BACK, now)
            denied = rollout.denied or not (blame or inconclusive)
            return replace(back, blamed=rollout.blamed and blame, denied=denied)
        case Finish(state=state, reason=reason):
            return replace(rollout, state=state, reason=reason, finished_at=now)


def hook_ended(rollout: Rollout, hook: Hook, complaint: str, now: float, *, blame: bool = True) -> Rollout:
    """A hook that passed is not run again; one that failed (a sentence says how) takes the release back.

    Without `blame` nobody saw how it ended: its host is gone, and who knows how far it came is not to begin it again.
    What comes after a hook gets the step's whole timeout: a migration may well have taken longer than that.
    """
    if complaint:
        back = _back(rollout, complaint, State.ROLLED_BACK, now)
        return replace(back, blamed=back.blamed and blame)
    return replace(rollout, hooks=tuple(left for left in rollout.hooks if left is not hook), step_since=now)


def promote(rollout: Rollout) -> Rollout:
    """Approve the current step: what is left of its bake is cut short. Later steps ask again."""
    return replace(rollout, approved=rollout.step)


def pause(rollout: Rollout) -> Rollout:
    return replace(rollout, paused=True)


def resume(rollout: Rollout, now: float) -> Rollout:
    """Go on; the step gets its whole timeout anew, because nothing was attempted meanwhile."""
    return replace(rollout, paused=False, step_since=now) if rollout.paused else rollout


def overslept(rollout: Rollout, seconds: float, now: float) -> Rollout:
    """Nobody worked for so long: what the rollout waits for gets that time back.

    A batch that has 60 s to become healthy and lost its controller after 20 s still has 40 s when there is one again.
    Nothing gets more than has passed for it: since when nobody worked may have been told by a clock that is behind.
    """
    if rollout.state.terminal:
        return rollout
    held = rollout.holding_since

    def later(since: float) -> float:
        return max(since, min(since + seconds, now))

    return replace(
        rollout,
        step_since=later(rollout.step_since),
        holding_since=None if held is None else later(held),
    )


def abort(rollout: Rollout, reason: str, now: float) -> Rollout:
    """A person wants it taken back; one that is being taken back already goes on doing that."""
    return _back(rollout, reason, State.ABORTED, now)


def _back(rollout: Rollout, reason: str, ending: State, now: float) -> Rollout:
    if rollout.state is not State.RUNNING:
        return rollout
    return replace(
        rollout,
        state=State.ROLLING_BACK,
        ending=ending,
        reason=reason,
        step_since=now,
        holding_since=None,
        paused=False,
    )
