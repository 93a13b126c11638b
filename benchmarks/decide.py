"""How long a decision takes while fleets grow."""

import math
import time

from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.core.rollout import Rollout
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Strategy, StrategyName
from crossfade.strategies.decide import decide

NOUN = "decide"
SIZES = (1_000, 10_000, 100_000)
REPEATS = 3
NOW = 1_000.0
OLD, NEW = 1, 2
HOW = """\
One call of `decide` in the middle of a rollout, the best of three in CPU time, for fleets of all sizes. Rolling has
replaced half of the fleet and has some draining; blue-green has both fleets up and moves the traffic; rollback goes
back to a fleet that is warm. The exponent is that of the growth from the second size to the third: 1 is linear, 2 is
quadratic.
"""


async def measure(scale: Scale) -> Result:  # noqa: ARG001  all sizes take seconds; one shape for all
    names: tuple[StrategyName, ...] = ("rolling", "blue-green", "rollback")
    taken = {name: [_seconds(name, size) for size in SIZES] for name in names}
    exponents = {name: math.log(t[2] / t[1]) / math.log(SIZES[2] / SIZES[1]) for name, t in taken.items()}
    return Result(
        noun=NOUN,
        title=f"Deciding for up to {SIZES[-1]:,} instances",
        how=HOW,
        figures=[
            Figure(name=f"exponent of growth, {name}", value=exponent, most=1.2) for name, exponent in exponents.items()
        ],
        tables=(
            Table(
                head=("one decision, ms", *(f"{size:,} instances" for size in SIZES), "exponent"),
                rows=[
                    (name, *(number(seconds * 1000) for seconds in taken[name]), number(exponents[name]))
                    for name in names
                ],
            ),
        ),
        data={"sizes": SIZES, "seconds": taken},
    )


def _seconds(name: StrategyName, size: int) -> float:
    rollout, fleet = _moment(name, size)
    best = math.inf
    for _ in range(REPEATS):
        began = time.process_time()
        decide(rollout, fleet, NOW)
        best = min(best, time.process_time() - began)
    return best


def _moment(name: StrategyName, size: int) -> tuple[Rollout, Fleet]:
    """A rollout of `size` instances, all there are, and what it meets."""
    half = size // 2
    strategy = Strategy(name=name, min_healthy=50, max_surge=50, timeout=600.0)
    rollout = Rollout(
        id=1, service="shop/web", source=OLD, target=NEW, strategy=strategy, replicas=half, drain=30.0, step=_step(name)
    )
    draining = half // 10 if name == "rolling" else 0
    old = tuple(_instance(OLD, n, draining=n < draining) for n in range(half))
    new = tuple(_instance(NEW, n, draining=False) for n in range(half))
    groups = (
        TargetGroup(
            release=OLD,
            registered=tuple(i.id for i in old[draining:]),
            draining=tuple(i.id for i in old[:draining]),
        ),
        TargetGroup(release=NEW, registered=tuple(i.id for i in new)),
    )
    return rollout, Fleet(instances=old + new, routing=Routing(groups=groups, weights=((OLD, 1),)))


def _step(name: StrategyName) -> int:
    """Blue-green moves the traffic in its second step."""
    return 1 if name == "blue-green" else 0


def _instance(release: int, number: int, *, draining: bool) -> Instance:
    return Instance(
        id=f"shop-web-{release}-{number:06}",
        release=release,
        health=Health.HEALTHY,
        launched_at=0.0,
        healthy_since=1.0,
        draining_since=NOW - 5 if draining else None,
        in_flight=1 if draining else 0,
        address=f"127.0.0.1:{number % 60_000 + 1}",
    )
