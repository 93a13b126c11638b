"""A charge: what is paid for, before anybody asks the price."""

from dataclasses import dataclass
from decimal import Decimal

from crossfade.aws.cost.catalog.catalog import Area
from crossfade.aws.cost.money import exact


@dataclass(frozen=True, slots=True)
class Amount:
    """The least, the expected and the most of something: what scaling may make of it."""

    least: Decimal
    expected: Decimal
    most: Decimal

    @classmethod
    def of(cls, number: float | str | Decimal) -> "Amount":
        """The same at all times."""
        return cls(*[exact(number)] * 3)

    @classmethod
    def between(cls, least: float, expected: float, most: float) -> "Amount":
        """An expectation outside of the range widens it."""
        return cls(exact(min(least, expected)), exact(expected), exact(max(most, expected)))

    @property
    def varies(self) -> bool:
        return not self.least == self.expected == self.most

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.least + other.least, self.expected + other.expected, self.most + other.most)

    def times(self, factor: float | str | Decimal) -> "Amount":
        by = exact(factor)
        return Amount(self.least * by, self.expected * by, self.most * by)

    def over(self, size: int) -> "Amount":
        """In units of so many: 10,000 requests are 10 of a thousand."""
        return Amount(self.least / size, self.expected / size, self.most / size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge: so much of something, at a rate that is made of one price or more.

    `rate` says how much of which price a unit takes: an hour of a task with half a core and 1 GB is
    ((0.5, "fargate.vcpu-hour.x86"), (1, "fargate.gb-hour.x86")). Charges of one `item` become one line.
    """

    area: Area
    item: str
    quantity: Amount
    unit: str
    rate: tuple[tuple[Decimal, str], ...]
    addresses: tuple[str, ...] = ()
    assumes: str = ""  # what the quantity rests on, when it depends on use
    usage: str = ""  # the key of `cloud.usage` that changes it
    note: str = ""
    keep: bool = False  # a line also when its quantity is 0: what is free should be seen
    beside: Amount | None = None  # so much of it an hour runs once more while a release is changed
    unsaid: bool = False  # nobody has said how much it will be, and so it is no part of the total


def unpriced(
    area: Area,
    item: str,
    addresses: tuple[str, ...],
    note: str,
    *,
    quantity: Amount | None = None,
    unit: str = "resources",
) -> Charge:
    """What is billed and has no price here: a line that says why, and is counted as unknown."""
    count = Amount.of(1) if quantity is None else quantity
    return Charge(area=area, item=item, quantity=count, unit=unit, rate=once(UNPRICED), addresses=addresses, note=note)


OWN = "dollar"  # the price of a bill that the file names itself
UNPRICED = "unpriced"  # what no book has a price of


def once(key: str, of: float | str = 1) -> tuple[tuple[Decimal, str], ...]:
    """A rate that is one price."""
    return ((exact(of), key),)
