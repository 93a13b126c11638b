"""A Dockerfile: the image that it makes, where it listens, how it is checked."""

from pathlib import Path

from crossfade.file.init.compose.health import asked
from crossfade.file.init.dockerfile import read_dockerfile
from crossfade.file.init.guess.found import Found
from crossfade.file.init.todo import Rank, Todo

_USUAL = "8080"


def look(folder: Path, place: str) -> Found | None:
    """`place` is the folder as it is typed where the file stands."""
    dockerfile = read_dockerfile(folder / "Dockerfile")
    if dockerfile is None or not (dockerfile.base or dockerfile.ports):
        return None
    port = dockerfile.env.get("PORT", "")
    ports = [str(one) for one in dockerfile.ports]
    known = next((one for one in (*ports, port) if one.isdecimal()), "")
    todos = []
    if not known:
        todos.append(Todo(Rank.NOTHING_RUNS, "port", f"write where it listens; {_USUAL} is assumed"))
    check = asked(dockerfile.check, dockerfile.env)
    where = "from EXPOSE in Dockerfile" if ports else "from PORT in Dockerfile" if known else "assumed: no EXPOSE"
    lines = (
        ("image", f"{{build: {place}}}", "each deploy builds it from the Dockerfile there"),
        ("port", known or _USUAL, where),
    )
    return Found("Dockerfile", lines, check.path if check.port in (None, int(known or _USUAL)) else "", tuple(todos))
