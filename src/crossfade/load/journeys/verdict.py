"""The verdict of a load test: what was promised, what was measured, and whether that is met, as tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from crossfade.core.journey import Promises
from crossfade.load.journeys.book import JourneyTally, LoadBook, Period

PERCENT = 100.0
OF_HEALTH = "p95 of the health check"
# Of 3 / p requests without a failure one may say, and be wrong once in twenty, that fewer than p of all fail.
RULE_OF_THREE = 3.0
TAKEN_BACK = 1  # the exit code of a deploy whose release did not stay
MONTH = 730 * 3600  # seconds of one, as bills have it
BUSY = 0.9  # of one processor: above it the client may be what was slow
SLOW_MS = 20.0  # p99 of what the client itself was too late by


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """`met` None: it was not measured, and so is not shown to be met. `note` is what a reader must know of it."""

    what: str
    promised: str
    measured: str
    met: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A load test that is over. `monthly` is what its environment costs, in dollars; None where that is not known."""

    name: str
    book: LoadBook
    promises: Promises = field(default_factory=Promises)
    monthly: float | None = None

    @property
    def rows(self) -> list[VerdictRow]:
        return verdict(self.promises, self.book)

    @property
    def best(self) -> float:
        """Requests a second of the best stage."""
        return max(map(rate, self.book.stages), default=0.0)

    @property
    def per_dollar(self) -> float | None:
        """Requests that a dollar answers, if it is asked like that all month long."""
        return self.best * MONTH / self.monthly if self.monthly else None


def missed(promises: Promises, tally: JourneyTally) -> tuple[str, ...] | None:
    """Which promises a part of the requests does not keep, such as a stage or an endpoint; None if none is made."""
    rows = list(_of_requests(promises, tally))
    return tuple(row.what for row in rows if not row.met) if rows else None


def verdict(promises: Promises, book: LoadBook) -> list[VerdictRow]:
    """A row for each promise. Requests a second are those of the best stage: fewer visitors do not ask for more."""
    return [*_of_requests(promises, book.whole), *_carried(promises, book), *_beside(promises, book)]


def holds(rows: list[VerdictRow]) -> bool:
    """Every promise was measured and met."""
    return all(row.met for row in rows)


def limits(book: LoadBook) -> list[str]:
    """What the client could not do, for who reads its figures."""
    said = []
    seconds = sum(stage.seconds for stage in book.stages)
    if seconds and book.processor / seconds > BUSY:
        said.append(
            f"the client used {PERCENT * book.processor / seconds:.0f} % of a processor: it may be what was slow, "
            "and more visitors would not have asked more"
        )
    if book.closed:
        said.append(
            "users of a locustfile want nothing while they wait for an answer, and latency is from when Locust sent: "
            "a stall shows in fewer requests than it held up (coordinated omission), and journeys of a load test "
            "file do not leave it out"
        )
    late = book.late.quantile_ms(99)
    if late is not None and late > SLOW_MS:
        said.append(f"the client sent 1 % of its requests {late:.0f} ms late or more: that is part of the latencies")
    return said


def _of_requests(promises: Promises, tally: JourneyTally) -> Iterator[VerdictRow]:
    mean, p95, errors = tally.mean_ms, tally.quantile_ms(95), tally.error_percent
    if promises.availability is not None:
        have = None if errors is None else PERCENT - errors
        enough = tally.requests * (PERCENT - promises.availability) >= RULE_OF_THREE * PERCENT
        note = "" if enough or tally.failed else f"{tally.requests:,} requests are too few to show it"
        yield _row("availability", promises.availability, have, "%", least=True, note=note)
    if promises.errors is not None:
        yield _row("failed requests", promises.errors, errors, "%")
    if promises.mean_ms is not None:
        yield _row("mean", promises.mean_ms, mean, "ms")
    if promises.p95_ms is not None:
        yield _row("p95", promises.p95_ms, p95, "ms")


def _carried(promises: Promises, book: LoadBook) -> Iterator[VerdictRow]:
    if promises.requests is None:
        return
    rates = [(rate(stage), stage.name) for stage in book.stages]
    best, name = max(rates, default=(None, ""))
    yield _row("answered a second", promises.requests, best, "/s", least=True, note=f"with {name}" if name else "")


def _beside(promises: Promises, book: LoadBook) -> Iterator[VerdictRow]:
    if promises.health_ms is not None:
        yield _row(OF_HEALTH, promises.health_ms, book.health.quantile_ms(95), "ms")
    if promises.deploy_s is not None and book.commands:
        slowest = max(command.seconds for command in book.commands)
        yield _row("a deploy takes", promises.deploy_s, slowest, "s")
    bad = [command for command in book.commands if command.code == TAKEN_BACK]
    if promises.recovery_s is not None and bad:
        longest = max(map(book.failing, bad))
        yield _row("recovery from a bad release", promises.recovery_s, longest, "s", note="first to last failure")


def rate(period: Period) -> float:
    """Requests a second that were answered as they should."""
    return (period.tally.requests - period.tally.failed) / period.seconds if period.seconds else 0.0


def _row(
    what: str, promised: float, measured: float | None, unit: str, *, least: bool = False, note: str = ""
) -> VerdictRow:
    word = "at least" if least else "at most"
    met = None if measured is None else measured >= promised if least else measured <= promised
    have = "not measured" if measured is None else f"{number(measured)} {unit}"
    return VerdictRow(what=what, promised=f"{word} {number(promised)} {unit}", measured=have, met=met, note=note)


def number(value: float) -> str:
    """So many digits that a promise of 99.99 is not rounded to 100."""
    return f"{value:.4g}" if abs(value) < PERCENT else f"{value:,.1f}".removesuffix(".0")
