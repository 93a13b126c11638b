"""A Dockerfile: the image that it makes, where it listens, how it is checked."""

import os
import re
from pathlib import Path

from crossfade.file.init.compose.health import asked
from crossfade.file.init.compose.judge import signs
from crossfade.file.init.compose.source.ports import likely
from crossfade.file.init.dockerfile import Dockerfile, copied, read_dockerfile, workdirs
from crossfade.file.init.guess.found import GuessedService, in_flow, text
from crossfade.file.init.todo import Rank, Todo

_USUAL = "8080"
# Where a server listens that nobody tells anything else.
_BY_ITSELF = {
    **dict.fromkeys(("fastapi (run|dev)", "uvicorn", "gunicorn", "hypercorn", "daphne", "runserver"), "8000"),
    "artisan serve": "8000",
    "flask": "5000",
    "streamlit": "8501",
    "next start": "3000",
    "thrust": "80",
    "frankenphp": "80",
    "rails (s|server)": "3000",
}
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
        ("image", f"{{build: {_build(folder, place)}}}", "each deploy builds it from the Dockerfile there"),
        ("port", known or _USUAL, where),
    )
    elsewhere = check.port if check.path and check.port != int(known or _USUAL) else None
    return GuessedService("Dockerfile", lines, check.path, tuple(todos), health_port=elsewhere)


def _build(folder: Path, place: str) -> str:
    """How it is built: from its own folder, or from the root where what it copies lies there alone."""
    told = text(folder / "Dockerfile")
    wanted = copied(told)
    root = folder
    for _ in Path(place).parts:
        root = root.parent
    itself = "/" in place and any(one.endswith(f"/{place}") for one in workdirs(told))  # /app/src/Web, by COPY . .
    if (not itself and all(_is_in(folder, one) for one in wanted)) or not all(_is_in(root, one) for one in wanted):
        return in_flow(place)
    return f"{{context: ., dockerfile: {in_flow(f'{place}/Dockerfile')}}}"


def _is_in(folder: Path, pattern: str) -> bool:
    clean = os.path.normpath(f"/{pattern}").lstrip("/")  # as Docker reads it: nothing is above the folder
    try:
        return not clean or "$" in clean or any(True for _ in folder.glob(clean))
    except (ValueError, NotImplementedError):  # no pattern of ours
        return True


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
