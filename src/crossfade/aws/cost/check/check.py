"""The check of a table of costs: sums, prices, what is billed twice and what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from crossfade.aws.cost.check.line import Checked, LineFinding, reckoned
from crossfade.aws.cost.check.money import NOTHING, Money
from crossfade.aws.cost.check.table import BillTable, Thing
from crossfade.aws.cost.money import cents, plain
from crossfade.aws.cost.prices.book import PriceBook

# AWS bills each public IPv4 address since February 2024, also those of load balancers and NAT gateways:
# https://aws.amazon.com/blogs/aws/new-aws-public-ipv4-address-charge-public-ip-insights/
ADDRESS = "public-ipv4.hour"
NAMES = {ADDRESS: "public IPv4 addresses", "alb.hour": "load balancer", "nat.hour": "NAT gateways"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableVerdict:
    """All that can be said of a table."""

    findings: tuple[LineFinding, ...]
    right: tuple[str, ...]
    unpriced: tuple[str, ...]  # lines whose price nobody here knows
    taken: tuple[str, ...]  # lines that do not say what they pay for
    stated: Money | None
    added: Money
    mended: Money


def check(table: BillTable, book: PriceBook, elsewhere: Mapping[str, PriceBook]) -> TableVerdict:
    """The verdict by the prices of the table's region; `elsewhere` is where a wrong price may come from."""
    checked = [Checked(line, table, book, elsewhere) for line in table.lines]
    findings = [finding for one in checked for finding in one.findings()]
    lacking = list(_lacking(table))
    missing = [finding for thing in lacking for finding in _missing(thing, table, book)]
    mended = sum((one.mended() for one in checked), NOTHING)
    total = list(_sum(table))
    right = [one.right for one in checked if one.right]
    if table.total is not None and not total:
        right.insert(0, f"{len(table.lines)} lines add up to {table.sum}, as the table says")
    return TableVerdict(
        findings=(*total, *findings, *missing),
        right=tuple(right),
        unpriced=(
            *(one.line.item for one in checked if one.unpriced),
            *(NAMES[thing.kind] for thing in lacking if book.price(thing.kind).usd is None),
        ),
        taken=tuple(one.line.item for one in checked if not one.line.things),
        stated=table.total,
        added=table.sum,
        mended=sum((one.should for one in missing), mended),
    )


def _sum(table: BillTable) -> Iterator[LineFinding]:
    """Lines that are ranges make a total that is one; a range around single lines has to hold their sum."""
    total, added = table.total, table.sum
    if total is None:
        return
    slack = total.rounding
    if added.exact:
        fits = total.low - slack <= added.low <= total.high + slack
    else:
        fits = abs(total.low - added.low) <= slack and abs(total.high - added.high) <= slack
    if not fits:
        ends = ["low", "high"] if not added.exact else ["low"]
        sums = (" + ".join(f"{getattr(line.monthly, end):,.2f}" for line in table.lines) for end in ends)
        arithmetic = "; ".join(f"{way} = {getattr(added, end):,.2f}" for way, end in zip(sums, ends, strict=True))
        found = "the lines do not add up to the total"
        yield LineFinding(id="sum", item="total", found=found, says=total, should=added, arithmetic=arithmetic)


def _lacking(table: BillTable) -> Iterator[Thing]:
    """What exists and no line pays for. A line that does not say how many pays for all."""
    exists = table.exists
    there = {ADDRESS: exists.addresses, "alb.hour": int(exists.balancer_zones > 0), "nat.hour": exists.nat_gateways}
    for kind, count in there.items():
        lines = [line for line in table.lines if line.pays_for(kind)]
        paid = sum((thing.quantity for line in lines for thing in line.things if thing.kind == kind), Decimal(0))
        if paid < count and all(line.things for line in lines):
            yield Thing(kind=kind, quantity=count - paid)


def _missing(thing: Thing, table: BillTable, book: PriceBook) -> Iterator[LineFinding]:
    price = book.price(thing.kind)
    if price.usd is None:
        return
    monthly = cents(thing.quantity * price.usd * table.hours)
    counted = f" ({table.exists.counted})" if thing.kind == ADDRESS else ""
    yield LineFinding(
        id="missing",
        item=NAMES[thing.kind],
        found=f"{plain(thing.quantity)} not in the table{counted}",
        says=NOTHING,
        should=Money(monthly, monthly),
        arithmetic=f"{reckoned(thing, price.usd, table)} = {monthly:,.2f}",
        source=price.source,
    )
