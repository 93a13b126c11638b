"""docs/benchmarks.md, as what was measured last says it."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.measured import Measured
from benchmarks.result import Table, summary

INTRODUCTION = """\
Written by `python -m benchmarks`; do not edit. Counts and ratios are of one run on one machine, where clients, proxies
and releases share the same cores: compare the rows of a table with each other, not with another machine's. Each part
says when it was measured, at which commit, and how busy the machine was in the minute before.
"""


def page(measured: Sequence[Measured]) -> str:
    """One machine is told at the top, further ones in their parts."""
    machine = measured[0].machine
    lines = ["# Benchmarks", "", INTRODUCTION, *_table(Table(head=("machine", ""), rows=list(machine.items()))), ""]
    lines += ["## Targets", "", *_table(summary([one.result for one in measured])), ""]
    for one in measured:
        lines += _section(one, () if one.machine == machine else one.machine.items())
    return "\n".join(lines)


def _section(measured: Measured, elsewhere: Iterable[tuple[str, str]]) -> Iterator[str]:
    result = measured.result
    yield from (f"## {result.title}", "", _prose(result.how), "", _prose(measured.when), "")
    if machine := ", ".join(f"{name} {what}" for name, what in elsewhere):
        yield from (_prose(f"On another machine: {machine}."), "")
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
