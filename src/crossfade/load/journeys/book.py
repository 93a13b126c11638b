"""The book of a load test: counts by stage, endpoint, second, release and instance. One event loop writes it."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from crossfade.load.latency import Latency, bucket

EXAMPLES = 10


@dataclass(slots=True)
class JourneyTally:
    """Requests, and how long from the moment each was due to its whole answer. Lost ones have no latency."""

    requests: int = 0
    failed: int = 0
    total_ms: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float | None) -> None:
        self.requests += 1
        if seconds is None:
            self.failed += 1
            return
        self.total_ms += seconds * 1000
        self.buckets[bucket(int(seconds * 1_000_000))] += 1

    def quantile_ms(self, percent: float) -> float | None:
        return Latency(self.buckets).percentile_ms(percent)

    @property
    def mean_ms(self) -> float | None:
        answered = self.requests - self.failed
        return self.total_ms / answered if answered else None

    @property
    def error_percent(self) -> float | None:
        return 100 * self.failed / self.requests if self.requests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request. `due` is when its visitor wanted to send it; `late` by how much the client itself was too slow."""

    endpoint: str
    due: float
    ended: float
    late: float
    failure: str = ""
    release: str | None = None
    instance: str | None = None


@dataclass(slots=True)
class Period:
    """A stage, or a command that ran meanwhile."""

    name: str
    users: int
    began: float
    ended: float = math.inf
    code: int | None = None
    tally: JourneyTally = field(default_factory=JourneyTally)

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class LoadBook:
    """`began` is when counting began; times are of the client's clock."""

    def __init__(self) -> None:
        self.began = math.inf
        self.stages: list[Period] = []
        self.commands: list[Period] = []
        self.whole = JourneyTally()
        self.health = JourneyTally()
        self.endpoints: defaultdict[str, JourneyTally] = defaultdict(JourneyTally)
        self.releases: defaultdict[str, JourneyTally] = defaultdict(JourneyTally)
        self.instances: defaultdict[str, JourneyTally] = defaultdict(JourneyTally)
        self.seconds: defaultdict[int, JourneyTally] = defaultdict(JourneyTally)
        self.causes: Counter[str] = Counter()
        self.examples: list[tuple[float, str, str]] = []
        self.late = JourneyTally()  # what the client itself was too slow by
        self.processor = 0.0  # seconds of it that the client used
        self.closed = False  # who waits for an answer asks for nothing meanwhile: a closed loop

    def add(self, one: Sample) -> None:
        if not self.began <= one.due:
            return  # of the warm-up
        took = None if one.failure else one.ended - one.due
        tallies = [self.whole, self.endpoints[one.endpoint], self.seconds[int(one.due - self.began)]]
        tallies += [period.tally for period in self._around(one)]
        if one.release:
            tallies.append(self.releases[one.release])
        if one.instance:
            tallies.append(self.instances[one.instance])
        for tally in tallies:
            tally.add(took)
        self.late.add(one.late)
        if one.failure:
            self.causes[one.failure] += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append((one.due - self.began, one.endpoint, one.failure))

    def failing(self, period: Period) -> float:
        """Seconds from the first to the last failed request in it."""
        bad = [
            second
            for second, tally in self.seconds.items()
            if tally.failed and period.began - 1 <= self.began + second <= period.ended
        ]
        return float(max(bad) - min(bad) + 1) if bad else 0.0

    def _around(self, one: Sample) -> Iterator[Period]:
        """The stage in which it was due, and each command during which it was under way."""
        stage = next((stage for stage in reversed(self.stages) if stage.began <= one.due), None)
        if stage:
            yield stage
        for command in self.commands:
            if one.ended >= command.began and one.due <= command.ended:
                yield command
