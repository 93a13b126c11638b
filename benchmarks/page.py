"""docs/benchmarks.md, as the run that was just made says it."""

import textwrap
from collections.abc import Iterator, Sequence

from benchmarks.result import Result, Table, summary

INTRODUCTION = """\
Written by the run itself; do not edit. Counts and ratios are of one run on one machine, where clients, proxies and
releases share the same cores: compare the rows with each other, not with another machine's.
"""


def page(results: Sequence[Result], facts: Sequence[tuple[str, str]], command: str, date: str, minutes: float) -> str:
    lines = ["# Benchmarks", "", INTRODUCTION, f"`{command}` on {date}, in {minutes:.0f} minutes.", ""]
    lines += [*_table(Table(head=("machine", ""), rows=facts)), "", "## Targets", "", *_table(summary(results)), ""]
    for result in results:
        lines += _section(result)
    return "\n".join(lines)


def _section(result: Result) -> Iterator[str]:
    yield from (f"## {result.title}", "", _prose(result.how), "")
    for table in result.tables:
        yield from (*_table(table), "")
    if result.notes:
        yield from (*(f"- {note}" for note in result.notes), "")
    missed = [figure for figure in result.figures if figure.met is False]
    for figure in missed:
        yield from (f"Not met: {figure.name}, {figure.measured} instead of {figure.target}.", "")
    if missed and result.because:
        yield from (_prose(result.because), "")


def _prose(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _table(table: Table) -> Iterator[str]:
    """Numbers to the right."""
    yield f"| {' | '.join(table.head)} |"
    yield f"| {' | '.join('---:' if _numeric(table, column) else '---' for column in range(len(table.head)))} |"
    for row in table.rows:
        yield f"| {' | '.join(row)} |"


def _numeric(table: Table, column: int) -> bool:
    return all(row[column].replace(",", "").replace(".", "").isdigit() for row in table.rows)
