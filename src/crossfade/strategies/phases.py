"""Every strategy is a list of phases: how much capacity, what share of traffic, how long to hold, who must agree."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from crossfade.core.rollout import Rollout
from crossfade.core.service import Kind, Strategy, StrategyName


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What is to be true before the next phase: `new` instances of the target, `old` of the source.

    `share` is the target's percentage of traffic; None lets traffic follow the registered instances.
    """

    new: int
    old: int
    share: int | None
    bake: float = 0.0
    approve: bool = False

    @property
    def label(self) -> str:
        return f"{self.new} new, {self.old} old" if self.share is None else f"{self.share} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Our own actions keep healthy capacity at `floor` or more and all instances together at `ceiling` or fewer."""

    floor: int
    ceiling: int


def phases(strategy: Strategy, replicas: int, before: int | None = None, kind: Kind = "web") -> tuple[Phase, ...]:
    """The whole journey, first phase first; its last one has all traffic on the target.

    `before` is the size of the old fleet where it differs from `replicas`.
    """
    make = _OF_WORKERS.get(strategy.name) if kind == "worker" else None
    return (make or _PHASES[strategy.name])(strategy, replicas, replicas if before is None else before)


def bounds(strategy: Strategy, replicas: int) -> Bounds:
    """How far capacity may go down and up on the way.

    Rolling with 3 replicas, min_healthy 50, max_surge 50: floor ceil(1.5) = 2, ceiling 3 + ceil(1.5) = 5. Both
    round to the safe side. With 1 replica and max_surge 0, min_healthy 50 still means 1, and nothing could ever
    move: then one instance more is allowed. Recreate is for what must not run twice: no floor, no surge.
    """
    match strategy.name:
        case "recreate":
            return Bounds(floor=0, ceiling=replicas)
        case "rolling":
            floor = math.ceil(replicas * strategy.min_healthy / 100)
            ceiling = replicas + math.ceil(replicas * strategy.max_surge / 100)
            return Bounds(floor=floor, ceiling=max(ceiling, floor + 1))
        case _:
            return Bounds(floor=replicas, ceiling=2 * replicas)


def journey(rollout: Rollout) -> tuple[Phase, ...]:
    """The phases of one rollout."""
    return phases(rollout.strategy, rollout.replicas, rollout.before, rollout.kind)


def limits(rollout: Rollout) -> Bounds:
    """The bounds of one rollout: the floor of the smaller fleet, the ceiling of the larger.

    Blue-green from 4 to 2 replicas keeps 2 serving, and 8 may run; from nothing to 2 there is no floor to keep.
    """
    strategy = rollout.strategy
    small, large = sorted((rollout.before, rollout.replicas))
    if small == large:
        return bounds(strategy, large)
    return Bounds(floor=bounds(strategy, small).floor, ceiling=bounds(strategy, large).ceiling)


def _by_traffic(strategy: Strategy, replicas: int, before: int, shares: tuple[int, ...]) -> tuple[Phase, ...]:
    """Full capacity first, without traffic; then the shares. The old fleet stays whole until the end."""
    return tuple(
        Phase(
            new=replicas,
            old=before,
            share=share,
            bake=strategy.bake if share else 0.0,
            approve=share in strategy.approve,
        )
        for share in (0, *shares)
    )


def _blue_green(strategy: Strategy, replicas: int, before: int) -> tuple[Phase, ...]:
    return _by_traffic(strategy, replicas, before, (100,))


def _canary(strategy: Strategy, replicas: int, before: int) -> tuple[Phase, ...]:
    """Share by share; a first deploy has nobody to share with, and goes at once."""
    return _by_traffic(strategy, replicas, before, strategy.steps if before else (100,))


def _rolling(strategy: Strategy, replicas: int, before: int) -> tuple[Phase, ...]:
    """Capacity in batches; with 3 replicas the checkpoint 50 stops after ceil(1.5) = 2 new ones, and 1 old."""
    return tuple(
        Phase(
            new=math.ceil(replicas * checkpoint / 100),
            old=before - math.ceil(before * checkpoint / 100),
            share=None,
            bake=strategy.bake,
            approve=checkpoint in strategy.approve,
        )
        for checkpoint in strategy.checkpoints
    )


def _recreate(strategy: Strategy, replicas: int, _: int) -> tuple[Phase, ...]:
    return (
        Phase(new=0, old=0, share=None),
        Phase(new=replicas, old=0, share=None, bake=strategy.bake, approve=bool(strategy.approve)),
    )


def _rollback(strategy: Strategy, replicas: int, before: int) -> tuple[Phase, ...]:
    """All at once, and at once while the old fleet is warm."""
    return (Phase(new=replicas, old=before, share=100, bake=strategy.bake),)


def _beside(strategy: Strategy, replicas: int, before: int) -> tuple[Phase, ...]:
    """Workers: all new ones beside all old ones while it bakes, since both take work; then the new ones alone."""
    together = Phase(new=replicas, old=before, share=None, bake=strategy.bake, approve=bool(strategy.approve))
    return (together, Phase(new=replicas, old=0, share=None))


_PHASES: dict[StrategyName, Callable[[Strategy, int, int], tuple[Phase, ...]]] = {
    "blue-green": _blue_green,
    "canary": _canary,
    "linear": _canary,
    "rolling": _rolling,
    "recreate": _recreate,
    "rollback": _rollback,
}
_OF_WORKERS: dict[StrategyName, Callable[[Strategy, int, int], tuple[Phase, ...]]] = {
    "blue-green": _beside,
    "rollback": _beside,
}
