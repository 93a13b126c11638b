"""Durations, shares, sizes and counts as people write them, and what they become.

A notation reads what stands in the file and writes it back. `read` raises ValueError whose text is what is *allowed*:
the loader puts file, line, key and what was found in front of it.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

GIB = 1 << 30

SECONDS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES: Mapping[str, int] = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
YEAR = 365 * 86400.0

# Microseconds, and millionths of a percent: finer than anything we measure, and coarse enough to be written exactly.
_DECIMALS = 6

_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,15})?"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|[smhd]))+")
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|[smhd])")
_PERCENT = re.compile(rf"({_NUMBER}) ?%")
_PLAIN = re.compile(_NUMBER)
_SIZE = re.compile(rf"({_NUMBER}) ?([KMGT]?)i?B?", re.IGNORECASE)


def read_duration(value: object) -> float:
    """Seconds in "30s", "5m", "1h30m", "250ms" or a plain number of seconds; ValueError for anything else."""
    if _is_number(value):
        return round(_finite(value, "a duration such as 30s, 5m or 1h30m"), _DECIMALS)
    text = value.strip() if isinstance(value, str) else ""
    if _PLAIN.fullmatch(text):
        return round(float(text), _DECIMALS)
    if not _DURATION.fullmatch(text):
        raise ValueError("a duration such as 30s, 5m or 1h30m")
    # Decimal, because 3 * 0.001 is 0.003 but 0.1 + 0.2 is not 0.3: "1s100ms" shall be 1.1.
    parts = _DURATION_PART.findall(text)
    return round(float(sum(Decimal(number) * Decimal(str(SECONDS[unit])) for number, unit in parts)), _DECIMALS)


def write_duration(seconds: float) -> str:
    """The shortest text `read_duration` takes back to the same number: 5400.0 is "1h30m", 0.25 is "250ms"."""
    rest = Decimal(repr(float(seconds)))
    if 0 < rest < 1:
        return f"{_digits(rest * 1000)}ms"
    written = ""
    for unit in "dhm":
        count, rest = divmod(rest, Decimal(SECONDS[unit]))
        written += f"{int(count)}{unit}" if count else ""
    return f"{written}{_digits(rest)}s" if rest or not written else written


def read_percent(value: object) -> float:
    """Percent in "1%", "0.5%", 50 (50.0 stands for 50 %); ValueError for anything else.

    A bare number between 0 and 1 is refused: 0.01 could be 1 % or 0.01 %, and a wrong guess would move the threshold
    of a rollback a hundredfold.
    """
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        return round(float(match[1]), _DECIMALS)
    if isinstance(value, str) and _PLAIN.fullmatch(value.strip()):
        value = float(value)
    if not _is_number(value):
        raise ValueError("a percentage such as 5% or 0.5%")
    number = _finite(value, "a percentage such as 5% or 0.5%")
    if 0 < number < 1:
        raise ValueError(
            f"{_digits(Decimal(repr(number)) * 100)}% or {_digits(number)}%: a bare fraction can be read as either"
        )
    return round(number, _DECIMALS)


def write_percent(percent: float) -> str:
    """The text `read_percent` takes back to the same number: 0.5 is "0.5%"."""
    return f"{_digits(percent)}%"


def read_size(value: object) -> int:
    """Bytes in "512M", "1.5G", "64KiB" or a plain number of bytes; ValueError for anything else.

    All units are powers of 1024, as Docker counts.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a size such as 512M or 1G")
    return int(Decimal(match[1]) * BYTES[match[2].upper() or "B"])


def write_size(size: int) -> str:
    """The shortest text `read_size` takes back to the same number: 1536 MiB is "1536M", 1024 MiB is "1G"."""
    unit = max(
        (unit for unit, factor in BYTES.items() if size % factor == 0 and size >= factor),
        key=BYTES.__getitem__,
        default="B",
    )
    return f"{size // BYTES[unit]}{unit if unit != 'B' else ''}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finite(value: Any, allowed: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise ValueError(allowed)
    return number


def _digits(number: float | Decimal) -> str:
    """A number without exponent and without a tail of zeros: 5.0 is "5", 1e-05 is "0.00001"."""
    text = f"{Decimal(repr(number)) if isinstance(number, float) else Decimal(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class MeantError(ValueError):
    """As ValueError says what is allowed; `meant` is the word that was probably meant."""

    def __init__(self, allowed: str, meant: str) -> None:
        super().__init__(allowed)
        self.meant = meant


class Notation(ABC):
    """Metadata for a field's type: `Annotated[float, Duration(...)]` reads, writes and describes the value."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """The value meant; ValueError whose text is what is allowed."""

    @abstractmethod
    def schema(self) -> JsonSchemaValue:
        """What editors accept: every form `read` does, though bounds only where JSON Schema can say them."""

    def write(self, value: Any) -> Any:
        """The form which goes into JSON; `read` takes it back to the same value."""
        return value

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.schema()


@dataclass(frozen=True)
class Duration(Notation):
    """Seconds as float, from `least` to `most`."""

    least: float = 0.0
    most: float = YEAR

    def read(self, value: object) -> float:
        seconds = read_duration(value)
        if not self.least <= seconds <= self.most:
            raise ValueError(f"a duration from {write_duration(self.least)} to {write_duration(self.most)}")
        return seconds

    def write(self, value: float) -> str:
        return write_duration(value)

    def schema(self) -> JsonSchemaValue:
        pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$|^[0-9]+(\.[0-9]+)?$"
        return {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "number", "minimum": 0}]}


@dataclass(frozen=True)
class Percent(Notation):
    """Percent as float (50.0 is 50 %), from `least` to `most`."""

    least: float = 0.0
    most: float = 100.0

    def read(self, value: object) -> float:
        percent = read_percent(value)
        if not self.least <= percent <= self.most:
            raise ValueError(f"a percentage from {write_percent(self.least)} to {write_percent(self.most)}")
        return percent

    def write(self, value: float) -> str:
        return write_percent(value)

    def schema(self) -> JsonSchemaValue:
        number = {"type": "number", "minimum": 0, "maximum": self.most}
        return {"anyOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?%?$"}, number]}


@dataclass(frozen=True)
class Share(Notation):
    """A whole percentage as int (50 is 50 %), from `least` to 100: what traffic and capacity are cut into."""

    least: int = 0

    def read(self, value: object) -> int:
        allowed = f"a whole percentage from {self.least} to 100"
        try:
            percent = read_percent(value)
        except ValueError:
            raise ValueError(allowed) from None
        if not percent.is_integer() or not self.least <= percent <= 100:  # noqa: PLR2004 - percent
            raise ValueError(allowed)
        return int(percent)

    def schema(self) -> JsonSchemaValue:
        return {
            "anyOf": [
                {"type": "integer", "minimum": self.least, "maximum": 100},
                {"type": "string", "pattern": r"^[0-9]+ ?%?$"},
            ]
        }


@dataclass(frozen=True)
class Size(Notation):
    """Bytes as int, from `least` to `most` (1024 T)."""

    least: int = 0
    most: int = 1 << 50

    def read(self, value: object) -> int:
        size = read_size(value)
        if not self.least <= size <= self.most:
            raise ValueError(f"a size from {write_size(self.least)} to {write_size(self.most)}, such as 512M or 1G")
        return size

    def write(self, value: int) -> str:
        return write_size(value)

    def schema(self) -> JsonSchemaValue:
        pattern = r"^[0-9]+(\.[0-9]+)? ?[KMGTkmgt]?i?[Bb]?$"
        return {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "integer", "minimum": self.least}]}


@dataclass(frozen=True)
class Whole(Notation):
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise ValueError(f"a whole number from {self.least} to {self.most}")
        return value

    def schema(self) -> JsonSchemaValue:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Number(Notation):
    """A number above `above`, up to `most`; text such as "0.5" is taken too, as Compose files quote it."""

    above: float
    most: float

    def read(self, value: object) -> float:
        allowed = f"a number above {_digits(self.above)}, up to {_digits(self.most)}"
        if isinstance(value, str) and _PLAIN.fullmatch(value.strip()):
            value = float(value)
        if not _is_number(value):
            raise ValueError(allowed)
        number = _finite(value, allowed)
        if not self.above < number <= self.most:
            raise ValueError(allowed)
        return number

    def schema(self) -> JsonSchemaValue:
        number = {"type": "number", "exclusiveMinimum": self.above, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}


@dataclass(frozen=True)
class Text(Notation):
    """Text that matches `pattern` as a whole; `allowed` says so in words."""

    pattern: str
    allowed: str

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValueError(self.allowed)
        return value

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}
