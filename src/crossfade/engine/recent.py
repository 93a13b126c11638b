"""The recent counters of a service: for `status`, and for what a release's errors usually are."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.core.counters import NOTHING, Counters

KEPT = 300.0  # seconds that are remembered ...
EVERY = 10.0  # ... as the totals that were counted so often


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    total: Counters
    groups: Mapping[int, Counters]


class Recent:
    """The totals of one service in the last five minutes, all of it and by release. Times are the caller's."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._now: _Sample | None = None

    def note(self, now: float, total: Counters, groups: Mapping[int, Counters]) -> None:
        """Take in what was counted until now. What did not change since the last time is kept once."""
        last = self._samples[-1] if self._samples else None
        if last and last.total == total and last.groups == groups:
            total, groups = last.total, last.groups
        self._now = _Sample(now, total, groups)
        if last is None or now >= last.at + EVERY:
            self._samples.append(self._now)
        while len(self._samples) > 1 and self._samples[1].at <= now - KEPT:
            self._samples.popleft()

    def lately(self, seconds: float = 60.0) -> tuple[Counters, float]:
        """What was counted in about the last `seconds`, and of how many that is known."""
        if self._now is None:
            return NOTHING, 0.0
        start = self._samples[0]
        for sample in self._samples:
            if sample.at > self._now.at - seconds:
                break
            start = sample
        return self._now.total.since(start.total), self._now.at - start.at

    def usual(self, release: int) -> Counters:
        """What a release's clients got in the last five minutes; who looked for less takes all that was counted."""
        if self._now is None:
            return NOTHING
        start = self._samples[0]
        known = start.at <= self._now.at - KEPT
        before = start.groups.get(release, NOTHING) if known else NOTHING
        return self._now.groups.get(release, NOTHING).since(before)
