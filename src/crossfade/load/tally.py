"""Counts while traffic runs. One event loop writes it, so nothing is locked."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from crossfade.load.latency import BUCKETS, Latency, bucket
from crossfade.load.report import LOSSES_KEPT, Cause, Count, LoadReport, Loss, Mode, Span


class Lost(Exception):  # noqa: N818 - the word for it: "a lost request"
    """A request that did not get a complete, right answer. `status` and `release` when it was answered after all."""

    def __init__(self, cause: Cause, detail: str, *, status: int | None = None, release: str | None = None) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail
        self.status = status
        self.release = release


class _Sighting:
    """One release's `Seen`, growing."""

    __slots__ = ("failed", "first_seen", "last_seen", "last_sent", "requests")

    def __init__(self, first_seen: float) -> None:
        self.requests = 0
        self.failed = 0
        self.first_seen = first_seen
        self.last_seen = first_seen
        self.last_sent = 0.0

    def frozen(self) -> Span:
        return Span(self.requests, self.failed, self.first_seen, self.last_seen, self.last_sent)


class Tally:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._wall_offset = datetime.now(UTC).timestamp() - clock()
        self._ended: float | None = None
        self.reset()

    def reset(self) -> None:
        """Starts again from nothing, now."""
        self._started = self._now()
        self._requests: Counter[Mode] = Counter()
        self._failed: Counter[Mode] = Counter()
        self._causes: Counter[Cause] = Counter()
        self._statuses: Counter[int] = Counter()
        self._sightings: dict[str, _Sighting] = {}
        self._buckets = [0] * BUCKETS
        self._losses: list[Loss] = []
        self.connections = 0
        self.told_to_close = 0
        self.resent = 0
        self.stray = 0

    def answered(self, mode: Mode, sent: float, status: int | None, release: str | None, *, timed: bool = True) -> None:
        """A request sent at `sent` was answered completely, just now. `timed`: how long that took is a latency."""
        now = self.clock()
        self._requests[mode] += 1
        if timed:
            self._buckets[bucket(int((now - sent) * 1_000_000))] += 1
        self._answer(now, sent, status, release)

    def lost(self, mode: Mode, sent: float, loss: Lost) -> None:
        """A request sent at `sent` was lost, just now. Its latency is not one: it is left out of the percentiles."""
        now = self.clock()
        self._requests[mode] += 1
        self._failed[mode] += 1
        self._causes[loss.cause] += 1
        sighting = self._answer(now, sent, loss.status, loss.release)
        if sighting:
            sighting.failed += 1
        if len(self._losses) < LOSSES_KEPT:
            self._losses.append(Loss(now, mode, loss.cause, loss.detail))

    def _answer(self, now: float, sent: float, status: int | None, release: str | None) -> _Sighting | None:
        if status is not None:
            self._statuses[status] += 1
        if release is None:
            return None
        sighting = self._sightings.get(release)
        if sighting is None:
            sighting = self._sightings[release] = _Sighting(now)
        sighting.requests += 1
        sighting.last_seen = now
        # Answers do not come in the order of their requests.
        sighting.last_sent = max(sighting.last_sent, sent)
        return sighting

    def end(self) -> None:
        """The run is over, and its clock stands still from here."""
        self._ended = self._now()

    def _now(self) -> float:
        return self.clock() if self._ended is None else self._ended

    def report(self) -> LoadReport:
        return LoadReport(
            started=self._started,
            ended=self._now(),
            wall_offset=self._wall_offset,
            causes=dict(self._causes),
            statuses=dict(self._statuses),
            modes={mode: Count(requests, self._failed[mode]) for mode, requests in self._requests.items()},
            releases={name: sighting.frozen() for name, sighting in self._sightings.items()},
            latency=Latency({number: count for number, count in enumerate(self._buckets) if count}),
            connections=self.connections,
            told_to_close=self.told_to_close,
            resent=self.resent,
            stray=self.stray,
            losses=tuple(self._losses),
        )
