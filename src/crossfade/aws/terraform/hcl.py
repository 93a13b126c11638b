"""HCL as `terraform fmt` leaves it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

INDENT = "  "
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset({"for", "if", "in", "null", "true", "false"})  # mean something else where a key could stand
_SHORT = re.compile(r"\\.")
_SPELT = {"\\b": "\\u0008", "\\f": "\\u000c"}


@dataclass(frozen=True, slots=True)
class Expression:
    """HCL to be written as it is: `module.vpc.id`."""

    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """`kind "label" { body }`. In `body` a value is an attribute, and a Block a block of its own."""

    kind: str
    labels: tuple[str, ...]
    body: "tuple[tuple[str, Any] | Block, ...]"

    def __str__(self) -> str:
        return "\n".join(_block(self, "")) + "\n"


def block(kind: str, *labels: str, body: "Iterable[tuple[str, Any] | Block]" = (), **attributes: Any) -> Block:
    """Attributes that are None are left out."""
    given = tuple((name, value) for name, value in attributes.items() if value is not None)
    return Block(kind, labels, (*given, *body))


def text(of: str) -> str:
    """Text in quotes. `${` and `%{` would begin templates; JSON's short forms that HCL does not know are spelt out."""
    quoted = json.dumps(of, ensure_ascii=False).replace("\x7f", "\\u007f")
    spelt = _SHORT.sub(lambda found: _SPELT.get(found[0], found[0]), quoted)
    return spelt.replace("${", "$${").replace("%{", "%%{")


def value(of: Any, indent: str = "") -> str:
    """A value on one line, or with a mapping's or a long list's items on lines of their own."""
    if isinstance(of, Expression):
        return of.text
    if isinstance(of, str):
        return text(of)
    if isinstance(of, Mapping):
        return _mapping(of, indent)
    if isinstance(of, list | tuple):
        return _list(of, indent)
    return json.dumps(of)


def _mapping(of: Mapping[str, Any], indent: str) -> str:
    if not of:
        return "{}"
    inner = indent + INDENT
    keys = {key: key if _NAME.fullmatch(key) and key not in _WORDS else text(key) for key in of}
    lines = _aligned([(keys[key], value(item, inner)) for key, item in of.items()], inner)
    return "\n".join(["{", *lines, f"{indent}}}"])


def _list(of: Iterable[Any], indent: str) -> str:
    inner = indent + INDENT
    items = [value(item, inner) for item in of]
    line = f"[{', '.join(items)}]"
    if "\n" not in line and len(indent) + len(line) <= 100:  # noqa: PLR2004  a line a person reads at once
        return line
    return "\n".join(["[", *(f"{inner}{item}," for item in items), f"{indent}]"])


def _block(of: Block, indent: str) -> Iterable[str]:
    head = " ".join([of.kind, *(text(label) for label in of.labels), "{"])
    if not of.body:
        yield f"{indent}{head}}}"
        return
    inner = indent + INDENT
    yield f"{indent}{head}"
    attributes: list[tuple[str, str]] = []
    first = True
    for item in of.body:
        if of.kind == "module" and not isinstance(item, Block) and item[0] == "source":
            # What is called stands apart from what it is called with.
            yield f"{inner}source = {value(item[1])}"
            yield from [""] if len(of.body) > 1 else []
            continue
        if isinstance(item, Block):
            yield from _aligned(attributes, inner)
            if attributes or not first:
                yield ""
            attributes = []
            yield from _block(item, inner)
        else:
            attributes.append((item[0], value(item[1], inner)))
        first = False
    yield from _aligned(attributes, inner)
    yield f"{indent}}}"


def _aligned(attributes: list[tuple[str, str]], indent: str) -> Iterable[str]:
    """`=` in one column for neighbours, as `terraform fmt` has it: a value of several lines ends the column."""
    group: list[tuple[str, str]] = []
    for name, text in attributes:
        group.append((name, text))
        if "\n" in text:
            yield from _column(group, indent)
            group = []
    yield from _column(group, indent)


def _column(group: list[tuple[str, str]], indent: str) -> Iterable[str]:
    # A value of several lines stands in a column of its own.
    single = [(name, text) for name, text in group if "\n" not in text]
    width = max((len(name) for name, _ in single), default=0)
    for name, text in group:
        yield f"{indent}{name if chr(10) in text else name.ljust(width)} = {text}"
