"""The programs that services and their jobs begin with: whether each is there."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.source.there import is_there

Json = Mapping[str, Any]
Keys = tuple[str, ...]

# A command that begins with anything but a plain word (an assignment, a quote, a subshell) is left to the shell.
_PLAIN = re.compile(r"[\w./+-]+")
_BUILTINS = frozenset(
    {".", ":", "[", "cd", "command", "eval", "exec", "export", "if", "set", "test", "trap", "ulimit", "while"}
)


@dataclass(frozen=True, slots=True)
class Absent:
    """A command whose first word no shell would find: whose it is, its keys in the file, the word, all of it."""

    whose: str
    keys: Keys
    word: str
    command: str


def absent(service: Json) -> Iterator[Absent]:
    """Those of a service and of each of its jobs, unless the build may yet bring them. Of an image nobody knows."""
    told = [(f"the command of {service['app']}/{service['name']}", ("services", service["name"]), service["command"])]
    told += [
        (f"the command of the job {job['name']}", ("jobs", job["name"]), job["command"]) for job in service["jobs"]
    ]
    for whose, keys, command in told:
        if word := _not_found(service, command):
            yield Absent(whose, (*keys, "command"), word, command)


def require(service: Json, place: Callable[[Keys], str] = ".".join) -> None:
    """WrongInputError for the first that is not there; `place` says where in the file its keys are."""
    for one in absent(service):
        raise WrongInputError(
            f"{place(one.keys)}: {one.whose} was not found: {one.word}",
            f"install it, correct it ({one.command}), or deploy from the shell whose PATH has it",
        )


def _not_found(service: Json, command: str) -> str:
    """The first word, where the shell would not find it; else nothing."""
    word = command.split(maxsplit=1)[0] if command.split() else ""
    if service["runtime"] != "process" or not _PLAIN.fullmatch(word) or word in _BUILTINS:
        return ""
    own = dict(service["env"]).get("PATH")
    if "/" in word:
        there = is_there(Path(service["source"]) / word) or bool(service["build"])
    else:
        there = shutil.which(word, path=own) is not None or (own is not None and bool(service["build"]))
    return "" if there else word
