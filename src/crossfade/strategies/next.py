"""The next step of one service, from what is on record and what is there: the one question that its loop asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.core.actions import Action, RollBack, Stop
from crossfade.core.fleet import Fleet
from crossfade.core.rollout import Rollout, State
from crossfade.core.service import Kind, Strategy
from crossfade.strategies.decide import decide
from crossfade.strategies.keep import keep

# A balancer that is busy answers within a second; one that refused five times over two refuses for good.
REFUSALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """How often in a row a routing was refused, and what was said last. `blame`: its own settings cannot be met.

    `lasting`: something was refused, whatever it was, that no trying again will change.
    """

    times: int = 0
    why: str = ""
    blame: bool = True
    lasting: bool = False

    @property
    def for_good(self) -> bool:
        return self.lasting or self.times >= REFUSALS

    @property
    def reason(self) -> str:
        return self.why if self.lasting else f"the balancer refused the new routing: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A service between rollouts: the release it stays at, in what size; `warm` maps releases kept ready to until."""

    current: int | None
    replicas: int
    strategy: Strategy
    drain: float
    warm: Mapping[int, float]
    kind: Kind = "web"
    pins: bool = False  # as in `Rollout`


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is on record: the rollout under way, else how the service is kept; neither before the first release."""

    rollout: Rollout | None = None
    kept: Kept | None = None
    refused: Refused = field(default_factory=Refused)


def next_step(facts: Facts, fleet: Fleet, now: float) -> tuple[Action, ...]:
    """What to do now, effects first; a move comes alone; else what is waited for; nothing when nothing is left to do.

    Whatever the service is at, a stop that somebody began who is gone is seen through first.
    """
    abandoned = tuple(Stop(instance=i.id) for i in fleet.instances if i.abandoned)
    if abandoned:
        return abandoned
    if facts.rollout:
        if facts.rollout.state is State.RUNNING and facts.refused.for_good:
            return (RollBack(reason=facts.refused.reason, blame=facts.refused.blame),)
        return decide(facts.rollout, fleet, now)
    if facts.kept:
        kept = facts.kept
        return keep(
            kept.current,
            kept.replicas,
            kept.strategy,
            fleet,
            now,
            warm=kept.warm,
            drain=kept.drain,
            kind=kept.kind,
            pins=kept.pins,
        )
    return ()
