"""The bill: from what there is, how it is used and what it costs, to lines and totals. Reads nothing, asks nobody."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from crossfade.aws.cost.bill.charge import OWN, UNPRICED, Amount, Charge
from crossfade.aws.cost.bill.charges import AREAS, charges
from crossfade.aws.cost.catalog.catalog import Area, verdict
from crossfade.aws.cost.money import cents
from crossfade.aws.cost.prices.book import PriceBook
from crossfade.aws.cost.prices.price import Price
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.providers import AWS, provider
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

NOTHING = Amount.of(0)
_ORDER = tuple(AREAS)
_NOWHERE = "the plan does not say in which region it is: name it with --region"
_DOLLAR = Price(usd=Decimal(1), source="the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `monthly` is None when its price or its quantity is unknown; it is no part of the total then.

    `item` ends in the region where that is not the bill's own.
    """

    area: Area
    item: str
    region: str = ""
    quantity: Amount
    unit: str
    price: Decimal | None
    monthly: Amount | None
    source: str
    addresses: tuple[str, ...] = ()
    assumes: str = ""
    usage: str = ""
    note: str = ""
    rate: tuple[tuple[Decimal, str], ...] = ()
    beside: Decimal | None = None  # dollars an hour while a release is changed, for the second fleet
    unsaid: bool = False  # paid by use, and nobody has said how much that is

    @property
    def keys(self) -> tuple[str, ...]:
        """The prices it is made of."""
        return tuple(key for _, key in self.rate)

    @property
    def by_usage(self) -> bool:
        return bool(self.usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a month of one environment costs. The total is the sum of the rounded lines, as a reader adds them up."""

    title: str
    region: str
    book: str
    lines: tuple[Line, ...]
    lacks: tuple[str, ...] = ()  # sentences about what is not in it
    acts: tuple[str, ...] = ()  # what is billed when somebody does it, by service; in no line

    @property
    def total(self) -> Amount:
        return sum((line.monthly for line in self.lines if line.monthly is not None), NOTHING)

    @property
    def by_usage(self) -> Amount:
        """The part of the total that depends on use."""
        return sum((line.monthly for line in self.lines if line.monthly is not None and line.by_usage), NOTHING)

    @property
    def beside(self) -> Decimal:
        """What an hour costs in which a second fleet runs beside the first, in addition."""
        return sum((line.beside for line in self.lines if line.beside is not None), Decimal(0))

    @property
    def unknown(self) -> tuple[Line, ...]:
        """Lines that are no part of the total."""
        return tuple(line for line in self.lines if line.monthly is None)


def bill(
    resources: Iterable[Resource],
    usage: Month,
    book: PriceBook,
    *,
    title: str,
    region: str = "",
    books: Callable[[str | None], PriceBook] | None = None,
    day: date | None = None,
) -> Bill:
    """Every line that a month has, in the order of areas.

    `book` has the prices of `region`; `books` finds those of another one, None being a region that nobody knows.
    On `day`, today unless it is given, some versions of engines are past their standard support.
    """
    home, inventory = region or book.region, Inventory(resources)
    placed = (
        each
        for charge in charges(inventory, usage, day or datetime.now(UTC).date())
        for each in _placed(inventory, charge, home)
    )
    lines = tuple(
        _line(charge, book if where == home or books is None else books(where), where, home)
        for where, charge in _merged(placed)
    )
    by_area = sorted(lines, key=lambda line: _ORDER.index(line.area))
    return Bill(title=title, region=home, book=book.title, lines=tuple(by_area), acts=tuple(_acts(inventory)))


def _acts(inventory: Inventory) -> Iterator[str]:
    """Of each service that is there: a plan cannot tell whether anybody will."""
    found: dict[str, list[str]] = {}
    for kind in dict.fromkeys(resource.type for resource in inventory.all if provider(resource) == AWS):
        if (judged := verdict(kind)) is not None and judged.acts:
            found.setdefault(judged.service, []).append(judged.acts)
    for service, acts in found.items():
        each = (act for told in acts for act in told.split(", "))
        yield f"{service}: {', '.join(dict.fromkeys(each))}"


def _placed(inventory: Inventory, charge: Charge, home: str) -> Iterator[tuple[str | None, Charge]]:
    """Where it is charged: where the first thing is that it is charged for.

    What is told once for a whole environment, such as what is sent, is shared by the regions that have a part in it. No
    plan tells how much each has, and so each has as much as it has things that it is charged for.
    """
    found: dict[str | None, list[str]] = {}
    for address in charge.addresses:
        if (at := inventory.at(address)) is not None:
            found.setdefault(home if at.region == "" else at.region, []).append(address)
    first, *others = found or {home: []}
    if not others or not charge.usage:
        yield first, charge
        return
    together = sum(map(len, found.values()))
    for region, addresses in found.items():
        share = charge.quantity.times(len(addresses)).over(together)
        assumes = charge.assumes if charge.unsaid else f"{charge.assumes}, shared by {len(found)} regions"
        yield region, replace(charge, quantity=share, addresses=tuple(addresses), assumes=assumes)


def _merged(placed: Iterable[tuple[str | None, Charge]]) -> Sequence[tuple[str | None, Charge]]:
    """Charges of one item become one: two NAT gateways are a line of 1,460 hours. What nobody uses has no line."""
    alike: dict[tuple[str | None, Area, str, tuple[tuple[Decimal, str], ...]], list[Charge]] = {}
    for region, charge in placed:
        alike.setdefault((region, charge.area, charge.item, charge.rate), []).append(charge)
    merged = ((place[0], charges[0] if len(charges) == 1 else _one(charges)) for place, charges in alike.items())
    return [(region, charge) for region, charge in merged if charge.quantity.most or charge.keep or charge.unsaid]


def _one(alike: Sequence[Charge]) -> Charge:
    beside = [each.beside for each in alike if each.beside is not None]
    return replace(
        alike[-1],
        quantity=sum((each.quantity for each in alike), NOTHING),
        addresses=tuple(dict.fromkeys(address for each in alike for address in each.addresses)),
        note="; ".join(dict.fromkeys(each.note for each in alike if each.note)),
        beside=sum(beside, NOTHING) if beside else None,
    )


def _line(charge: Charge, book: PriceBook, region: str | None, home: str) -> Line:
    prices = [(share, _DOLLAR if key == OWN else book.price(key)) for share, key in charge.rate]
    known = [share * price.usd for share, price in prices if price.usd is not None]
    price = sum(known, Decimal(0)) if len(known) == len(prices) else None
    quantity = charge.quantity
    monthly = None
    if price is not None and not (charge.unsaid and price):  # what costs nothing costs nothing however much it is
        monthly = Amount(cents(quantity.least * price), cents(quantity.expected * price), cents(quantity.most * price))
    lacking = ", ".join(key for (_, key), (_, each) in zip(charge.rate, prices, strict=True) if each.usd is None)
    beside = charge.beside.expected * price if charge.beside and price else Decimal(0)

    nowhere = _NOWHERE if region is None and price is None else ""
    beyond = book.lacks or f"it is not in {book.name}"
    priceless = f"no price of {lacking}: {beyond}" if price is None and UNPRICED not in lacking else ""
    notes = (charge.note, nowhere or priceless, *(price.note for _, price in prices))
    return Line(
        area=charge.area,
        item=charge.item if region in (home, None) else f"{charge.item}, {region}",
        region=region or "",
        quantity=quantity,
        unit=charge.unit,
        price=price,
        monthly=monthly,
        beside=cents(beside) if beside else None,
        source=_sources(price for _, price in prices),
        addresses=charge.addresses,
        assumes=charge.assumes,
        usage=charge.usage,
        note="; ".join(dict.fromkeys(filter(None, notes))),
        rate=charge.rate,
        unsaid=charge.unsaid and monthly is None,
    )


def _sources(prices: Iterable[Price]) -> str:
    return "; ".join(dict.fromkeys(price.source for price in prices))
