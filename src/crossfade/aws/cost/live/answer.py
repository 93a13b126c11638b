"""An answer of AWS's price list: products as JSON, of which at most one price is ours."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from crossfade.aws.cost.live.question import PriceQuestion


class NoAnswerError(Exception):
    """The answer is no price, and its text says why."""


def answer(asked: PriceQuestion, products: Sequence[str]) -> Decimal:
    """Dollars for one of our units, on demand. The first tier may be free; the first that costs something counts."""
    found = {price for product in products for price in _prices(asked, json.loads(product, parse_float=Decimal))}
    if not found:
        raise NoAnswerError("AWS's price list has nothing that fits")
    if len(found) > 1:
        raise NoAnswerError(f"AWS's price list has {len(found)} prices that fit")
    return found.pop() * asked.times


def _prices(asked: PriceQuestion, product: Mapping[str, Any]) -> Iterator[Decimal]:
    usage = str(product.get("product", {}).get("attributes", {}).get("usagetype", ""))
    if asked.usage and not _ends(usage, asked.usage):
        return
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        tiers = sorted(term.get("priceDimensions", {}).values(), key=lambda tier: Decimal(tier.get("beginRange") or 0))
        costs = [Decimal(tier["pricePerUnit"]["USD"]) for tier in tiers if "USD" in tier.get("pricePerUnit", {})]
        billed = [cost for cost in costs if cost]
        yield from billed[:1]


def _ends(usage: str, end: str) -> bool:
    """The usage type itself, or with a region before it: APN2-NatGateway-Hours."""
    return usage == end or usage.endswith(f"-{end}")
