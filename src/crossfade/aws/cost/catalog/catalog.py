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
      free_when:                   what takes such a type off the bill
        mq_x: status=DISABLED
      also:                        attributes that are billed on top and have no price here
        mq_broker:
          storage.kind: {free: efs, why: other storage has a price of its own}
      acts:                      what is billed when somebody does it, of which nothing in a plan tells
        mq_broker: moves to another region

In a line `{a.b|c}` is the attribute `b` of the block `a`, or else c, and `{a?c}` is c where a is set. `times` are
factors, numbers or attributes; `#a` is how many a's there are. What is paid by the hour has a unit that ends in
"hours". There is a line `when` one of these attributes is set (`a.b=c`: to that; `a=false`: switched off; `^c`: to what
begins so; `a>b`: b of what a comes from; `a>aws_c`: a comes from a c), and not `unless` one of those is. With `use`
nobody can know how much there will be: only `cloud.usage.units` says. `area` is the part of the bill where it is not
the type's own.

What stands under `also` is billed where it is set, unless to one of `free`. Where only the apply will tell to what, it
may be billed, unless another attribute, its `switch`, is false. Its own `unless` is as that of a line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from crossfade.aws.cost.catalog.attribute import places
from crossfade.aws.tables import table, understood

PREFIX = "aws_"
_SERVICE = re.compile(r"^(?=[^\s#])", re.MULTILINE)  # where a line begins at the left, a service begins
_WORD = re.compile(r"[a-z]\w*\*?")
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
    area: str = ""
    times: tuple[str, ...] = ()
    when: str = ""
    unless: str = ""
    use: bool = False

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """Attributes that bring the line, each with the value that it has to have, or "" for any."""
        return _conditions(self.when)

    @property
    def exceptions(self) -> tuple[tuple[str, str], ...]:
        """Attributes that take it away again."""
        return _conditions(self.unless)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """An attribute that is billed on top unless its value is one of the free ones."""

    path: str
    free: frozenset[str]
    why: str
    switch: str = ""  # the attribute that switches it off, whatever it is set to
    unless: str = ""

    @property
    def exceptions(self) -> tuple[tuple[str, str], ...]:
        """Attributes that make it free, each with the value that it has to have."""
        return _conditions(self.unless)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeVerdict:
    """What is known of a type. Free: no lines, no reason and not priced by code."""

    area: Area
    service: str
    page: str
    by_code: bool = False
    lines: tuple[Rated, ...] = ()
    unknown: str = ""
    off: tuple[tuple[str, str], ...] = ()  # attributes that take it off the bill, each with the value that does
    extras: tuple[Extra, ...] = ()
    acts: str = ""  # what somebody does that is billed when it is done, and of which nothing in a plan tells

    @property
    def free(self) -> bool:
        return not (self.by_code or self.lines or self.unknown)

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that its tables name."""
        texts = (text for line in self.lines for text in (line.item, line.price))
        placed = {path for text in texts for path in places(text)}
        factors = (path for line in self.lines for path in line.times if not path.isdecimal())
        times = {path.removeprefix("#").partition("|")[0] for path in factors}
        conditions = [pair for line in self.lines for pair in (*line.conditions, *line.exceptions)]
        conditions += [*self.off, *(pair for extra in self.extras for pair in extra.exceptions)]
        asked = {path.partition(">")[0] for path, _ in conditions}
        return frozenset(placed | times | asked | {each.path for each in self.extras})


@dataclass(frozen=True, slots=True)
class _Part:
    """One service's part of a file. It is understood only once a plan has a type that it speaks of."""

    area: Area
    text: str
    words: frozenset[str]


def verdicts() -> Mapping[str, TypeVerdict]:
    """Every verdict by the type's whole name; those that end in `*` hold for all of that beginning."""
    return {kind: found for part in _parts() for kind, found in _understood(part).items()}


@cache
def verdict(kind: str) -> TypeVerdict | None:
    """The verdict on a type; None when nobody has judged it."""
    name = kind.removeprefix(PREFIX)
    for part in _parts():
        if name in part.words and (found := _understood(part).get(kind)) is not None:
            return found
    beginnings = {word: part for part in _parts() for word in part.words if word[-1] == "*"}
    wide = next((part for word, part in beginnings.items() if name.startswith(word[:-1])), None)
    known = _understood(wide) if wide else {}
    return next((found for each, found in known.items() if each[-1] == "*" and kind.startswith(each[:-1])), None)


@cache
def by_code() -> Mapping[str, frozenset[str]]:
    """By type the paths of the attributes that code reads to price it."""
    told = table(__package__, "by_code.yaml")
    return {kind: frozenset(paths.split()) for kind, paths in told.items()}


def priced() -> Iterator[tuple[str, str]]:
    """What the tables need prices of: each key, up to its first attribute, with its unit."""
    for found in verdicts().values():
        for line in found.lines:
            yield from ((each, line.unit) for each in _prefixes(line.price))


def _prefixes(price: str) -> tuple[str, ...]:
    start, place, rest = price.partition("{")
    _, optional, text = rest.partition("}")[0].partition("?")
    return (start, start + text) if place and optional else (start,)


@cache
def _parts() -> tuple[_Part, ...]:
    texts = ((area, files(__package__).joinpath(f"{stem}.yaml").read_text("utf-8")) for stem, area in AREAS.items())
    return tuple(
        _Part(area, text, frozenset(_WORD.findall(text)))
        for area, whole in texts
        for text in _SERVICE.split(whole)
        if text.partition("\n")[0].endswith(":")
    )


@cache
def _understood(part: _Part) -> Mapping[str, TypeVerdict]:
    return dict(_read(part))


def _read(part: _Part) -> Iterator[tuple[str, TypeVerdict]]:
    ((service, told),) = understood(part.text).items()
    also, acts, off = told.get("also", {}), told.get("acts", {}), told.get("free_when", {})

    def judged(name: str, **how: Any) -> tuple[str, TypeVerdict]:
        extras, act = _extras(also.get(name)), acts.get(name, "")
        whose: dict[str, Any] = {"area": part.area, "service": service, "page": told["page"]}
        return PREFIX + name, TypeVerdict(**whose, extras=extras, acts=act, **how)

    for name in told.get("free", "").split():
        yield judged(name)
    for name in told.get("priced", "").split():
        yield judged(name, by_code=True)
    for name, lines in told.get("lines", {}).items():
        yield judged(name, lines=tuple(Rated(**{**each, "times": tuple(each.get("times", ()))}) for each in lines))
    for name, why in told.get("unknown", {}).items():
        yield judged(name, unknown=why, off=_conditions(off.get(name, "")))


def _conditions(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((path, value) for path, _, value in (each.partition("=") for each in text.split()))


def _extras(also: Mapping[str, Mapping[str, str]] | None) -> tuple[Extra, ...]:
    return tuple(
        Extra(path=path, **{**each, "free": frozenset(each.get("free", "").split())})  # type: ignore[arg-type]
        for path, each in (also or {}).items()
    )
