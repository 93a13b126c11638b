"""A Python project: Django, FastAPI and its like, Flask, or a script that listens itself."""

import re
from dataclasses import replace
from pathlib import Path

from crossfade.file.init.guess.found import LOCAL, GuessedService, process, text
from crossfade.file.init.todo import Rank, Todo
from crossfade.source.there import is_folder

_PIP = "python3 -m venv .venv && .venv/bin/python -m pip install"
_ASGI = re.compile(
    r"^(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:\w+\.)?(FastAPI|Starlette|Litestar|Sanic|Quart|BlackSheep)\(", re.MULTILINE
)
_WSGI = re.compile(r"^(\w+)\s*=\s*(?:\w+\.)?(Flask|Bottle|Falcon|App)\(", re.MULTILINE)
_FACTORY = re.compile(r"^def (create_app|make_app)\(", re.MULTILINE)
_FROM_ROOT = re.compile(r"^\s*(from|import) src\b", re.MULTILINE)  # src itself is what it imports from
_READS_PORT = re.compile(r"""(environ|getenv)\b.{0,8}["']PORT["']""")
_ASGI_SERVERS = ("uvicorn", "hypercorn", "daphne")
_MOST_FILES = 200


def needs(folder: Path) -> str:
    """What the project needs, as text to search in; empty when it does not say."""
    files = ("requirements.txt", "requirements/production.txt", "requirements/base.txt", "pyproject.toml", "Pipfile")
    return "\n".join(filter(None, (text(folder / name) for name in files))).lower()


def installs(folder: Path) -> str:
    """The command that installs it next to the source."""
    if (folder / "uv.lock").exists():
        return "uv sync --frozen --no-dev"
    if (folder / "poetry.lock").exists():
        return "POETRY_VIRTUALENVS_IN_PROJECT=1 poetry install --only main"
    for name in ("requirements.txt", "requirements/production.txt", "requirements/base.txt"):
        if text(folder / name):
            return f"{_PIP} -r {name}"
    return f"{_PIP} ." if text(folder / "pyproject.toml") else ""


def look(folder: Path) -> GuessedService | None:
    """Django by its manage.py, others by the line that makes the app, a script by the PORT that it reads."""
    return (
        _django(folder) if (folder / "manage.py").exists() else _made(folder) or _streamlit(folder) or _script(folder)
    )


def _streamlit(folder: Path) -> GuessedService | None:
    names = ("streamlit_app.py", "app.py", "main.py", "Home.py")
    name = next((one for one in names if (folder / one).is_file()), "")
    if "streamlit" not in needs(folder) or not name:
        return None
    command = f".venv/bin/streamlit run {name} --server.headless true --server.address {LOCAL} --server.port $PORT"
    found = process("Streamlit", command, f"from {name} and streamlit", build=installs(folder))
    return replace(found, health="/_stcore/health")


def _script(folder: Path) -> GuessedService | None:
    build = installs(folder)
    for name in ("app.py", "main.py", "server.py"):
        if _READS_PORT.search(text(folder / name)):
            python = ".venv/bin/python" if build else "python3"
            return process("Python", f"exec {python} {name}", f"from {name}, which reads PORT", build=build)
    return None


def _django(folder: Path) -> GuessedService:
    wanted, build = needs(folder), installs(folder)
    python = ".venv/bin/" if build else ""
    sites = {name: path.parent.name for name in ("wsgi", "asgi") for path in sorted(folder.glob(f"*/{name}.py"))[:1]}
    migrate = f"{python}{'python' if build else 'python3'} manage.py migrate --noinput"
    todo = Todo(Rank.ASSUMED, "hooks.migrate", f"write hooks: {{migrate: {migrate}}} when the app has a database")

    def by(server: str, command: str) -> GuessedService:
        return process("Django", command, f"from manage.py and {server}", build=build, todos=(todo,))

    if "asgi" in sites and ("daphne" in wanted or "channels" in wanted):
        return by("daphne", f"{python}daphne -b {LOCAL} -p $PORT {sites['asgi']}.asgi:application")
    if "wsgi" in sites and "gunicorn" in wanted:
        return by("gunicorn", f"{python}gunicorn {sites['wsgi']}.wsgi --bind {LOCAL}:$PORT")
    if "asgi" in sites and "uvicorn" in wanted:
        return by("uvicorn", f"{python}uvicorn {sites['asgi']}.asgi:application --port $PORT")
    run = f"{python}{'python' if build else 'python3'} manage.py runserver {LOCAL}:$PORT --noreload"
    return process("Django", run, "from manage.py", build=build, todos=(todo,))


def _made(folder: Path) -> GuessedService | None:
    """An app that is made at the top of a module, or by a function that makes it."""
    wanted, build = needs(folder), installs(folder)
    if not wanted:
        return None
    for path in _modules(folder):
        module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        python = ".venv/bin/"
        source = text(path)
        if module.startswith("src.") and not _FROM_ROOT.search(source):
            python, module = "PYTHONPATH=src .venv/bin/", module.removeprefix("src.")
        if match := _ASGI.search(source):
            return process("Python", *_asgi(python, wanted, f"{module}:{match[1]}", path.name), build=build)
        if match := _WSGI.search(source):
            return process("Python", *_wsgi(python, wanted, module, match[1], path.name), build=build)
        if _FACTORY.search(source) and "flask" in wanted:
            factory = _FACTORY.search(source)
            made = f"{factory[1]}()" if factory else ""
            return process("Python", *_wsgi(python, wanted, module, made, path.name), build=build)
    return _by_name(folder, wanted, build)


def _by_name(folder: Path, wanted: str, build: str) -> GuessedService | None:
    """app.py or main.py beside a list that names a server: the app is probably called app."""
    module = next((name for name in ("app", "main") if (folder / f"{name}.py").exists()), None)
    if module is None:
        return None
    if any(server in wanted for server in (*_ASGI_SERVERS, "fastapi")):
        return process("Python", *_asgi(".venv/bin/", wanted, f"{module}:app", f"{module}.py"), build=build)
    if "gunicorn" in wanted or "flask" in wanted:
        return process("Python", *_wsgi(".venv/bin/", wanted, module, "app", f"{module}.py"), build=build)
    return None


def _asgi(python: str, wanted: str, app: str, file: str) -> tuple[str, str]:
    if "hypercorn" in wanted and "uvicorn" not in wanted:
        return f"{python}hypercorn --bind {LOCAL}:$PORT {app}", f"from {file} and hypercorn"
    if "daphne" in wanted and "uvicorn" not in wanted:
        return f"{python}daphne -b {LOCAL} -p $PORT {app}", f"from {file} and daphne"
    return f"{python}uvicorn {app} --port $PORT", f"from {file} and uvicorn"


def _wsgi(python: str, wanted: str, module: str, made: str, file: str) -> tuple[str, str]:
    if "gunicorn" in wanted:
        app = f"'{module}:{made}'" if "(" in made else f"{module}:{made}"
        return f"{python}gunicorn {app} --bind {LOCAL}:$PORT", f"from {file} and gunicorn"
    app = module if made in ("app", "create_app()", "make_app()") else f"{module}:{made}"
    return f"{python}flask --app {app} run --port $PORT", f"from {file} and flask"


def _modules(folder: Path) -> list[Path]:
    """Where an app is usually made, the likeliest first: app.py, main.py, app/main.py, src/shop/main.py."""
    names = ("app", "main", "wsgi", "asgi", "server", "run", "application", "__init__", "api")
    likely = [folder / f"{name}.py" for name in names if name != "__init__"]
    packages = [*folder.glob("*"), *folder.glob("src/*")]
    for inner in sorted(path for path in packages if is_folder(path) and not path.name.startswith((".", "test"))):
        likely += [inner / f"{name}.py" for name in names]
    return [path for path in likely if path.is_file()][:_MOST_FILES]
