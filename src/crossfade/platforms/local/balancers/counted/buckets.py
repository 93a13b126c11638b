"""The bounds in which latencies are counted, the same for every balancer of one machine."""

from bisect import bisect_left
from collections.abc import Mapping

# Milliseconds, about eight to a decade where web applications live.
BUCKETS: tuple[float, ...] = (
    *(0.5, 1, 1.5, 2, 3, 4, 5, 6.5, 8, 10, 13, 17, 22, 30, 40, 50, 65, 85, 110, 150, 200, 260, 350, 500),
    *(700, 1000, 1500, 2500, 5000, 10_000, 30_000, 60_000),
)


def bound(milliseconds: float) -> float:
    """The bucket's upper bound; what is longer than all of them counts in the last."""
    return BUCKETS[min(bisect_left(BUCKETS, milliseconds), len(BUCKETS) - 1)]


def cumulative(counts: Mapping[float, int]) -> tuple[tuple[float, int], ...]:
    """From requests by bucket to pairs (bound, requests at or below it); nothing counted is nothing."""
    found, below = [], 0
    for upper in BUCKETS:
        below += counts.get(upper, 0)
        found.append((upper, below))
    return tuple(found) if below else ()
