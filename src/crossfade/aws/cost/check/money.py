"""Amounts as people write them into a table: 22.50, or 8-15."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from crossfade.file.units import Notation

_AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(?:\s*-\s*([0-9]{1,9}(?:\.[0-9]{1,6})?))?")


@dataclass(frozen=True, slots=True)
class Money:
    """Dollars, or a range of them. The digits written say how exact it is: 23 may be anything from 22.50 to 23.50."""

    low: Decimal
    high: Decimal

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @property
    def rounding(self) -> Decimal:
        """Half of the last digit that was written."""
        exponent = max(int(amount.as_tuple().exponent) for amount in (self.low, self.high))
        return Decimal((0, (5,), exponent - 1))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Money") -> "Money":
        """End from end: how far one is off the other."""
        return Money(self.low - other.low, self.high - other.high)

    def __str__(self) -> str:
        return f"{self.low:,.2f}" if self.exact else f"{self.low:,.2f}-{self.high:,.2f}"

    def off(self, amount: Decimal) -> Decimal:
        """How far an amount is from it: 0 within a range, or as exactly as it was written."""
        away = max(self.low - amount, Decimal(0)) or max(amount - self.high, Decimal(0))
        if away <= self.rounding:
            return Decimal(0)
        return -away if amount < self.low else away

    @property
    def signed(self) -> str:
        """As a difference: +4.20 to +6.20."""
        return f"{self.low:+,.2f}" if self.exact else f"{self.low:+,.2f} to {self.high:+,.2f}"


NOTHING = Money(Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Dollars(Notation):
    """Dollars as `22.50`, or a range as `8-15`."""

    def read(self, value: object) -> Money:
        allowed = "dollars such as 22.50, or a range such as 8-15"
        match = _AMOUNT.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
        if match is None:
            raise ValueError(allowed)
        low = Decimal(match[1])
        high = Decimal(match[2]) if match[2] else low
        if low > high:
            raise ValueError(f"{allowed}, the smaller first")
        return Money(low, high)

    def schema(self) -> JsonSchemaValue:
        return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}]}

    def write(self, value: Money) -> Any:
        return str(value)


@dataclass(frozen=True)
class Quantity(Notation):
    """How many, exactly: Decimal, above 0."""

    def read(self, value: object) -> Decimal:
        match = re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", str(value))
        if isinstance(value, bool) or match is None or not Decimal(match[0]):
            raise ValueError("a number above 0, such as 2 or 0.5")
        return Decimal(match[0])

    def schema(self) -> JsonSchemaValue:
        return {"type": "number", "exclusiveMinimum": 0}

    def write(self, value: Decimal) -> Any:
        return str(value)
