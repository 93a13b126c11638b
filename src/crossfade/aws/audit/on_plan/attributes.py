"""Attributes whose value alone is the danger, as attributes.yaml has them: a line there is a check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.switch import number
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource
from crossfade.aws.tables import table


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """What is wrong at a path of a type. `unsaid` says that leaving it out is wrong as well, `given` that only that is.

    `inside` says that it matters only where the block is that it stands in, `least` is the smallest number that is
    right. `unless` names attributes that make it no matter, `so` is what follows.
    """

    type: str
    at: str
    wrong: tuple[str, ...] = ()
    least: int = 0
    unsaid: bool = False
    given: bool = False
    inside: bool = False
    unless: tuple[str, ...] = ()
    so: str = ""

    def marks(self, inventory: Inventory) -> Iterator[Mark]:
        after = f": {self.so}" if self.so else ""
        for resource in inventory.of(self.type):
            if any(is_given(resource, key) for key in self.unless):
                continue
            for what in dict.fromkeys(self._found(resource)):
                yield Mark(resource.address, f"{self.at} {what}{after}")

    def _found(self, resource: Resource) -> Iterator[str]:
        if self.given:
            if not is_given(resource, self.at):
                yield "is not set"
            return
        for value in _at(resource.values, self.at.split("."), inside=self.inside):
            if value is None:
                if self.unsaid and self.at not in resource.refers:
                    yield "is not set"
            elif any(_word(each) in self.wrong for each in (value if isinstance(value, list | tuple) else [value])):
                yield f"is {_shown(value)}"
            elif self.least and (number(value) or 0) < self.least:
                yield f"is {value}"


@cache
def attributes() -> Mapping[str, tuple[Attribute, ...]]:
    """By rule."""
    read: dict[str, list[dict[str, Any]]] = table("crossfade.aws.audit", "attributes.yaml")
    return {rule: tuple(map(_attribute, lines)) for rule, lines in read.items()}


def wrong_values(rule: str, inventory: Inventory) -> Iterator[Mark]:
    for attribute in attributes().get(rule, ()):
        yield from attribute.marks(inventory)


def is_given(resource: Resource, key: str) -> bool:
    """Whether somebody says anything there, also what only the apply will tell."""
    given = any(value not in (None, "", [], {}) for value in _at(resource.values, key.split(".")))
    return given or key in resource.refers or key in resource.later


def _attribute(words: Mapping[str, Any]) -> Attribute:
    read: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in words.items()}
    read["wrong"] = tuple(map(_word, read.get("wrong", ())))
    return Attribute(**read)


def _at(values: Mapping[str, Any], path: list[str], *, inside: bool = False) -> Iterator[Any]:
    """Its values in every block that may have it; None where it is left out, or unless `inside` the block is."""
    key, *rest = path
    value = values.get(key)
    inner = (value,) if isinstance(value, Mapping) else blocks(values, key)
    if not rest:
        yield value
    elif not inner and not inside:
        yield None
    for block in inner if rest else ():
        yield from _at(block, rest, inside=inside)


def _word(value: Any) -> str:
    return str(value).lower()


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return _word(value) if isinstance(value, bool) else str(value)
