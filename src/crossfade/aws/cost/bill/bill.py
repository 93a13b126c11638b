"""The bill: from what there is, how it is used and what it costs, to lines and totals. Reads nothing, asks nobody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from crossfade.aws.cost.bill.charge import OWN, Amount, Area, Charge
from crossfade.aws.cost.bill.charges import charges
from crossfade.aws.cost.money import cents
from crossfade.aws.cost.prices.book import Book, Price
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

NOTHING = Amount.of(0)
_DOLLAR = Price(usd=Decimal(1), source="the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `price` and `monthly` are None when the price is unknown; such a line is no part of the total."""

    area: Area
    item: str
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

    @property
    def total(self) -> Amount:
        return sum((line.monthly for line in self.lines if line.monthly is not None), NOTHING)

    @property
    def by_usage(self) -> Amount:
        """The part of the total that depends on use."""
        return sum((line.monthly for line in self.lines if line.monthly is not None and line.by_usage), NOTHING)

    @property
    def unknown(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.price is None)


def bill(resources: Iterable[Resource], usage: Usage, book: Book, *, title: str, region: str = "") -> Bill:
    """Every line that a month has, in the order of areas."""
    lines = tuple(_line(charge, book) for charge in _merged(charges(Inventory(resources), usage)))
    return Bill(title=title, region=region or book.region, book=book.title, lines=lines)


def _merged(all_charges: Iterable[Charge]) -> Sequence[Charge]:
    """Charges of one item become one: two NAT gateways are a line of 1,460 hours. What nobody uses is no line."""
    merged: dict[tuple[Area, str, tuple[tuple[Decimal, str], ...]], Charge] = {}
    addresses: dict[tuple[Area, str, tuple[tuple[Decimal, str], ...]], list[str]] = {}
    for charge in all_charges:
        place = (charge.area, charge.item, charge.rate)
        before = merged.get(place)
        merged[place] = replace(charge, quantity=before.quantity + charge.quantity) if before else charge
        addresses.setdefault(place, []).extend(charge.addresses)
    return [
        replace(charge, addresses=tuple(dict.fromkeys(addresses[place])))
        for place, charge in merged.items()
        if charge.quantity.most or charge.keep
    ]


def _line(charge: Charge, book: Book) -> Line:
    prices = [(share, _DOLLAR if key == OWN else book.price(key)) for share, key in charge.rate]
    known = [share * price.usd for share, price in prices if price.usd is not None]
    price = sum(known, Decimal(0)) if len(known) == len(prices) else None
    quantity = charge.quantity
    monthly = None
    if price is not None:
        monthly = Amount(cents(quantity.least * price), cents(quantity.expected * price), cents(quantity.most * price))
    return Line(
        area=charge.area,
        item=charge.item,
        quantity=quantity,
        unit=charge.unit,
        price=price,
        monthly=monthly,
        source=_sources(price for _, price in prices),
        addresses=charge.addresses,
        assumes=charge.assumes,
        usage=charge.usage,
        note="; ".join(dict.fromkeys(note for note in (charge.note, *(price.note for _, price in prices)) if note)),
        rate=charge.rate,
    )


def _sources(prices: Iterable[Price]) -> str:
    return "; ".join(dict.fromkeys(price.source for price in prices))
