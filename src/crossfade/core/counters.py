"""Counters of a balancer: requests, failures, retries and a latency histogram, always as totals that only grow."""

import math
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Totals since the balancer began to count.

    `latency` is cumulative as in Prometheus: pairs (upper bound in milliseconds, requests at or below it), ascending.
    """

    requests: int = 0
    errors: int = 0  # answers of 500 and above, and requests that got no answer
    retried: int = 0
    latency: tuple[tuple[float, int], ...] = ()

    def since(self, start: Self) -> Self:
        """What came after `start`; a counter that went back was restarted, so all it holds is new."""
        if start is NOTHING or self.requests < start.requests:
            return self
        before = dict(start.latency)
        return type(self)(
            requests=self.requests - start.requests,
            errors=max(0, self.errors - start.errors),
            retried=max(0, self.retried - start.retried),
            latency=tuple((bound, count - before.get(bound, 0)) for bound, count in self.latency),
        )

    def __add__(self, other: Self) -> Self:
        both = dict(self.latency)
        for bound, count in other.latency:
            both[bound] = both.get(bound, 0) + count
        same = len(both) == len(self.latency)  # then they stand in their order
        return type(self)(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            retried=self.retried + other.retried,
            latency=tuple(both.items() if same else sorted(both.items())),
        )

    @property
    def error_rate(self) -> float:
        """Share of requests that failed, 0 to 1; 0 when there were none."""
        return self.errors / self.requests if self.requests else 0.0

    def quantile_ms(self, q: float) -> float:
        """The latency in ms below which the share `q` of requests stayed, interpolated inside its bucket.

        With buckets (10, 90) (20, 100), q=0.95 lies 5 of 10 requests into the second: 15 ms. 0 when nothing was timed.
        In a bucket without an end it is known only that it took longer than the bucket's beginning: that is given.
        """
        total = self.latency[-1][1] if self.latency else 0
        if total == 0:
            return 0.0
        rank, low, below = q * total, 0.0, 0
        for bound, count in self.latency:
            if count >= rank and count > below:
                if math.isinf(bound):
                    return low
                return low + (bound - low) * max(0.0, rank - below) / (count - below)
            low, below = bound, count
        return low


NOTHING = Counters()
"""Of what was never asked anything."""
