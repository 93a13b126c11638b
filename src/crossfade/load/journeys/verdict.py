"""What was promised, what was measured, and whether that is met: the tables of a load test."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.core.journey import Promises
from crossfade.load.journeys.book import Book, Period, Tally

PERCENT = 100.0
# Of 3 / p requests without a failure one may say, and be wrong once in twenty, that fewer than p of all fail.
RULE_OF_THREE = 3.0
BUSY = 0.9  # of one processor: above it the client may be what was slow
SLOW_MS = 20.0  # p99 of what the client itself was too late by


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`met` None: it was not measured, and so is not shown to be met. `note` is what a reader must know of it."""

    what: str
    promised: str
    measured: str
    met: bool | None
    note: str = ""


def verdict(promises: Promises, book: Book) -> list[Row]:
    """A row for each promise. Requests a second are those of the best stage: fewer visitors do not ask for more."""
    return [*_of_requests(promises, book.whole), *_carried(promises, book), *_beside(promises, book)]


def holds(rows: list[Row]) -> bool:
    """Every promise was measured and met."""
    return all(row.met for row in rows)


def limits(book: Book) -> list[str]:
    """What the client could not do, for who reads its figures."""
    said = []
    seconds = sum(stage.seconds for stage in book.stages)
    if seconds and book.processor / seconds > BUSY:
        said.append(
            f"the client used {PERCENT * book.processor / seconds:.0f} % of a processor: it may be what was slow, "
            "and more visitors would not have asked more"
        )
    late = book.late.quantile_ms(99)
    if late is not None and late > SLOW_MS:
        said.append(f"the client sent 1 % of its requests {late:.0f} ms late or more: that is part of the latencies")
    return said


def _of_requests(promises: Promises, tally: Tally) -> Iterator[Row]:
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


def _carried(promises: Promises, book: Book) -> Iterator[Row]:
    if promises.requests is None:
        return
    rates = [(rate(stage), stage.name) for stage in book.stages]
    best, name = max(rates, default=(None, ""))
    yield _row("answered a second", promises.requests, best, "/s", least=True, note=f"with {name}" if name else "")


def _beside(promises: Promises, book: Book) -> Iterator[Row]:
    if promises.health_ms is not None:
        yield _row("p95 of the health check", promises.health_ms, book.health.quantile_ms(95), "ms")
    if promises.deploy_s is not None and book.commands:
        slowest = max(command.seconds for command in book.commands)
        yield _row("a deploy takes", promises.deploy_s, slowest, "s")


def rate(period: Period) -> float:
    """Requests a second that were answered as they should."""
    return (period.tally.requests - period.tally.failed) / period.seconds if period.seconds else 0.0


def _row(what: str, promised: float, measured: float | None, unit: str, *, least: bool = False, note: str = "") -> Row:
    word = "at least" if least else "at most"
    met = None if measured is None else measured >= promised if least else measured <= promised
    have = "not measured" if measured is None else f"{number(measured)} {unit}"
    return Row(what=what, promised=f"{word} {number(promised)} {unit}", measured=have, met=met, note=note)


def number(value: float) -> str:
    """So many digits that a promise of 99.99 is not rounded to 100."""
    return f"{value:.4g}" if abs(value) < PERCENT else f"{value:,.1f}".removesuffix(".0")
