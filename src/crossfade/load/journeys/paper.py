"""A load test on paper: as text and Markdown, as one HTML file with pictures, as SVG and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from crossfade.load.journeys.book import Book, Period, Tally
from crossfade.load.journeys.verdict import Row, holds, limits, number, rate
from crossfade.telling.paper.html import page, table, text
from crossfade.telling.paper.markdown import table as sheet
from crossfade.telling.paper.markdown import text as marked
from crossfade.telling.paper.svg import chart
from crossfade.telling.text import plural, seconds

HEAD = ("", "requests", "a second", "failed", "mean", "p50", "p95", "p99")
VERDICT = ("promise", "promised", "measured", "met", "")
MET = {True: "met", False: "NOT MET", None: "not known"}
NOTES = (
    "Latency is from the moment a visitor wanted to ask to the whole answer: a stall shows in all that it held up.",
    "Failed requests have no latency, and the warm-up is not counted.",
)


def lead(rows: list[Row], book: Book) -> str:
    """The sentence that matters."""
    counted = f"{plural(book.whole.requests, 'request')}, {book.whole.failed:,} failed"
    if not rows:
        return f"{counted}; nothing was promised, so nothing can be missed"
    missed = [row.what for row in rows if not row.met]
    return f"{counted}; " + ("every promise is met" if not missed else f"not met: {', '.join(missed)}")


def tables(book: Book) -> Iterable[tuple[str, list[tuple[str, ...]]]]:
    """Name and rows of each split, as HEAD names the columns."""
    yield "By stage", [(stage.name, *_figures(stage.tally, rate(stage))) for stage in book.stages]
    if book.commands:
        yield "What visitors noticed of it", [(_command(one), *_figures(one.tally, rate(one))) for one in book.commands]
    yield "By endpoint", [(name, *_figures(tally)) for name, tally in sorted(book.endpoints.items())]
    if book.health.requests:
        yield "The health path by itself", [("health", *_figures(book.health))]
    yield "By release", _split(book.releases, book)
    yield "By instance", _split(book.instances, book)


def markdown(name: str, rows: list[Row], book: Book) -> str:
    parts = [f"# {marked(name)}", marked(lead(rows, book))]
    if rows:
        parts.append(sheet(VERDICT, [_verdict(row) for row in rows]))
    for title, lines in tables(book):
        parts += [f"## {title}", sheet(HEAD, lines) if lines else _untold(title)]
    parts += [f"- {marked(line)}" for line in (*_failures(book), *limits(book))]
    return "\n\n".join([*parts, *NOTES]) + "\n"


def html(name: str, rows: list[Row], book: Book) -> str:
    bad = "" if holds(rows) else " bad"
    parts = [f"<h1>{text(name)}</h1>", f'<p class="lead{bad}">{text(lead(rows, book))}</p>']
    if rows:
        parts.append(table(VERDICT, [_verdict(row) for row in rows]))
    parts += charts(book)
    for title, lines in tables(book):
        parts += [f"<h2>{title}</h2>", table(HEAD, lines) if lines else f"<p>{_untold(title)}</p>"]
    parts += [f"<p>{text(line)}</p>" for line in (*_failures(book), *limits(book))]
    return page(name, [*parts, *(f'<p class="quiet">{text(note)}</p>' for note in NOTES)])


def svg(book: Book) -> str:
    """The picture of latency by itself."""
    drawn = charts(book)[1]
    inside = drawn[drawn.index("<svg") : drawn.index("</svg>")]
    style = "<style>text{font:11px sans-serif;fill:#59616f}.side{text-anchor:end}.grid{stroke:#d6dae1}.span{fill:#3568d4;opacity:.13}polyline{fill:none;stroke:#147a52;stroke-width:2}.old{stroke:#b3261e}</style>"  # noqa: E501
    return (
        inside.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f">{style}", 1) + "</svg>\n"
    )


def charts(book: Book) -> list[str]:
    """Requests a second with those that failed, and p95, second by second; commands are shaded."""
    last = max(book.seconds, default=0)
    every = [(second, book.seconds.get(second, Tally())) for second in range(last + 1)]
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


def data(rows: list[Row], book: Book) -> dict[str, Any]:
    """All of it as JSON."""
    return {
        "met": holds(rows),
        "verdict": [asdict(row) for row in rows],
        **_json(book.whole),
        "stages": [_period(stage) for stage in book.stages],
        "during": [{**_period(one), "exit_code": one.code} for one in book.commands],
        "endpoints": {name: _json(tally) for name, tally in sorted(book.endpoints.items())},
        "releases": {name: _json(tally) for name, tally in sorted(book.releases.items())},
        "instances": {name: _json(tally) for name, tally in sorted(book.instances.items())},
        "health": _json(book.health) if book.health.requests else None,
        "causes": dict(book.causes),
        "limits": limits(book),
    }


def _json(tally: Tally) -> dict[str, Any]:
    mean = tally.mean_ms
    return {
        "requests": tally.requests,
        "failed": tally.failed,
        "mean_ms": None if mean is None else round(mean, 3),
        **{f"p{percent}_ms": tally.quantile_ms(percent) for percent in (50, 95, 99)},
    }


def _period(one: Period) -> dict[str, Any]:
    return {"name": one.name, "seconds": round(one.seconds, 3), "per_second": round(rate(one), 2), **_json(one.tally)}


def _figures(tally: Tally, a_second: float | None = None) -> tuple[str, ...]:
    percent = tally.error_percent
    failed = f"{tally.failed:,}" + (f" ({number(percent)} %)" if percent else "")
    times = [tally.mean_ms, *(tally.quantile_ms(q) for q in (50, 95, 99))]
    told = ["-" if value is None else f"{number(value)} ms" for value in times]
    return (f"{tally.requests:,}", "" if a_second is None else number(a_second), failed, *told)


def _split(parts: dict[str, Tally], book: Book) -> list[tuple[str, ...]]:
    whole = book.whole.requests
    return [
        (f"{name} ({100 * tally.requests / whole:.1f} %)", *_figures(tally)) for name, tally in sorted(parts.items())
    ]


def _untold(title: str) -> str:
    return f"{title}: the answers do not say, or too little was asked."


def _command(one: Period) -> str:
    how = "did not end" if one.code is None else "done" if one.code == 0 else f"exit code {one.code}"
    return f"{one.name}, {seconds(one.seconds)}, {how}"


def _verdict(row: Row) -> tuple[str, ...]:
    return (row.what, row.promised, row.measured, MET[row.met], row.note)


def _failures(book: Book) -> list[str]:
    return [
        f"{count:,} times: {cause}"
        + "".join(f"; first after {at:.1f} s at {where}" for at, where, why in book.examples[:1] if why == cause)
        for cause, count in book.causes.most_common(10)
    ]
