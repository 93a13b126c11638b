"""Where an app listens by its source: whoever writes its port down does not listen on $PORT."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from crossfade.file.init.guess.found import GuessedService, text
from crossfade.file.init.todo import Rank, Todo

# A port in a call that listens: app.listen(3000), ListenAndServe(":8080", nil), bind("0.0.0.0:3000"), serve({port: 8000
_SOURCES = {
    "Go": ((".go",), re.compile(r"""\b(?:ListenAndServe|Listen|Start|Run)\((?:"tcp",\s*)?"[\w.]*:([0-9]{2,5})\"""")),
    "Rust": ((".rs",), re.compile(r"""\b(?:bind|from_str|parse)\(\s*"[\d.:\[\]]*:([0-9]{2,5})\"""")),
    "Node": ((".js", ".mjs", ".cjs", ".ts", ".mts"), re.compile(r"\.listen\(\s*(?:\{\s*port:\s*)?([0-9]{2,5})\b")),
    "Deno": (
        (".ts", ".tsx", ".js"),
        re.compile(r"\bserve\([^)]{0,80}?\bport:\s*([0-9]{2,5})\b|\.listen\(\{\s*port:\s*([0-9]{2,5})\b"),
    ),
}
_READS = re.compile(r"(?<![A-Za-z0-9])PORT\b")  # PORT of the environment, whatever a language calls that
_SKIPPED = re.compile(r"\..*|node_modules|vendor|target|dist|build|tests?|e2e|examples?|docs?|scripts")
_MOST_FILES = 500


def fixed(folder: Path, found: GuessedService) -> list[Todo]:
    """What to do where a port is written down in the source and nothing in all of it reads PORT."""
    if found.what not in _SOURCES:
        return []
    endings, listens = _SOURCES[found.what]
    said = ""
    for path in _files(folder, endings):
        source = text(path)
        if _READS.search(source):
            return []
        if not said and (match := listens.search(source)):
            port = next(filter(None, match.groups()))
            said = f"have it listen on $PORT: {path.relative_to(folder)} says {port}, and nothing here reads PORT"
    return [Todo(Rank.NEVER_HEALTHY, "command", said)] if said else []


def _files(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    left = _MOST_FILES
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _SKIPPED.fullmatch(name))
        for name in sorted(names):
            if name.endswith(endings) and not re.search(r"(_test\.go|\.(test|spec)\.\w+)$", name):
                yield Path(parent, name)
                left -= 1
                if not left:
                    return
