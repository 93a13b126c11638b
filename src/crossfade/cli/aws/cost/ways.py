"""The ways in which `crossfade cost` can answer: a bill, savings, a comparison, Markdown, a chart."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from crossfade.aws.cost.bill.bill import Bill
from crossfade.cli.aws.cost.source import BillOf, bills_of
from crossfade.cli.call import Call
from crossfade.cli.output import write
from crossfade.core.errors import WrongInputError


@dataclass(frozen=True, kw_only=True)
class CostOptions:
    """What was asked for on the command line."""

    plan: Path | None
    region: str | None
    table: Path | None
    prices: Path | None
    live: bool
    save: bool
    assume: Path | None
    compare: str | None
    diff: str | None
    markdown: bool
    chart: Path | None

    def refuse_the_impossible(self) -> None:
        """Two ways at once would answer neither question."""
        sources = {"--plan": self.plan, "--table": self.table}
        ways = {"--save": self.save, "--compare": self.compare, "--diff": self.diff, "--chart": self.chart}
        for kind in (sources, ways):
            if len(given := [name for name, value in kind.items() if value]) > 1:
                raise click.UsageError(f"{' and '.join(given)} exclude each other")
        if self.region and not self.plan:
            raise click.UsageError("--region is for --plan: the file says its region itself")
        if self.live and self.table:
            raise click.UsageError("--live is for a bill from the file or a plan")
        if self.assume and not self.save:
            raise click.UsageError("--assume is for --save")
        if self.diff and (self.plan or self.table):
            raise click.UsageError("--diff is about the file, and not about a plan or a table")
        if self.markdown and (self.save or self.chart):
            raise click.UsageError("--markdown is for a bill, --compare and --diff")


def answer(call: Call, wanted: CostOptions) -> None:
    """One way, for people or for programs."""
    wanted.refuse_the_impossible()
    bills = bills_of(call, wanted.plan, wanted.region, wanted.table, wanted.prices)
    if wanted.live:
        from crossfade.cli.aws.cost.live import asked

        prices, said = asked([bill for bill, _ in bills], wanted.prices)
        click.echo(said, err=True)
        wanted = replace(wanted, prices=prices)
        bills = bills_of(call, wanted.plan, wanted.region, wanted.table, wanted.prices)
    if wanted.save:
        _save(call, wanted, bills)
    elif wanted.compare or wanted.diff:
        _compare(call, wanted, bills)
    elif wanted.chart:
        _chart(call, wanted.chart, _only(bills))
    else:
        _bills(call, [bill for bill, _ in bills], markdown=wanted.markdown)


def _bills(call: Call, bills: list[Bill], *, markdown: bool) -> None:
    from crossfade.cli.aws.cost.text import as_json, text

    shown = text
    if markdown:
        from crossfade.aws.cost.show.markdown import of_bill as shown
    call.answer({"bills": [as_json(bill) for bill in bills]}, "\n\n".join(map(shown, bills)))


def _save(call: Call, wanted: CostOptions, bills: list[BillOf]) -> None:
    from crossfade.cli.aws.cost.savings import as_json, savings, text

    found = savings(bills, call.environment, wanted.prices, wanted.assume)
    call.answer({"savings": [as_json(each) for each in found]}, "\n\n\n".join(map(text, found)))


def _compare(call: Call, wanted: CostOptions, bills: list[BillOf]) -> None:
    from crossfade.aws.cost.compare.compare import compare
    from crossfade.aws.cost.compare.other import OtherBill, at_revision
    from crossfade.aws.cost.show.markdown import of_comparison
    from crossfade.cli.aws.cost.compare import as_json, text

    if wanted.diff:
        file = call.required()
        pairs = [(at_revision(file, wanted.diff, bill.title, wanted.prices), bill) for bill, _ in bills]
    else:
        after = _only(bills)
        other = OtherBill(wanted.compare or "", call.found(), call.environment or after.title, wanted.prices)
        pairs = [(other.bill(), after)]
    found = [compare(before, after) for before, after in pairs]
    shown = of_comparison if wanted.markdown else text
    call.answer({"comparisons": [as_json(each) for each in found]}, "\n\n".join(map(shown, found)))


def _chart(call: Call, file: Path, bill: Bill) -> None:
    from crossfade.aws.cost.show.chart_bill import drawn

    write(file, drawn(bill), "--chart")
    data: dict[str, Any] = {"chart": str(file), "title": bill.title, "total": float(bill.total.expected)}
    call.answer(data, f"{file} shows where {bill.total.expected:,.2f} US dollars a month go")


def _only(bills: list[BillOf]) -> Bill:
    if len(bills) == 1:
        return bills[0][0]
    names = ", ".join(bill.title for bill, _ in bills)
    raise WrongInputError(f"the file has several environments on AWS: {names}", "say which with -e")
