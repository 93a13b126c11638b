"""A Dockerfile: the image that it makes, where it listens, how it is checked."""

import re
from pathlib import Path

from crossfade.file.init.compose.health import asked
from crossfade.file.init.compose.judge import signs
from crossfade.file.init.compose.source.ports import likely
from crossfade.file.init.dockerfile import Dockerfile, read_dockerfile
from crossfade.file.init.guess.found import GuessedService, in_flow
from crossfade.file.init.todo import Rank, Todo

_USUAL = "8080"
# Where a server listens that nobody tells anything else.
_BY_ITSELF = {"fastapi run": "8000", "uvicorn": "8000", "gunicorn": "8000", "runserver": "8000", "flask": "5000"}
_LISTENS = re.compile(
    r"(?:--port[ =]|--server\.port=|-p |(?:--bind|-b)[ =]\S*:|\b(?:0\.0\.0\.0|localhost|\[::\]):)(\d{2,5})\b"
)


def look(folder: Path, place: str) -> GuessedService | None:
    """`place` is the folder as it is typed where the file stands."""
    dockerfile = read_dockerfile(folder / "Dockerfile")
    if dockerfile is None or not (dockerfile.base or dockerfile.ports):
        return None
    exposed = likely(list(dockerfile.ports))
    origins = (
        (str(exposed or ""), "from EXPOSE in Dockerfile"),
        (dockerfile.env.get("PORT", ""), "from PORT in Dockerfile"),
        (_told(dockerfile), "from CMD in Dockerfile"),
        (_served_by(dockerfile.base), f"from {dockerfile.base}"),
    )
    known, where = next(((port, why) for port, why in origins if port.isdecimal()), ("", "assumed: no EXPOSE"))
    todos = []
    if not known:
        todos.append(Todo(Rank.NOTHING_RUNS, "port", f"write where it listens; {_USUAL} is assumed"))
    check = asked(dockerfile.check, dockerfile.env)
    lines = (
        ("image", f"{{build: {in_flow(place)}}}", "each deploy builds it from the Dockerfile there"),
        ("port", known or _USUAL, where),
    )
    return GuessedService(
        "Dockerfile", lines, check.path if check.port in (None, int(known or _USUAL)) else "", tuple(todos)
    )


def as_worker(found: GuessedService) -> GuessedService:
    """The same image for something that nobody sends requests to."""
    lines = tuple(line for line in found.lines if line[0] != "port")
    return GuessedService(found.what, (("kind", "worker", "by its name: no port and no requests"), *lines), worker=True)


def _told(dockerfile: Dockerfile) -> str:
    """The port among the words that it runs."""
    parts = [
        " ".join(part) if isinstance(part, list) else part
        for part in (dockerfile.entrypoint, dockerfile.command)
        if part
    ]
    line = " ".join(parts)
    if match := _LISTENS.search(line):
        return match[1]
    return next((port for program, port in _BY_ITSELF.items() if re.search(rf"\b{program}\b", line)), "")


def _served_by(base: str) -> str:
    """80 for the images of web servers, which say so themselves."""
    return "80" if set(signs.words(signs.basename(base))) & signs.PROXIES else ""


def is_store(folder: Path) -> bool:
    """Its Dockerfile makes a database, or the like."""
    dockerfile = read_dockerfile(folder / "Dockerfile")
    return dockerfile is not None and bool(signs.store_in(dockerfile.base))
