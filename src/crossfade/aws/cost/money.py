"""Money: exact, and to the cent where it is added up."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """To the cent, half a cent up: 25.112 is 25.11, 0.045 is 0.05."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def exact(number: float | str | Decimal) -> Decimal:
    """The number as it is written: 0.1 is a tenth, and not what floating point makes of it."""
    return Decimal(str(number))


def plain(number: Decimal, places: int = 6) -> str:
    """Digits that say something: 730, 0.0344, 1,460."""
    text = f"{round(number, places):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
