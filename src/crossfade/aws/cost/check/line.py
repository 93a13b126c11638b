"""One line of a team's table beside the price book."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from crossfade.aws.cost.check.money import Money
from crossfade.aws.cost.check.table import BillTable, TableLine, Thing
from crossfade.aws.cost.money import cents, plain
from crossfade.aws.cost.prices.book import PriceBook

Id = Literal["sum", "arithmetic", "region", "price", "amount", "twice", "missing"]

BY_HAND = Decimal("0.005")  # 60.70 for 60.74 is rounding, 22.50 for 16.43 is not
# A fixed price -> the one that is paid by use beside it, and what its unit is called. People often quote both as one.
BESIDE: Mapping[str, tuple[str, str]] = {"alb.hour": ("alb.lcu-hour", "LCU"), "nat.hour": ("nat.gb", "GB")}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFinding:
    """One thing that is wrong: what the table says and should say, how that is reckoned, and who says the price."""

    id: Id
    item: str
    found: str
    says: Money
    should: Money
    arithmetic: str
    source: str = ""

    @property
    def off(self) -> Money:
        """What has to be added to come right; below 0 when the table says too much."""
        return self.should - self.says


@dataclass(frozen=True)
class Checked:
    """One line beside the price book."""

    line: TableLine
    table: BillTable
    book: PriceBook
    elsewhere: Mapping[str, PriceBook]

    @property
    def unpriced(self) -> bool:
        return any(self.book.price(thing.kind).usd is None for thing in self.line.things)

    @property
    def expected(self) -> Money | None:
        """By the price book; None when the line does not say what it pays for, or nobody here knows the price."""
        if not self.line.things or self.unpriced:
            return None
        monthly = cents(sum((self._at(thing, self._price(thing)) for thing in self.line.things), Decimal(0)))
        return Money(monthly, monthly)

    @property
    def right(self) -> str:
        """What was found to be so; empty when the line is wrong or could not be checked."""
        if self.expected is None or next(self.findings(), None):
            return ""
        if (extra := self._extra) and self._beside:
            kind, unit = self._beside
            share = self._beyond(extra, kind, unit)
            return f"{self.line.item}: {self.line.monthly} holds {self.expected} fixed and {extra} for {share}"
        return f"{self.line.item}: {self._arithmetic}"

    def mended(self) -> Money:
        """What the line should say, and else what it says."""
        return next((finding.should for finding in self.findings()), self.line.monthly)

    def findings(self) -> Iterator[LineFinding]:
        """At most one: the first thing that is wrong explains the rest."""
        if self.line.unit_price is not None and self.line.kind:
            yield from self._by_unit_price(self.line.unit_price.low, self.line.kind, self.line.unit_price.rounding)
        elif self.expected is not None:
            yield from self._by_amount(self.expected)

    def _by_unit_price(self, stated: Decimal, kind: str, rounding: Decimal) -> Iterator[LineFinding]:
        listed = self.book.price(kind)
        own = cents(self._at(self.line.things[0], stated))
        if listed.usd is not None and abs(stated - listed.usd) > rounding and self.expected:
            theirs = [region for region, book in self.elsewhere.items() if book.price(kind).usd == stated]
            wrong = f"the price in {' and '.join(theirs)}" if theirs else "no price that we know"
            found = f"{plain(stated)} is {wrong}; in {self.table.region} it is {plain(listed.usd)}"
            yield self._finding("region" if theirs else "price", found, self.expected, self._arithmetic)
        elif not self._near(Money(own, own)):
            arithmetic = f"{reckoned(self.line.things[0], stated, self.table)} = {own:,.2f}"
            yield self._finding("arithmetic", "quantity times price is something else", Money(own, own), arithmetic)

    def _by_amount(self, expected: Money) -> Iterator[LineFinding]:
        extra = self._extra
        if extra is not None and self._beside:
            kind, unit = self._beside
            others = [line for line in self.table.lines if line != self.line and line.pays_for(kind)]
            if others:
                found = (
                    f"{self.line.monthly} already contains {self._beyond(extra, kind, unit)}, "
                    f'which "{others[0].item}" bills again with {others[0].monthly}'
                )
                arithmetic = f"{self._arithmetic} is fixed; {self.line.monthly} - {expected} = {extra} is {unit}"
                yield self._finding("twice", found, expected, arithmetic)
        elif not self._near(expected):
            expectations = {region: replace(self, book=book).expected for region, book in self.elsewhere.items()}
            theirs = [region for region, other in expectations.items() if other and self._near(other)]
            found = f"{self.line.monthly} is not what it costs in {self.table.region}"
            found += f", but what it costs in {' and '.join(theirs)}" if theirs else ""
            yield self._finding("region" if theirs else "amount", found, expected, self._arithmetic)

    @property
    def _beside(self) -> tuple[str, str] | None:
        """What is paid by use beside the one fixed thing of this line."""
        return BESIDE.get(self.line.things[0].kind) if len(self.line.things) == 1 else None

    @property
    def _extra(self) -> Decimal | None:
        """What a line that has a part by use says beyond its fixed part."""
        if self.expected is None or self._beside is None or self._near(self.expected):
            return None
        extra = self.line.monthly.low - self.expected.low
        return extra if extra > 0 else None

    def _beyond(self, extra: Decimal, kind: str, unit: str) -> str:
        """So much money as units: 6.07 is 1.04 LCU."""
        price = self.book.price(kind).usd
        if not price:
            return unit
        return f"{plain(cents(extra / self._at(Thing(kind=kind), price)))} {unit}"

    def _near(self, expected: Money) -> bool:
        says = self.line.monthly
        slack = max(says.rounding, expected.low * BY_HAND)
        return says.low - slack <= expected.low and expected.high <= says.high + slack

    def _finding(self, name: Id, found: str, should: Money, arithmetic: str) -> LineFinding:
        sources = dict.fromkeys(self.book.price(thing.kind).source for thing in self.line.things)
        return LineFinding(
            id=name,
            item=self.line.item,
            found=found,
            says=self.line.monthly,
            should=should,
            arithmetic=arithmetic,
            source="; ".join(sources),
        )

    @property
    def _arithmetic(self) -> str:
        ways = (reckoned(thing, self._price(thing), self.table) for thing in self.line.things)
        return f"{' + '.join(ways)} = {self.expected}"

    def _price(self, thing: Thing) -> Decimal:
        return self.book.price(thing.kind).usd or Decimal(0)

    def _at(self, thing: Thing, price: Decimal) -> Decimal:
        return thing.quantity * price * (self.table.hours if thing.hourly else 1)


def reckoned(thing: Thing, price: Decimal, table: BillTable) -> str:
    """2 x 730 h x 0.0416."""
    hours = f" x {plain(table.hours)} h" if thing.hourly else ""
    return f"{plain(thing.quantity)}{hours} x {plain(price)}"
