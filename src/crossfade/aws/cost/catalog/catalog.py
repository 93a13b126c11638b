"""The verdict on every type of the AWS provider: priced, unknown for a reason, or free with a source.

The tables beside this file are by area and service. Types stand in them without `aws_`, and each in one place:

    Amazon MQ:
      page: https://...            where AWS says what it charges for: the source of all verdicts below
      priced: ...                  types that `bill/charges/` reckons by code
      free: mq_configuration       types that cost nothing by themselves; `iam_*` are all of that beginning
      lines:                       types whose lines can be said in a table
        mq_broker:
        - {item: Broker {host_instance_type}, price: mq.hour.{host_instance_type}, unit: hours}
      unknown:                     types that are billed and have no price here, with the reason
        mq_x: billed by the message
      also:                        attributes that are billed on top and have no price here
        mq_broker:
          storage.kind: {free: efs, why: other storage has a price of its own}

In a line `{a.b|c}` is the attribute `b` of the block `a`, or else c, and `{a?c}` is c where a is set. `times` are
factors; `#a` is how many a's there are. What is paid by the hour has a unit that ends in "hours". Without the attribute
`when` there is no line. With `use` nobody can know how much there will be: only `cloud.usage.units` says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from crossfade.aws.cost.catalog.attribute import places

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "aws_"
# Its lines stand in this part of a bill.
Area = Literal["Compute", "Data", "Network", "Delivery", "Watching", "Security", "Releases", "Other"]
AREAS: Mapping[str, Area] = {
    "compute": "Compute",
    "data": "Data",
    "network": "Network",
    "delivery": "Delivery",
    "watching": "Watching",
    "security": "Security",
    "releases": "Releases",
    "integration": "Other",
    "analysis": "Other",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One line of a type, as its table says it."""

    item: str
    price: str
    unit: str
    times: tuple[str, ...] = ()
    when: str = ""
    use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """An attribute that is billed on top unless its value is one of the free ones."""

    path: str
    free: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of a type. Free: no lines, no reason and not priced by code."""

    area: Area
    service: str
    page: str
    by_code: bool = False
    lines: tuple[Rated, ...] = ()
    unknown: str = ""
    extras: tuple[Extra, ...] = ()

    @property
    def free(self) -> bool:
        return not (self.by_code or self.lines or self.unknown)

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that its tables name."""
        texts = (text for line in self.lines for text in (line.item, line.price))
        placed = {path for text in texts for path in places(text)}
        times = {path.removeprefix("#").partition("|")[0] for line in self.lines for path in line.times}
        return frozenset(placed | times | {line.when for line in self.lines} | {each.path for each in self.extras})


@cache
def verdicts() -> Mapping[str, Verdict]:
    """Every verdict by the type's whole name; those that end in `*` hold for all of that beginning."""
    return dict(found for stem, area in AREAS.items() for found in _read(stem, area))


@cache
def verdict(kind: str) -> Verdict | None:
    """The verdict on a type; None when nobody has judged it."""
    known = verdicts()
    if (found := known.get(kind)) is not None:
        return found
    return next((each for name, each in known.items() if name[-1] == "*" and kind.startswith(name[:-1])), None)


def priced() -> Iterator[tuple[str, str]]:
    """What the tables need prices of: each key, up to its first attribute, with its unit."""
    for found in verdicts().values():
        for line in found.lines:
            yield from ((each, line.unit) for each in _prefixes(line.price))


def _prefixes(price: str) -> tuple[str, ...]:
    start, place, rest = price.partition("{")
    _, optional, text = rest.partition("}")[0].partition("?")
    return (start, start + text) if place and optional else (start,)


def _read(stem: str, area: Area) -> Iterator[tuple[str, Verdict]]:
    text = files(__package__).joinpath(f"{stem}.yaml").read_bytes()
    for service, table in yaml.load(text, _LOADER).items():  # noqa: S506  a safe loader
        page, also = table["page"], table.get("also", {})
        for name in table.get("free", "").split():
            yield _PREFIX + name, Verdict(area=area, service=service, page=page, extras=_extras(also.get(name)))
        for name in table.get("priced", "").split():
            found = Verdict(area=area, service=service, page=page, by_code=True, extras=_extras(also.get(name)))
            yield _PREFIX + name, found
        for name, lines in table.get("lines", {}).items():
            rated = tuple(Rated(**{**each, "times": tuple(each.get("times", ()))}) for each in lines)
            yield (
                _PREFIX + name,
                Verdict(area=area, service=service, page=page, lines=rated, extras=_extras(also.get(name))),
            )
        for name, why in table.get("unknown", {}).items():
            yield _PREFIX + name, Verdict(area=area, service=service, page=page, unknown=why)


def _extras(also: Mapping[str, Mapping[str, str]] | None) -> tuple[Extra, ...]:
    return tuple(
        Extra(path=path, free=frozenset(each.get("free", "").split()), why=each["why"])
        for path, each in (also or {}).items()
    )
