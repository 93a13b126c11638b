"""Variables in values: `${NAME:-default}` and its kin, filled in as Compose fills them in."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_DEEPEST = 20
ALLOWED = "${NAME}, ${NAME:-default}, ${NAME:?why} or ${NAME:+instead}; $${ for a literal ${"


@dataclass(frozen=True)
class Filled:
    """A text with its variables filled in.

    `unset` are the names that have neither value nor default and were taken as empty, `required` those that must have
    a value (`?`) and have none, with the reason that the file gives; `used` is every name that was asked for.
    """

    text: str
    unset: tuple[str, ...] = ()
    required: tuple[tuple[str, str], ...] = ()
    used: tuple[str, ...] = ()


def _none(_name: str) -> bool:
    return False


def fill(
    text: str,
    values: Mapping[str, str],
    *,
    bare: bool = True,
    keep: Callable[[str], bool] = _none,
    script: bool = False,
) -> Filled:
    """The text with `values` filled in; ValueError, whose text is what is allowed, for a `${` that is none of them.

    `bare` takes `$NAME` and `$$` as Compose does; without it only braces count, and `$NAME` stays for a shell. The
    names that `keep` picks stay as they are written: `${PORT}` when PORT is kept. In a `script` so does what only its
    shell can mean, such as `${PATH%%:*}`.
    """
    if "$" not in text:
        return Filled(text)
    filling = _Filling(values, bare=bare, keep=keep, script=script)
    done = filling.text(text, 0)
    return Filled(done, _once(filling.unset), tuple(filling.required), _once(filling.used))


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


@dataclass
class _Filling:
    values: Mapping[str, str]
    bare: bool
    keep: Callable[[str], bool]
    script: bool
    unset: list[str] = field(default_factory=list)
    required: list[tuple[str, str]] = field(default_factory=list)
    used: list[str] = field(default_factory=list)

    def text(self, text: str, depth: int) -> str:
        if depth > _DEEPEST:
            raise ValueError(f"at most {_DEEPEST} variables inside each other")
        parts: list[str] = []
        closings = _closings(text)
        at = 0
        while (dollar := text.find("$", at)) >= 0:
            parts.append(text[at:dollar])
            part, at = self._variable(text, dollar, closings, depth)
            parts.append(part)
        return "".join([*parts, text[at:]])

    def _variable(self, text: str, dollar: int, closings: Mapping[int, int], depth: int) -> tuple[str, int]:
        """What stands for the variable that begins at `dollar`, and where the text goes on behind it."""
        if text.startswith("$${", dollar):
            return "${", dollar + 3
        if text.startswith("${", dollar):
            end = closings.get(dollar + 1)
            if end is not None:
                return self._braced(text[dollar : end + 1], depth), end + 1
            if not self.script:
                raise ValueError(ALLOWED)
            return "${", dollar + 2
        if self.bare and text.startswith("$$", dollar):
            return "$", dollar + 2
        name = _NAME.match(text, dollar + 1) if self.bare else None
        if name is None:
            return "$", dollar + 1
        return self._value(name[0]), name.end()

    def _braced(self, braced: str, depth: int) -> str:
        inside = braced[2:-1]
        name = _NAME.match(inside)
        if name is None:
            return self._foreign(braced)
        if self.keep(name[0]):
            return braced
        operator = _OPERATOR.match(inside, name.end())
        if operator is None:
            return self._value(name[0]) if name.end() == len(inside) else self._foreign(braced)
        return self._chosen(name[0], operator[0], inside[operator.end() :], depth)

    def _foreign(self, braced: str) -> str:
        if not self.script:
            raise ValueError(ALLOWED)
        return braced

    def _chosen(self, name: str, operator: str, other: str, depth: int) -> str:
        """With a colon an empty value counts as none."""
        self.used.append(name)
        value = self.values.get(name)
        there = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return self.text(other, depth + 1) if there else ""
        if there:
            return value or ""
        if operator.endswith("?"):
            self.required.append((name, self.text(other, depth + 1)))
            return ""
        return self.text(other, depth + 1)

    def _value(self, name: str) -> str:
        self.used.append(name)
        if name not in self.values:
            self.unset.append(name)
        return self.values.get(name, "")


def _closings(text: str) -> Mapping[int, int]:
    """Where each brace that is closed is closed, those between before it."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for brace in re.finditer(r"[{}]", text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            found[opened.pop()] = brace.start()
    return found
