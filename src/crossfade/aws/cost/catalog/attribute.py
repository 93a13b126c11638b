"""Attributes of a resource by their paths, as the tables name them: `cluster_config.instance_type|m4.large.search`."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from crossfade.aws.resources.resource import Resource

_PLACE = re.compile(r"\{([^{}|?]+)(?:([|?])([^{}]*))?\}")


def values(resource: Resource, path: str) -> tuple[Any, ...]:
    """All that stands at a path, in every block that has it. Nothing, "", 0 and false count as not there.

    A block of which only the apply tells what is in it is there.
    """
    return tuple(each for each in _at(resource.values, path.split(".")) if each or isinstance(each, dict))


def comes_later(resource: Resource, path: str) -> bool:
    """Whether the configuration gives it, or the block that it is in, and only the apply will tell what it is."""
    return any(each == path or path.startswith(f"{each}.") for each in resource.later)


def is_off(resource: Resource, path: str) -> bool:
    """Whether somebody switched it off, which is more than not to have said anything."""
    return any(each is False for each in _at(resource.values, path.split(".")))


def number(resource: Resource, path: str) -> Decimal | None:
    """A number at `path|default`, or itself; `#path` is how many there are. None when only the apply will tell.

    A plan does not say who gives a block that a `dynamic` makes: blocks without a default are nobody's but the team's.
    """
    if path.isdecimal():
        return Decimal(path)
    path, _, default = path.partition("|")
    if path.startswith("#"):
        found = values(resource, path[1:])
        if found or default:
            return Decimal(len(found)) if found else _decimal(default)
        return None if path[1:] in resource.unknown else Decimal(0)
    found = values(resource, path)
    return _decimal(str(found[0])) if found else None if _later(resource, path) else _decimal(default or "0")


def filled(template: str, resource: Resource) -> str | None:
    """A text with its attributes put in; None when one of them is not known before the apply."""
    missing = False

    def put(match: "re.Match[str]") -> str:
        nonlocal missing
        found, otherwise, text = values(resource, match[1]), match[2], match[3]
        if otherwise == "?":
            return text if found else ""
        if found:
            return _text(found[0])
        missing = missing or text is None or _later(resource, match[1])
        return text or ""

    text = _PLACE.sub(put, template)
    return None if missing else text


def places(template: str) -> list[str]:
    """The attributes that a text has places for."""
    return [match[1] for match in _PLACE.finditer(template)]


def said(value: Any) -> str:
    """A value as the tables write it: true, 512, STANDARD."""
    return _text(value)


def _at(here: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(here, list | tuple):
        for each in here:
            yield from _at(each, path)
    elif not path:
        yield here
    elif isinstance(here, dict):
        yield from _at(here.get(path[0]), path[1:])


def _later(resource: Resource, path: str) -> bool:
    """Whether only the apply tells it. What nobody set is unknown too, and has the provider's default."""
    key = path.split(".", maxsplit=1)[0]
    return key in resource.unknown and any(each.partition(".")[0] == key for each in resource.refers)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
