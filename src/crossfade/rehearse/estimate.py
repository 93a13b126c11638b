"""The estimate for production: how long, how many instances, what it costs. Sums, with what they assume."""

import math
from dataclasses import dataclass

USUAL_SHARE = 70.0  # percent of its processor that an instance is planned for, where the file says nothing
SLOW_START = 120.0  # seconds in which AWS has started a task when it takes its time


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodCourse:
    """A good release: `planned` by the settings alone, in production's times and in ours, and `took` here.

    Each of `waves` is a launch whose instances AWS asks `checks` times, `interval` seconds apart, before they are
    healthy; here a new instance is asked more often than one that is well.
    """

    planned: float
    planned_here: float
    took: float
    waves: int
    checks: int
    interval: float

    @property
    def there(self) -> float:
        """Seconds that it would take in production, if AWS started tasks as fast as this machine its processes."""
        own = max(0.0, self.took - self.planned_here)  # the app's boot, and what the machine needs
        return self.planned + self.waves * self.checks * self.interval + own

    def meets(self, promised: float) -> bool | None:
        """None where it hangs on how fast AWS starts tasks."""
        if self.there > promised:
            return False
        return True if self.there + self.waves * SLOW_START <= promised else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Instances of a service for `requests` a second, of which each takes `cpu_ms` of a processor; None: not known."""

    service: str
    requests: float
    cpu_ms: float | None
    cores: float | None
    share: float  # percent of its processor that an instance is planned for
    a_minute: int | None  # requests that an instance is to have, by the file
    least: int
    most: int

    @property
    def by_cpu(self) -> int | None:
        return None if self.cpu_ms is None else self.for_cpu(self.cpu_ms)

    def for_cpu(self, cpu_ms: float) -> int | None:
        """Instances if a request took so much processor."""
        if not self.cores:
            return None
        return max(1, math.ceil(self.requests * cpu_ms / 1000 / (self.cores * self.share / 100)))

    @property
    def by_requests(self) -> int | None:
        return None if self.a_minute is None else math.ceil(self.requests * 60 / self.a_minute)

    @property
    def wanted(self) -> int | None:
        """What is known of it: the greater of both, and never fewer than the file has."""
        known = [one for one in (self.by_cpu, self.by_requests) if one is not None]
        return max([*known, self.least]) if known else None

    @property
    def fits(self) -> bool | None:
        return None if self.wanted is None else self.wanted <= self.most
