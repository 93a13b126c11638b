"""One price, and who says so."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars a unit; None when nobody here knows."""

    usd: Decimal | None
    source: str
    note: str = ""
