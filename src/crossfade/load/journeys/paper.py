"""A load test on paper: as text and Markdown, as one HTML file with pictures, as SVG and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from crossfade.load.journeys.book import JourneyTally, LoadBook, Period
from crossfade.load.journeys.verdict import OF_HEALTH, Result, VerdictRow, holds, limits, missed, number, rate
from crossfade.telling.paper.html import page, table, text
from crossfade.telling.paper.markdown import table as sheet
from crossfade.telling.paper.markdown import text as marked
from crossfade.telling.paper.svg import chart
from crossfade.telling.text import plural, seconds

HEAD = ("", "requests", "a second", "failed", "mean", "p50", "p95", "p99")
HELD = (*HEAD, "promises")
VERDICT = ("promise", "promised", "measured", "met", "")
MET = {True: "met", False: "NOT MET", None: "not known"}
NOTES = (
    "Latency is from the moment a visitor wanted to ask to the whole answer: a stall shows in all that it held up.",
    "Failed requests have no latency, and the warm-up is not counted.",
)


def lead(result: Result) -> str:
    """The sentence that matters."""
    book, rows = result.book, result.rows
    counted = f"{plural(book.whole.requests, 'request')}, {book.whole.failed:,} failed"
    for command in (one for one in book.commands if one.code):
        counted += f"; {command.name} ended with exit code {command.code}"
    if not rows:
        return f"{counted}; nothing was promised, so nothing can be missed"
    lost = [row.what for row in rows if not row.met]
    return f"{counted}; " + ("every promise is met" if not lost else f"not met: {', '.join(lost)}")


Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def tables(result: Result) -> Iterable[Table]:
    """Title, head and rows of each split; stages, endpoints and the health path are held against the promises."""
    book = result.book

    def held(name: str, tally: JourneyTally, a_second: float | None = None) -> tuple[str, ...]:
        return (name, *_figures(tally, a_second), _held(missed(result.promises, tally)))

    yield "By stage", HELD, [held(stage.name, stage.tally, rate(stage)) for stage in book.stages]
    if book.commands:
        yield "What visitors noticed of it", HEAD, list(map(noticed, book.commands))
    yield "By endpoint", HELD, [held(name, tally) for name, tally in sorted(book.endpoints.items())]
    if book.health.requests:
        health = [row for row in result.rows if row.what == OF_HEALTH]
        judged = ("health", *_figures(book.health), _held(tuple(row.what for row in health if not row.met)))
        yield "The health path by itself", HELD if health else HEAD, [judged if health else judged[:-1]]
    yield "By release", HEAD, _split(book.releases, book)
    yield "By instance", HEAD, _split(book.instances, book)


def _held(names: tuple[str, ...] | None) -> str:
    return "" if names is None else f"{MET[False]}: {', '.join(names)}" if names else MET[True]


def markdown(result: Result) -> str:
    parts = [f"# {marked(result.name)}", marked(lead(result))]
    if result.rows:
        parts.append(sheet(VERDICT, [_verdict(row) for row in result.rows]))
    for title, head, lines in tables(result):
        parts += [f"## {title}", sheet(head, lines) if lines else _untold(title)]
    parts += [f"- {marked(line)}" for line in _asides(result)]
    return "\n\n".join([*parts, *NOTES]) + "\n"


def html(result: Result) -> str:
    rows = result.rows
    bad = "" if holds(rows) and not any(one.code for one in result.book.commands) else " bad"
    parts = [f"<h1>{text(result.name)}</h1>", f'<p class="lead{bad}">{text(lead(result))}</p>']
    if rows:
        parts.append(table(VERDICT, [_verdict(row) for row in rows]))
    parts += charts(result.book)
    for title, head, lines in tables(result):
        parts += [f"<h2>{title}</h2>", table(head, lines) if lines else f"<p>{_untold(title)}</p>"]
    parts += [f"<p>{text(line)}</p>" for line in _asides(result)]
    return page(result.name, [*parts, *(f'<p class="quiet">{text(note)}</p>' for note in NOTES)])


def _asides(result: Result) -> list[str]:
    return [*_worth(result), *_failures(result.book), *limits(result.book)]


def _worth(result: Result) -> list[str]:
    """What is answered for the money, where the environment has a bill."""
    if result.per_dollar is None or result.monthly is None:
        return []
    rate = f"{number(result.best)} a second, all month long, for {result.monthly:,.2f} by `crossfade cost`"
    return [f"a dollar answers {result.per_dollar:,.0f} requests: {rate}"]


def svg(book: LoadBook) -> str:
    """The picture of latency by itself."""
    drawn = charts(book)[1]
    inside = drawn[drawn.index("<svg") : drawn.index("</svg>")]
    style = "<style>text{font:11px sans-serif;fill:#59616f}.side{text-anchor:end}.grid{stroke:#d6dae1}.span{fill:#3568d4;opacity:.13}polyline{fill:none;stroke:#147a52;stroke-width:2}.old{stroke:#b3261e}</style>"  # noqa: E501
    return (
        inside.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f">{style}", 1) + "</svg>\n"
    )


def charts(book: LoadBook) -> list[str]:
    """Requests a second with those that failed, and p95, second by second; commands are shaded."""
    last = max(book.seconds, default=0)
    every = [(second, book.seconds.get(second, JourneyTally())) for second in range(last + 1)]
    spans = [(one.began - book.began, min(one.ended - book.began, last + 1)) for one in book.commands]
    within = (0.0, last + 1.0)
    asked = [(float(second), float(tally.requests)) for second, tally in every]
    failed = [(float(second), float(tally.failed)) for second, tally in every]
    slow = [(float(second), value) for second, tally in every if (value := tally.quantile_ms(95)) is not None]
    most = max((value for _, value in asked), default=0.0) or 1.0
    highest = max((value for _, value in slow), default=0.0) or 1.0
    return [
        chart(
            "Requests a second, and those that failed (dashed)",
            [("new", asked), ("old", failed)],
            within,
            most=most,
            unit="/s",
            spans=spans,
        ),
        chart("95 % within, in ms", [("new", slow)], within, most=highest, unit="ms", spans=spans),
    ]


def data(result: Result) -> dict[str, Any]:
    """All of it as JSON."""
    book, rows, promises = result.book, result.rows, result.promises

    def held(tally: JourneyTally) -> dict[str, Any]:
        return {"missed": missed(promises, tally)}

    return {
        "met": holds(rows),
        "verdict": [asdict(row) for row in rows],
        **_json(book.whole),
        "stages": [period(stage) | held(stage.tally) for stage in book.stages],
        "during": [{**period(one), "exit_code": one.code} for one in book.commands],
        "endpoints": {name: _json(tally) | held(tally) for name, tally in sorted(book.endpoints.items())},
        "releases": {name: _json(tally) for name, tally in sorted(book.releases.items())},
        "instances": {name: _json(tally) for name, tally in sorted(book.instances.items())},
        "health": _json(book.health) if book.health.requests else None,
        "monthly": result.monthly,
        "requests_per_dollar": None if result.per_dollar is None else round(result.per_dollar),
        "causes": dict(book.causes),
        "limits": limits(book),
    }


def _json(tally: JourneyTally) -> dict[str, Any]:
    mean = tally.mean_ms
    return {
        "requests": tally.requests,
        "failed": tally.failed,
        "mean_ms": None if mean is None else round(mean, 3),
        **{f"p{percent}_ms": tally.quantile_ms(percent) for percent in (50, 95, 99)},
    }


def period(one: Period) -> dict[str, Any]:
    """A stage or a command as JSON."""
    return {"name": one.name, "seconds": round(one.seconds, 3), "per_second": round(rate(one), 2), **_json(one.tally)}


def _figures(tally: JourneyTally, a_second: float | None = None) -> tuple[str, ...]:
    percent = tally.error_percent
    failed = f"{tally.failed:,}" + (f" ({number(percent)} %)" if percent else "")
    times = [tally.mean_ms, *(tally.quantile_ms(q) for q in (50, 95, 99))]
    told = ["-" if value is None else f"{number(value)} ms" for value in times]
    return (f"{tally.requests:,}", "" if a_second is None else number(a_second), failed, *told)


def _split(parts: dict[str, JourneyTally], book: LoadBook) -> list[tuple[str, ...]]:
    whole = book.whole.requests
    return [
        (f"{name} ({100 * tally.requests / whole:.1f} %)", *_figures(tally)) for name, tally in sorted(parts.items())
    ]


def _untold(title: str) -> str:
    return f"{title}: the answers do not say, or too little was asked."


def noticed(one: Period) -> tuple[str, ...]:
    """The row of a command, as HEAD names the columns."""
    return (_command(one), *_figures(one.tally, rate(one)))


def _command(one: Period) -> str:
    how = "did not end" if one.code is None else "done" if one.code == 0 else f"exit code {one.code}"
    return f"{one.name}, {seconds(one.seconds)}, {how}"


def _verdict(row: VerdictRow) -> tuple[str, ...]:
    return (row.what, row.promised, row.measured, MET[row.met], row.note)


def _failures(book: LoadBook) -> list[str]:
    return [
        f"{count:,} times: {cause}"
        + "".join(f"; first after {at:.1f} s at {where}" for at, where, why in book.examples[:1] if why == cause)
        for cause, count in book.causes.most_common(10)
    ]
