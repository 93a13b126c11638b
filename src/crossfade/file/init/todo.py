"""Things to do before a deploy: told by `init`, kept as comments in the file, repeated by `check`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

HEADING = "# To do before a deploy; delete a line when it is done:"
_NO_COMMENT = re.compile(r"[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ITEM = re.compile(r"#\s+([0-9]+)\. (\S+(?:, \S+)*): (.+)")


class Rank(IntEnum):
    """How bad it is not to do it; the worst first."""

    NOTHING_RUNS = 1  # no image, no port: no instance starts
    NEVER_HEALTHY = 2  # it starts and cannot work
    DATA = 3  # it works and loses what it was given
    MISSING = 4  # something that worked beside it does not run
    EXPOSED = 5  # it is reached by more people than before
    ASSUMED = 6  # a guess that may be right
    COPY = 7  # belongs into the image, where it may be already


@dataclass(frozen=True, order=True)
class Todo:
    """One thing to do: `where` is the place in the file that it is about (several with commas), `what` a sentence."""

    rank: Rank
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def worst_first(todos: Iterable[Todo]) -> list[Todo]:
    """The worst first; what is to be done the same way at several places is one thing."""
    together: dict[tuple[Rank, str], list[str]] = {}
    for todo in sorted(dict.fromkeys(todos), key=lambda todo: todo.rank):
        together.setdefault((todo.rank, todo.what), []).append(todo.where)
    return [Todo(rank, ", ".join(places), what) for (rank, what), places in together.items()]


def as_comments(todos: Iterable[Todo]) -> str:
    """The lines for the top of a file; empty when nothing is left to do."""
    lines = [f"#  {number}. {on_one_line(str(todo))}" for number, todo in enumerate(todos, 1)]
    return "".join(f"{line}\n" for line in [HEADING, *lines]) if lines else ""


def on_one_line(text: str) -> str:
    """The text as a comment may have it: what breaks a line, or is no character of YAML, is a `?`."""
    return _NO_COMMENT.sub("?", text)


def still_open(text: str) -> list[tuple[str, str]]:
    """(where, what) of each line of such a list that stands in a file."""
    lines = iter(text.splitlines())
    found = []
    for line in lines:
        if line.strip() == HEADING:
            for item in lines:
                match = _ITEM.fullmatch(item.strip())
                if match is None:
                    break
                found.append((match[2], match[3]))
    return found
