"""A problem of a file, said so that it can be found and put right."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from crossfade.core.errors import WrongInputError

_LONGEST = 60


@dataclass(frozen=True)
class Position:
    """Where something stands: file, line and column from 1 (line 0: in no file), and its keys as written there."""

    file: str
    line: int
    column: int
    keys: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {'.'.join(map(str, self.keys))}" if self.keys else where


@dataclass(frozen=True)
class Problem:
    """One thing that cannot be meant: where, what was found, what is allowed, and the word that was probably meant."""

    place: Position
    found: str
    allowed: str = ""
    meant: str = ""

    def __str__(self) -> str:
        meant = f"; did you mean {self.meant}?" if self.meant else ""
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{self.place}: {self.found}{meant}{allowed}"


class WrongFileError(WrongInputError):
    """Everything that is wrong with a file, in the order of its lines."""

    def __init__(self, file: str, problems: Iterable[Problem], way_out: str = "nothing was changed") -> None:
        # One mistake in the file's top may show in each of its environments: say it once.
        self.problems = tuple(
            sorted(dict.fromkeys(problems), key=lambda problem: (problem.place.line, problem.place.column))
        )
        lines = [str(problem) for problem in self.problems]
        super().__init__(
            lines[0] if len(lines) == 1 else "\n  ".join([f"{file} has {len(lines)} problems:", *lines]), way_out
        )


def shown(value: Any) -> str:
    """A value as one would point at it: a word in quotes, a number bare, a mapping by its kind."""
    if value is None:
        return "no value"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def nearest(word: object, words: Sequence[str], closeness: float = 0.6) -> str:
    """The one of `words` that `word` was probably meant to be, or nothing. `closeness` 1 takes only the word itself."""
    folded = {known.replace("-", "").replace("_", "").lower(): known for known in words}
    close = get_close_matches(str(word).replace("-", "").replace("_", "").lower(), folded, n=1, cutoff=closeness)
    return folded[close[0]] if close else ""
