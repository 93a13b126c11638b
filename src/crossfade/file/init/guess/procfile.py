"""A Procfile: what web, release and worker run."""

import re
from pathlib import Path

from crossfade.file.init.guess.found import Found, process, text
from crossfade.file.init.todo import Rank, Todo

_LINE = re.compile(r"^([A-Za-z0-9_-]+):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


def look(folder: Path, build: str) -> Found | None:
    """`web` is the service, `release` its migration; the rest stays to do. `build` installs what they need."""
    lines = dict(_LINE.findall(text(folder / "Procfile")))
    web = lines.pop("web", "")
    if not web:
        return None
    release = lines.pop("release", "")
    todos = tuple(
        Todo(Rank.MISSING, "services", f"run {name} yourself: {command} (crossfade runs services that answer HTTP)")
        for name, command in lines.items()
    )
    return process("Procfile", web, "from Procfile", build=build, migrate=release, todos=todos)
