"""What ours has of a line of another's bill: the same money, other money, a name without a price, or nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from benchmarks.golden import Expected
from crossfade.aws.cost.bill.charge import Charge

Verdict = Literal["right", "wrong", "unknown", "silent"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "unknown", "silent")
_NEAR = Decimal("0.005")
_CENT = Decimal("0.01")
_HOURS = 730
_SECONDS = 3600
_PRICE = re.compile(r"\$([\d,.]+) per (.+)$")
_SOLD = re.compile(r"^([\d,.]+)\s+(\S.*?)\s+\$([\d,.]+)\s*\*?$")
_MANY = re.compile(r"([\d,]+)([kKMB]?)\s+")
_TOGETHER = re.compile(r"hours \(([\d.]+) DPUs\)")  # an hour of so many
_TIMES = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_WORD = re.compile(r"[a-z][a-z0-9.\-]*[a-z0-9]|[a-z]+\d")
# A tier of theirs beyond the first; of ours the note says that its price is that of the first.
_BEYOND, _FIRST = re.compile(r"\((?:next|over) "), re.compile(r"\bfirst\b")
_STEM = 5  # letters: requests, requested
# What stands in any line and tells none from another.
_EMPTY = frozenset({"and", "for", "from", "first", "next", "over", "per", "the", "deman", "on-de", "hour", "month"})
# What is the same on both bills.
_SAME = {"disk": "stora", "kept": "stora", "node": "insta", "host": "insta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A charge of ours with its dollars for each unit and for a month; None where nobody here knows."""

    charge: Charge
    each: Decimal | None
    note: str = ""  # of its price, such as that it is that of the first so many

    @property
    def usd(self) -> Decimal | None:
        return None if self.charge.unsaid or self.each is None else self.charge.quantity.expected * self.each

    @property
    def told(self) -> str:
        usd = "by use" if self.charge.unsaid else "?" if self.usd is None else str(self.usd.quantize(_CENT))
        return f"{self.charge.item} {usd}"


def judge(line: Expected, mine: Sequence[Ours], acts: str) -> Verdict:
    """`mine` are all charges for its resource, and `acts` what is billed there when somebody does it.

    Of a price that is cheaper beyond so many ours names the first, and says so.
    """
    if _same_price(line, mine) if line.by_use else _same_dollars(line, mine):
        return "right"
    named = _closest(line, mine)
    priceless = any(one.each is None or (_BEYOND.search(line.item) and _FIRST.search(one.note)) for one in named)
    fixed = [one for one in mine if not one.charge.unsaid]
    if fixed and not line.by_use and all(one.each is None for one in fixed):
        return "unknown"  # the resource is named, whatever it is that costs
    if priceless or (line.by_use and _words(acts) & _words(line.item)):
        return "unknown"
    return "wrong" if named else "silent"


def _same_dollars(line: Expected, mine: Sequence[Ours]) -> bool:
    """Alone, as one of several that are a line of ours together, or cut into other lines."""
    known = [(one, one.usd) for one in mine if one.usd is not None]
    if any(_near(usd, line.usd) or _near(usd / len(one.charge.addresses), line.usd) for one, usd in known):
        return True
    return bool(known) and _near(sum((usd for _, usd in known), Decimal(0)), line.all_usd)


def _same_price(line: Expected, mine: Sequence[Ours]) -> bool:
    told = _told_price(line.said)
    return told is not None and any(
        abs(each - told[0]) <= max(told[1], told[0] * _NEAR)
        for one in mine
        if one.each is not None
        for each in _for_each(one.each, one.charge.unit)
    )


def _told_price(said: str) -> tuple[Decimal, Decimal] | None:
    """The price of one of theirs, and how far it may be off, because it is rounded."""
    if sold := _SOLD.match(said):
        many, usd = (Decimal(text.replace(",", "")) for text in sold.group(1, 3))
        return (usd / many / _many(sold[2]), _CENT / 2 / many / _many(sold[2])) if many else None
    if price := _PRICE.search(said):
        usd = Decimal(price[1].replace(",", ""))
        return usd / _many(price[2]), Decimal(5).scaleb(int(usd.as_tuple().exponent) - 1) / _many(price[2])
    return None


def _for_each(usd: Decimal, unit: str) -> Iterator[Decimal]:
    """The price of one of ours, also of a month or an hour of it."""
    one = usd / _many(unit)
    yield one
    if unit.endswith("-hours"):
        yield one * _HOURS
    if unit.endswith("seconds"):
        yield one * _SECONDS


def _many(unit: str) -> Decimal:
    """1,000 in "1,000 requests", a million in "1M events", ten in "hours (10 DPUs)"."""
    if together := _TOGETHER.match(unit):
        return Decimal(together[1])
    found = _MANY.match(unit)
    return Decimal(found[1].replace(",", "")) * _TIMES[found[2]] if found else Decimal(1)


def _closest(line: Expected, mine: Sequence[Ours]) -> list[Ours]:
    """Those that have most words of it; else those that say of the whole resource that nobody knows what it costs."""
    theirs = _words(line.item)
    shared = [(len(_words(f"{one.charge.item} {one.charge.note} {one.charge.unit}") & theirs), one) for one in mine]
    most = max((many for many, _ in shared), default=0)
    kind = line.address.rpartition(".")[0].rpartition(".")[2]
    return [one for many, one in shared if (many == most if most else one.charge.item == kind)]


def _words(text: str) -> set[str]:
    found = (word.rstrip("s")[:_STEM] if word.isalpha() else word for word in _WORD.findall(text.lower()))
    return {_SAME.get(word, word) for word in found if len(word) > 2} - _EMPTY


def _near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= max(_CENT, other * _NEAR)
