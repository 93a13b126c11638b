"""A bill as Infracost prints it: a tree of resources, whose leaves have dollars, or a price for what is used."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_BRANCH = re.compile(r"^[\s│]*[├└]─ ")
_DOLLARS = re.compile(r"\$([\d,]+\.\d\d)(\s+\*)?\s*$")
_BY_USE = "Monthly cost depends on usage"
_END = "OVERALL TOTAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One leaf. `usd` a month is 0 for what depends on use; `all_usd` is the sum of the resource's fixed leaves."""

    address: str
    item: str
    said: str
    usd: Decimal
    by_use: bool
    all_usd: Decimal = Decimal(0)


def expected(text: str) -> list[Expected]:
    """All leaves of a bill."""
    found = list(_leaves(text))
    sums: dict[str, Decimal] = {}
    for leaf in found:
        if not leaf.by_use:
            sums[leaf.address] = sums.get(leaf.address, Decimal(0)) + leaf.usd
    return [
        Expected(
            address=leaf.address,
            item=leaf.item,
            said=leaf.said,
            usd=leaf.usd,
            by_use=leaf.by_use,
            all_usd=sums.get(leaf.address, Decimal(0)),
        )
        for leaf in found
    ]


def _leaves(text: str) -> Iterator[Expected]:
    address = ""
    for line in text.splitlines():
        if _END in line:
            return
        branch = _BRANCH.match(line)
        if branch is None:
            word = line.strip()
            if word.startswith(("aws_", "module.")) and "  " not in word:
                address = word
            continue
        item, _, rest = line[branch.end() :].strip().partition("  ")
        said = " ".join(rest.split())
        if _BY_USE in line:
            yield Expected(address=address, item=item.split(_BY_USE)[0].strip(), said=said, usd=Decimal(0), by_use=True)
        elif (dollars := _DOLLARS.search(line)) and address:
            usd = Decimal(dollars[1].replace(",", ""))
            if usd:
                yield Expected(address=address, item=item, said=said, usd=usd, by_use=bool(dollars[2]))
