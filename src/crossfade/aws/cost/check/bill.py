"""A team's table as a bill, so that it can be saved on, compared and drawn like one of ours."""

from decimal import Decimal
from pathlib import Path

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.check.table import TableLine, read_table


def table_bill(path: Path) -> Bill:
    """The figures are the team's own, right or wrong. WrongInputError for what is no such table."""
    table = read_table(path)
    lines = tuple(_line(line, table.hours, path.name) for line in table.lines)
    return Bill(title=path.name, region=table.region, book=f"the team's figures in {path.name}", lines=lines)


def _line(line: TableLine, hours: Decimal, file: str) -> Line:
    quantity, rate = line.quantity or Decimal(1), tuple((thing.quantity, thing.kind) for thing in line.things)
    by_hours = bool(rate) and all(thing.hourly for thing in line.things)
    if line.kind and rate:
        rate = ((Decimal(1), line.kind),)
    if by_hours:
        quantity *= hours
    low, high = line.monthly.low, line.monthly.high
    middle = (low + high) / 2
    return Line(
        area="Other",
        item=line.item,
        quantity=Amount.of(quantity),
        unit="hours" if by_hours else line.unit or "month",
        price=middle / quantity,
        monthly=Amount(low, middle, high),
        source=file,
        assumes="" if low == high else f"between {low} and {high}",
        rate=rate,
    )
