"""A folder of files to look at: what of it may be served, and the server for it, on loopback."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

from crossfade.file.init.guess.found import LOCAL, GuessedService, process, text
from crossfade.file.init.guess.javascript import built_page
from crossfade.file.init.todo import Rank, Todo
from crossfade.source import git
from crossfade.source.there import is_file

SERVED = ".site"  # a folder of the release that holds what may be served, and nothing else
_PLACES = ("public", "dist", "build", "_site", "site", "www", "htdocs", "docs")
_NEVER = re.compile(
    r"(^|/)\.|(^|/)(crossfade|docker-compose|compose)[^/]*\.ya?ml$|(^|/)(Dockerfile|Procfile|Makefile)[^/]*$"
    r"|\.(env|pem|key|p12|pfx|crt|sqlite3?|db|sql|py|rb|go|ts|toml|lock|log|bak)$|(^|/)(node_modules|__pycache__|venv)(/|$)",
    re.IGNORECASE,
)
_MOST = 2000
_STANDS_IN = "write what starts the app; nothing was recognised, and a web server without files stands in for it"
_MOST_NAMED = 40  # files and folders in the line of a build
_SERVE = f"python3 -m http.server --bind {LOCAL} --directory"


def look(folder: Path) -> GuessedService | None:
    """A page that is built, or one that lies there; None when there is no page."""
    if built := built_page(folder):
        build, place = built
        return process("a page", f"{_SERVE} {place} $PORT", "the files of its build, on loopback", build=build)
    places = (place for place in _PLACES if (folder / place / "index.html").is_file())
    for place in places:
        good, bad = _files(folder, place)
        if f"{place}/index.html" in good and not bad:
            return process("a page", f"{_SERVE} {place} $PORT", f"the files in {place}, on loopback")
    return nothing(folder, "a page", "its files, on loopback") if (folder / "index.html").is_file() else None


def nothing(
    folder: Path, what: str = "", why: str = "nothing recognised: put your own here, listening on $PORT"
) -> GuessedService:
    """A server for what may be served of the folder: nothing that git or Docker ignores, nothing hidden, no code."""
    good, bad = _files(folder)
    mixed = {place for file in bad for place in _above(file)}
    entries = dict.fromkeys(
        next((place for place in _above(file) if place not in mixed), file) for file in sorted(good)
    )
    todos: tuple[Todo, ...] = ()
    if not what and len(entries) > _MOST_NAMED:  # nobody would read them, and nothing says that they are a page
        todos, entries = (Todo(Rank.ASSUMED, "command", _STANDS_IN),), {}
    copied = f" && cp -R --parents {shlex.join(entries)} {SERVED}/" if entries else ""
    return process(what, f"{_SERVE} {SERVED} $PORT", why, build=f"mkdir -p {SERVED}{copied}", todos=todos)


def _files(folder: Path, below: str = "") -> tuple[set[str], set[str]]:
    """The files that may be served, and those that may not, `below` a folder in it."""
    files = git.files(folder)
    if files is None:
        found = (path for path in sorted(folder.rglob("*")) if is_file(path) and not path.is_symlink())
        files = [str(path.relative_to(folder)) for path in found]
    patterns = [line.strip().strip("/") for line in text(folder / ".dockerignore").splitlines() if line.strip()]
    patterns = [pattern for pattern in patterns if not pattern.startswith(("#", "!"))]
    wanted = [file for file in files if not below or file.startswith(f"{below}/")][:_MOST]
    good = {file for file in wanted if not _NEVER.search(file) and not _ignored(file, patterns)}
    return good, set(wanted) - good


def _above(file: str) -> list[str]:
    """The folders above a file, the highest first: a/b/c.txt has a and a/b."""
    parts = file.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _ignored(file: str, patterns: list[str]) -> bool:
    """As Docker reads .dockerignore: a pattern is for the path and for all below it; ** is any folder."""
    return any(
        fnmatch(place, pattern) or fnmatch(place, pattern.removeprefix("**/")) or fnmatch(place, f"*/{pattern[3:]}")
        if pattern.startswith("**/")
        else fnmatch(place, pattern) and place.count("/") == pattern.count("/")
        for place in (*_above(file), file)
        for pattern in patterns
    )
