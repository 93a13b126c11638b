"""The deadline of a step: until when its instances have to be there."""

import math

from crossfade.core.fleet import Fleet
from crossfade.core.rollout import Rollout
from crossfade.strategies.phases import Phase, limits
from crossfade.strategies.pins import Pins


def deadline(rollout: Rollout, phase: Phase, fleet: Fleet) -> float | None:
    """When a step that still misses instances has taken too long; None while no time runs for it.

    A step that holds was whole once: its time begins again when its bake is over, and whenever one gets lost. Of
    workers, an old one's grace may last as long as a job, and takes up the room of a new one: the time of the new
    begins when the last of them was launched. What a platform begins in place of new ones that failed gets no more.
    """
    since = rollout.step_since
    if rollout.holding_since is not None:
        since = max([rollout.holding_since + phase.bake, *(e.at for e in fleet.exits)])
    if rollout.kind == "worker":
        if any(i.stopping and i.release != rollout.target for i in fleet.instances):
            return None
        launched = sorted(i.launched_at for i in fleet.of(rollout.target))
        since = max([since, *launched[: phase.new]])
    until = since + patience(rollout, phase.new, drains=phase.share is None)
    return max(until, min(until + _held(rollout, fleet), _own_time(rollout, phase, fleet)))


def _own_time(rollout: Rollout, phase: Phase, fleet: Fleet) -> float:
    """When the new instance that got its place last has had its timeout; never, while one may wait for a place."""
    launched = [i.launched_at for i in fleet.of(rollout.target) if i.up]
    if len(launched) < phase.new:
        return math.inf
    return max(launched, default=0.0) + rollout.strategy.timeout + rollout.strategy.warmup


def _held(rollout: Rollout, fleet: Fleet) -> float:
    """For how long a place that new instances wait for may be one of a release whose pages are still read."""
    pins = Pins.of(rollout.strategy, sticky=rollout.pins)
    if pins is None or rollout.source is None or fleet.sizes is not None:
        return 0.0
    return pins.seconds(rollout.drain, stay=pins.sticky)


def patience(rollout: Rollout, size: int, *, drains: bool) -> float:
    """Seconds in which `size` instances have to be there: the timeout for each batch, and what a batch must wait.

    Rolling 4 with a floor of 3 and a ceiling of 5 goes in ceil(4 / 2) = 2 batches.
    """
    room = limits(rollout)
    batches = max(1, math.ceil(size / max(1, room.ceiling - room.floor)))
    return batches * (rollout.strategy.timeout + rollout.strategy.warmup + (rollout.drain if drains else 0.0))


def had_its_time(rollout: Rollout, fleet: Fleet, now: float) -> bool:
    """An instance of the target was there and watched for the whole timeout, and is not healthy."""
    given = [now - max(i.launched_at, fleet.watched_since) for i in fleet.of(rollout.target) if i.up and not i.usable]
    return max(given, default=0.0) >= rollout.strategy.timeout
