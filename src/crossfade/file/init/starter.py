"""The file that `crossfade init` writes: ten lines that fit what stands in the folder."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

_WIDEST = 60  # comments begin behind the longest line, but not further right than this
_LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Guess:
    """What a folder seems to hold. `lines` are the service's first lines: key, value, and why in a comment."""

    lines: tuple[tuple[str, str, str], ...]


def starter(folder: Path) -> str:
    """The text of a file for the application in `folder`; it loads as it is, and says what was guessed from what."""
    name = app_name(folder)
    guess = next((guess for look in _LOOKS if (guess := look(folder, name)) is not None), _UNKNOWN)
    service = (
        *guess.lines,
        ("replicas", "2", "so many instances run"),
        ("health", "{path: /, interval: 2s}", "must answer 200-399 before an instance gets requests"),
        ("deploy", "{strategy: blue-green, bake: 10s}", "watched for 10s, and taken back when it fails"),
    )
    lines = (
        (f"app: {name}", "every key is explained by `crossfade schema`"),
        ("services:", ""),
        ("  web:", ""),
        *((f"    {key}: {_scalar(value)}", why) for key, value, why in service),
        ("listen: 8080", "where visitors come in"),
    )
    width = min(_WIDEST, max(len(line) for line, _ in lines))
    return "".join(f"{line:<{width}}  # {why}\n" if why else f"{line}\n" for line, why in lines)


def app_name(folder: Path) -> str:
    """The folder's name as an application's name: "My Shop 2" is my-shop-2."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).lstrip("-0123456789")
    return words[:31].rstrip("-") or "app"


def _scalar(value: str) -> str:
    """The value on one line, quoted where YAML would take it for something else. Numbers and flow mappings are ours."""
    if value.startswith("{") or value.isdecimal():
        return value
    return str(yaml.safe_dump(value, width=10**6, allow_unicode=True)).removesuffix("...\n").strip()


def _source(command: str, why: str, build: str = "") -> Guess:
    building = (("build", build, "once a release, in its copy of the folder"),) if build else ()
    return Guess((("source", ".", "each release is a copy of this folder"), *building, ("command", command, why)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _procfile(folder: Path, _name: str) -> Guess | None:
    match = re.search(r"^web:\s*(\S.*?)\s*$", _read(folder / "Procfile"), re.MULTILINE)
    return _source(match[1], "from Procfile") if match else None


def _node(folder: Path, _name: str) -> Guess | None:
    try:
        package = json.loads(_read(folder / "package.json"))
    except ValueError:
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict) or "start" not in scripts:
        return None
    build = "npm ci" if (folder / "package-lock.json").exists() else "npm install"
    return _source("npm start", "from package.json; it must listen on $PORT", build)


def _requirements(folder: Path) -> tuple[str, str]:
    """What a Python project needs, as text to search in, and the command that installs it next to the source."""
    listed, project = _read(folder / "requirements.txt"), _read(folder / "pyproject.toml")
    if not listed and not project:
        return "", ""
    what = "-r requirements.txt" if listed else "."
    return f"{listed}\n{project}".lower(), f"python3 -m venv .venv && .venv/bin/python -m pip install {what}"


def _django(folder: Path, _name: str) -> Guess | None:
    if not (folder / "manage.py").exists():
        return None
    needs, build = _requirements(folder)
    python = ".venv/bin/" if build else ""
    site = next((path.parent.name for path in sorted(folder.glob("*/wsgi.py"))), "")
    if site and "gunicorn" in needs:
        return _source(f"{python}gunicorn {site}.wsgi --bind {_LOCAL}:$PORT", "from manage.py and gunicorn", build)
    if site and "daphne" in needs and (folder / site / "asgi.py").exists():
        return _source(
            f"{python}daphne -b {_LOCAL} -p $PORT {site}.asgi:application", "from manage.py and daphne", build
        )
    run = f"{python}{'python' if build else 'python3'} manage.py runserver {_LOCAL}:$PORT --noreload"
    return _source(run, "from manage.py", build)


def _python(folder: Path, _name: str) -> Guess | None:
    module = next((name for name in ("app", "main") if (folder / f"{name}.py").exists()), None)
    needs, build = _requirements(folder)
    if module is None or not needs:
        return None
    because = f"from {module}.py and"
    if "uvicorn" in needs or "fastapi" in needs:
        return _source(f".venv/bin/uvicorn {module}:app --port $PORT", f"{because} uvicorn", build)
    if "gunicorn" in needs:
        return _source(f".venv/bin/gunicorn {module}:app --bind {_LOCAL}:$PORT", f"{because} gunicorn", build)
    if "flask" in needs:
        return _source(f".venv/bin/flask --app {module} run --port $PORT", f"{because} flask", build)
    return None


def _dockerfile(folder: Path, name: str) -> Guess | None:
    dockerfile = _read(folder / "Dockerfile")
    if not dockerfile:
        return None
    exposed = re.search(r"^\s*EXPOSE\s+([0-9]{1,5})", dockerfile, re.MULTILINE | re.IGNORECASE)
    port = exposed[1] if exposed and 1 <= int(exposed[1]) <= 65535 else "8080"  # noqa: PLR2004 - the largest port
    image = ("image", f"{name}:latest", f"from Dockerfile; build it: docker build -t {name}:latest .")
    return Guess((image, ("port", port, "where the container listens")))


# The first that finds something is right more often than the later ones.
_LOOKS: tuple[Callable[[Path, str], Guess | None], ...] = (_procfile, _node, _django, _python, _dockerfile)
_UNKNOWN = _source("python3 -m http.server $PORT", "nothing recognised: put your own here, listening on $PORT")
