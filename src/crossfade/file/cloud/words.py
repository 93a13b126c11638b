"""The words for AWS things in the file: regions, networks, instance classes, times of day."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from pydantic.json_schema import JsonSchemaValue

from crossfade.file.reading.problem import nearest
from crossfade.file.units import MeantError, Notation

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1", "mx-central-1", "sa-east-1"),
    *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2"),
    *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"),
    *("af-south-1", "il-central-1", "me-central-1", "me-south-1"),
)

# Families and sizes as EC2, RDS and ElastiCache name them. Not every pair is sold in every region, which only AWS can
# tell; a family or a size that is not here is a slip of the pen.
_FAMILIES = (
    *("t2", "t3", "t3a", "t4g"),
    *("m5", "m5a", "m5d", "m5n", "m6a", "m6g", "m6gd", "m6i", "m6id", "m7a", "m7g", "m7i", "m8g"),
    *("c5", "c5a", "c5d", "c5n", "c6a", "c6g", "c6gn", "c6i", "c7a", "c7g", "c7i", "c8g"),
    *("r5", "r5a", "r5b", "r5d", "r5n", "r6a", "r6g", "r6gd", "r6i", "r7a", "r7g", "r7i", "r8g"),
)
_BURST_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge")
_SIZES = ("medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)

DAY = 24 * 60  # minutes
_WINDOW = re.compile(r"(?:(mon|tue|wed|thu|fri|sat|sun) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Word(Notation):
    """One of a closed set of names; the nearest is offered."""

    words: tuple[str, ...]
    such_as: str

    def read(self, value: object) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        raise MeantError(self.such_as, nearest(value, self.words))

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class InstanceClass(Notation):
    """`t3.micro`, with the prefix of its service: `db.` or `cache.`, or none for EC2."""

    prefix: str = ""

    def read(self, value: object) -> str:
        example = f"{self.prefix}t4g.small"
        if not isinstance(value, str) or not value.startswith(self.prefix):
            known = isinstance(value, str) and value.partition(".")[0] in _FAMILIES
            raise MeantError(f"an instance class such as {example}", f"{self.prefix}{value}" if known else "")
        family, _, size = value.removeprefix(self.prefix).partition(".")
        if family not in _FAMILIES:
            meant = nearest(family, _FAMILIES)
            raise MeantError(f"an instance class such as {example}", f"{self.prefix}{meant}.{size}" if meant else "")
        sizes = _BURST_SIZES if family.startswith("t") else _SIZES
        if size not in sizes:
            meant = nearest(size, sizes)
            allowed = f"a size of {self.prefix}{family}: {', '.join(sizes)}"
            raise MeantError(allowed, f"{self.prefix}{family}.{meant}" if meant else "")
        return value

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": rf"^{re.escape(self.prefix)}[a-z0-9]+\.[a-z0-9]+$"}


@dataclass(frozen=True)
class Cidr(Notation):
    """An IPv4 network as `10.0.0.0/16`, its prefix from `widest` to `narrowest`."""

    widest: int = 0
    narrowest: int = 32

    def read(self, value: object) -> str:
        allowed = "a network such as 10.0.0.0/16"
        if not isinstance(value, str) or "/" not in value:
            raise ValueError(allowed)
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            if "host bits" in str(error):
                whole = ipaddress.IPv4Network(value, strict=False)
                raise MeantError(f"{allowed}, not an address inside of one", str(whole)) from None
            raise ValueError(allowed) from None
        if not self.widest <= network.prefixlen <= self.narrowest:
            raise ValueError(f"{allowed}, from /{self.widest} to /{self.narrowest}")
        return str(network)

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+){3}/[0-9]+$"}


@dataclass(frozen=True)
class Window(Notation):
    """A time of day as `03:00-04:00`, at least half an hour; with `weekly`, on a day: `mon 04:00-05:00`."""

    weekly: bool = False

    def read(self, value: object) -> str:
        allowed = "a time of the week such as mon 04:00-05:00" if self.weekly else "a time of day such as 03:00-04:00"
        match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
        if match is None or bool(match[1]) is not self.weekly:
            raise ValueError(allowed)
        _, length = _minutes(match[0])
        if length < 30:  # noqa: PLR2004 - the shortest that AWS takes
            raise ValueError(f"{allowed}, half an hour or longer")
        return match[0]

    @staticmethod
    def overlap(one: str, other: str) -> bool:
        """True when both have a minute of some day in common; both as `read` returns them."""
        (begin, length), (others, its_length) = _minutes(one), _minutes(other)
        return (others - begin) % DAY < length or (begin - others) % DAY < its_length

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{_WINDOW.pattern}$"}


def _minutes(window: str) -> tuple[int, int]:
    """When in the day a window begins, and for how long: 23:30-00:30 is (1410, 60)."""
    begin, end = (int(hour) * 60 + int(minute) for hour, minute in re.findall(r"(\d\d):(\d\d)", window))
    return begin, (end - begin) % DAY


@dataclass(frozen=True)
class Days(Notation):
    """Whole days as int, from `30d`; only those in `among` when given."""

    least: int = 0
    most: int = 3653
    among: tuple[int, ...] = ()

    def read(self, value: object) -> int:
        allowed = f"whole days from {self.least}d to {self.most}d"
        if self.among:
            allowed = f"one of {', '.join(f'{days}d' for days in self.among)}"
        text = f"{value}d" if isinstance(value, int) and not isinstance(value, bool) else value
        match = re.fullmatch(r"(\d{1,5})d", text) if isinstance(text, str) else None
        if (
            match is None
            or not self.least <= int(match[1]) <= self.most
            or (self.among and int(match[1]) not in self.among)
        ):
            raise ValueError(allowed)
        return int(match[1])

    def write(self, value: int) -> Any:
        return f"{value}d"

    def schema(self) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": "^[0-9]+d$"}, {"type": "integer", "minimum": self.least}]}


@dataclass(frozen=True)
class Version(Notation):
    """The version of an engine, 17 or 8.0 or 7.10, as text: the last is not 7.1."""

    def read(self, value: object) -> str:
        text = str(value) if isinstance(value, int | float) else value
        if not isinstance(text, str) or not re.fullmatch(r"[0-9]+(\.[0-9]+){0,2}", text):
            raise ValueError("a version such as 17 or 8.0")
        return text

    def schema(self) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+){0,2}$"}, {"type": "number", "minimum": 0}]}
