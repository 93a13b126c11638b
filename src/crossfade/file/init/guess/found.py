"""The findings of a look at a folder."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from crossfade.file.init.todo import Todo

LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class GuessedService:
    """A service as it was guessed: lines of (key, value, why in a comment), and what is left to do about it.

    `health` is the path that is known to answer, at `health_port` if that is another one; empty when none is. `what`
    names what it was recognised by.
    """

    what: str
    lines: tuple[tuple[str, str, str], ...]
    health: str = ""
    health_port: int | None = field(default=None, kw_only=True)
    todos: tuple[Todo, ...] = field(default=())
    worker: bool = False


def process(
    what: str, command: str, why: str, *, build: str = "", migrate: str = "", todos: tuple[Todo, ...] = ()
) -> GuessedService:
    """A service that runs from a copy of its folder."""
    command, build, migrate = map(_for_shell, (command, build, migrate))
    lines = [("source", ".", "each release is a copy of this folder")]
    lines += [("build", build, "once per release, in its copy of the folder")] if build else []
    lines += [("command", command, why)]
    if migrate:
        lines += [("hooks", f"{{migrate: {_quoted(migrate)}}}", "once per release, before its first instance")]
    return GuessedService(what, tuple(lines), todos=todos)


def _for_shell(command: str) -> str:
    """The command with its variables left to the shell that runs it; of an instance's own the file knows that."""
    return re.sub(r"\$\{(?!PORT\b)", "$${", command)


def text(path: Path) -> str:
    """The file's text; empty when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "''") + "'"


def in_flow(word: str) -> str:
    """The word as it is written inside of brackets, in quotes where it has one itself."""
    return str(yaml.safe_dump([word], default_flow_style=True, width=10**6, allow_unicode=True)).strip()[1:-1]
