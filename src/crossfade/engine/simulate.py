"""The engine's loop over a simulated world: `plan` shows on it what would happen, tests what could."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from crossfade.core.actions import (
    Action,
    Advance,
    Finish,
    Launch,
    Probe,
    RollBack,
    RunHook,
    Shift,
    StartBake,
    Stop,
    Wait,
)
from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Fleet
from crossfade.core.moves import apply, hook_ended
from crossfade.core.rollout import Rollout, State
from crossfade.engine.simulated import PROBING, CrashError, World
from crossfade.strategies.decide import decide, keep

ROUND = 0.05  # seconds between two rounds while something is done
LONGEST_REST = 30.0  # and while nothing is


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One round: when, what was there, and what was decided."""

    at: float
    rollout: Rollout
    fleet: Fleet
    actions: tuple[Action, ...]


class Simulation:
    """The engine's loop over a simulated world: observe, decide, act. `rollout` is what its journal would hold."""

    def __init__(self, rollout: Rollout, world: World) -> None:
        self.rollout = rollout
        self.world = world

    def run(self, rounds: int = 10_000) -> Iterator[Step]:
        """Rounds until the rollout is over, `rounds` at most."""
        for _ in range(rounds):
            if self.rollout.state.terminal:
                return
            yield self.step()

    def step(self) -> Step:
        """One round, and the rest after it."""
        ended = self.world.hook_ended()
        if ended:
            self.rollout = hook_ended(self.rollout, *ended, self.world.now)
        fleet, now = self.world.observe(), self.world.now
        step = Step(at=now, rollout=self.rollout, fleet=fleet, actions=self._decide(fleet, now))
        try:
            for action in step.actions:
                self._act(action, fleet)
        except CrashError:
            self.world.forget(PROBING)
        self.world.wait(self._rest(step))
        return step

    def _decide(self, fleet: Fleet, now: float) -> tuple[Action, ...]:
        """As the engine does: a rollout under way is carried on, a finished one's outcome is kept."""
        rollout, strategy = self.rollout, self.rollout.strategy
        if not rollout.state.terminal:
            return decide(rollout, fleet, now)
        done = rollout.state is State.SUCCEEDED
        warm: dict[int, float] = {}
        if done and rollout.source is not None and strategy.name in {"blue-green", "canary", "linear"}:
            warm[rollout.source] = (rollout.finished_at or now) + strategy.keep_previous
        return keep(
            rollout.target if done else rollout.source,
            rollout.replicas if done else rollout.before,
            strategy,
            fleet,
            now,
            warm=warm,
            drain=rollout.drain,
        )

    def _act(self, action: Action, fleet: Fleet) -> None:
        match action:
            case StartBake() | Advance() | RollBack() | Finish():
                self.rollout = apply(self.rollout, action, fleet.counters, self.world.now)
                if isinstance(action, RollBack):
                    self.world.cancel_hook()
            case Launch() | Shift() | Stop() | RunHook() | Probe():
                with suppress(PlatformError):  # the next round sees what is there and asks again
                    self.world.perform(action)

    def _rest(self, step: Step) -> float:
        """Until something is due; a running hook is waited for."""
        if any(not isinstance(action, Wait | RunHook) for action in step.actions):
            return ROUND
        now = self.world.now
        untils: list[float | None] = [getattr(action, "until", None) for action in step.actions]
        untils += [
            instance.healthy_since + step.rollout.strategy.warmup
            for instance in step.fleet.instances
            if instance.healthy_since is not None
        ]
        due = (until - now for until in untils if until is not None and until > now)
        return max(ROUND, min([*due, self.world.next_change(), LONGEST_REST]))
