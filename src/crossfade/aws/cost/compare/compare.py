"""Two bills side by side: what is new, what goes, what changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from crossfade.aws.cost.bill.bill import Bill, Line

Sign = Literal["+", "~", "-", "="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line in both bills; None where a bill has no such line, or knows no price for it."""

    before: Line | None
    after: Line | None

    @property
    def sign(self) -> Sign:
        if self.before is None:
            return "+"
        if self.after is None:
            return "-"
        same = self.before.item == self.after.item and self.before.monthly == self.after.monthly
        return "=" if same else "~"

    @property
    def area(self) -> str:
        line = self.after or self.before
        return line.area if line is not None else ""

    @property
    def item(self) -> str:
        """Its name, or both where it changed."""
        names = dict.fromkeys(line.item for line in (self.before, self.after) if line is not None)
        return " -> ".join(names)

    @property
    def was(self) -> Decimal | None:
        return _expected(self.before)

    @property
    def will_be(self) -> Decimal | None:
        return _expected(self.after)

    @property
    def difference(self) -> Decimal | None:
        """None when a price is unknown on either side: an unknown price is not 0."""
        was, will_be = (Decimal(0) if line is None else _expected(line) for line in (self.before, self.after))
        return None if was is None or will_be is None else will_be - was


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Every line of two bills, in the order of the second; lines that go stand behind the others of their area."""

    before: Bill
    after: Bill
    rows: tuple[Row, ...]

    @property
    def difference(self) -> Decimal:
        return self.after.total.expected - self.before.total.expected

    @property
    def percent(self) -> Decimal | None:
        """Of the first; None when that is nothing."""
        was = self.before.total.expected
        return round(100 * self.difference / was, 1) if was else None

    @property
    def changed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.sign != "=")

    @property
    def unknown(self) -> tuple[Row, ...]:
        """Changes that nobody can put a figure on."""
        return tuple(row for row in self.changed if row.difference is None)


def compare(before: Bill, after: Bill) -> Comparison:
    """Lines of one name belong together; of the rest, those about the same thing, which has another size now."""
    rest = list(before.lines)
    pairs: dict[Line, Line] = {}
    for same in (_same_name, _same_thing):
        for line in after.lines:
            other = next((each for each in rest if same(each, line)), None) if line not in pairs else None
            if other is not None:
                pairs[line] = other
                rest.remove(other)
    rows = [Row(before=pairs.get(line), after=line) for line in after.lines]
    gone = [Row(before=line, after=None) for line in rest]
    return Comparison(before=before, after=after, rows=tuple(_by_area([*rows, *gone])))


def _by_area(rows: list[Row]) -> Iterator[Row]:
    for area in dict.fromkeys(row.area for row in rows):
        yield from (row for row in rows if row.area == area)


def _same_name(one: Line, other: Line) -> bool:
    return (one.area, one.item) == (other.area, other.item)


def _same_thing(one: Line, other: Line) -> bool:
    """The same resources, priced by the same kind of price: db.t4g.micro became db.t4g.small."""
    return one.area == other.area and _kinds(one) == _kinds(other) and bool({*one.addresses} & {*other.addresses})


def _kinds(line: Line) -> set[str]:
    """rds.hour of rds.hour.postgres.single.db.t4g.micro."""
    return {".".join(key.split(".")[:2]) for key in line.keys}


def shown(line: Line | None) -> str:
    """What a line comes to; nothing where there is no such line."""
    if line is None:
        return ""
    return "unknown" if line.monthly is None else f"{line.monthly.expected:,.2f}"


def _expected(line: Line | None) -> Decimal | None:
    return None if line is None or line.monthly is None else line.monthly.expected
