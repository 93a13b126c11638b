"""The file that `crossfade init` writes: a few lines that fit what stands in the folder."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from crossfade.file.init.compose.judge.signs import FRONTS, WORKERS, words
from crossfade.file.init.compose.source.project import USUAL
from crossfade.file.init.guess import (
    beside,
    compiled,
    image,
    javascript,
    listens,
    others,
    pages,
    procfile,
    python,
    remembered,
)
from crossfade.file.init.guess.found import GuessedService, in_flow
from crossfade.file.init.todo import Rank, Todo, as_comments, on_one_line, worst_first
from crossfade.source.there import is_folder

_WIDEST = 60  # comments begin behind the longest line, but not further right than this
_HOMES = ("", "apps", "services", "src", "internal", "packages")  # where the parts of a monorepo lie
_SKIPPED = re.compile(
    r"(\.|_).*|node_modules|vendor|tests?|e2e|docs?|scripts|examples?|dist|build|public|infra|deploy|docker|ci|cli"
    r"|nginx|traefik|caddy|haproxy|proxy|reverse-proxy|benchmark\w*|seed(-?data)?"
)
_MOST_PARTS = 20
_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env", "sample.env")
_TEXTS = frozenset({"source", "build", "command", "kind"})  # all else is ours to write, and is YAML already


@dataclass(frozen=True)
class Start:
    """The text of a file, which loads; what it was recognised by (nothing: empty), and what is left to do."""

    text: str
    recognised: Sequence[str] = ()
    todos: Sequence[Todo] = ()
    compose: str = ""  # the Compose file that stands beside it
    assumed: Sequence[str] = ()  # services that are asked for / because nothing says for what


def starter(folder: Path) -> Start:
    """A file for the application in `folder`; it says what was guessed from what."""
    name = app_name(folder)
    if processes := procfile.looks(folder, _installs(folder)):
        parts = {name: (found, ".") for name, found in processes.items()}
    elif found := _look(folder, "."):
        parts = {"web": (found, ".")}
    else:
        parts = _parts(folder) or {"web": (pages.look(folder) or pages.nothing(folder), ".")}
    todos = worst_first(
        Todo(todo.rank, todo.where if todo.where == "services" else f"services.{service}.{todo.where}", todo.what)
        for service, (found, place) in parts.items()
        for todo in (
            *found.todos,
            *_unset(found, place, folder / place),
            *_by_its_files(service, found, folder / place),
        )
    )
    recognised = [f"{service}: {found.what}" for service, (found, _) in parts.items() if found.what]
    if not recognised and not todos:
        what = "write what starts the app; nothing was recognised, so its files are served"
        todos = [Todo(Rank.ASSUMED, "services.web.command", what)]
    composed = next((name for name in USUAL if (folder / name).is_file()), "")
    assumed = [
        service
        for service, (found, _) in parts.items()
        if found.what not in ("", "a page") and not (found.worker or found.health)
    ]
    return Start(as_comments(todos) + _text(name, parts, folder), recognised, todos, composed, assumed)


def app_name(folder: Path) -> str:
    """The folder's name as an application's name: "My Shop 2" is my-shop-2."""
    words = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).lstrip("-0123456789")
    return words[:31].rstrip("-") or "app"


def _look(folder: Path, place: str) -> GuessedService | None:
    """What its own files say is right more often than what its language lets one guess."""
    return (
        procfile.looks(folder, _installs(folder)).get("web")
        or image.look(folder, place)
        or javascript.node(folder)
        or javascript.deno(folder)
        or python.look(folder)
        or others.ruby(folder)
        or others.go(folder)
        or others.php(folder)
        or compiled.look(folder)
    )


def _installs(folder: Path) -> str:
    """What a Procfile's commands need."""
    if install := python.installs(folder):
        return install
    found = javascript.node(folder) or others.ruby(folder) or others.php(folder)
    return next((value for key, value, _ in found.lines if key == "build"), "") if found else ""


def _parts(folder: Path) -> dict[str, tuple[GuessedService, str]]:
    """The services of a monorepo by name, each with its folder; the page is last, and gets all other requests."""
    homes = [folder / home for home in _HOMES if (folder / home).is_dir()]
    inner = [path for home in homes for path in sorted(home.iterdir()) if is_folder(path)]
    found: dict[str, tuple[GuessedService, str]] = {}
    for path in inner:
        if _SKIPPED.fullmatch(path.name) or len(found) == _MOST_PARTS or image.is_store(path):
            continue
        if path.parent.name == "packages" and found:
            continue  # what the others are made of
        service, place = app_name(path), str(path.relative_to(folder))
        part = _look(path, place) or (pages.look(path) if set(words(path.name)) & FRONTS else None)
        if part is not None and part.what == "Dockerfile" and set(words(path.name)) & WORKERS:
            part = image.as_worker(part)
        if part is not None and service not in found:
            installed = javascript.is_workspace(folder) and part.what in ("Node", "a page")
            found[service] = (javascript.in_workspace(part, folder, place), ".") if installed else (part, place)
    answering = [service for service, (part, _) in found.items() if not part.worker]
    front = next((service for service in answering if set(words(service)) & FRONTS), next(iter(answering), ""))
    return {service: found[service] for service in sorted(found, key=lambda service: service == front)}


def _text(name: str, parts: dict[str, tuple[GuessedService, str]], folder: Path) -> str:
    lines = [(f"app: {name}", "every key is explained by `crossfade schema`"), ("services:", "")]
    last = next((name for name in reversed(parts) if not parts[name][0].worker), "")
    for service, (found, place) in parts.items():
        lines.append((f"  {service}:", ""))
        lines += [
            (f"    {key}: {_written(key, value)}", why) for key, value, why in _lines(found, place, folder / place)
        ]
        if service != last and not found.worker:
            lines.append((f"    routes: [{{path: /{service}/*}}]", "the service sees the whole path"))
    known = any(found.what for found, _ in parts.values())  # files that nobody meant to publish are for nobody else
    here = ("listen: {http: 8080, host: 127.0.0.1}", "where visitors come in: from this machine alone")
    lines.append(("listen: 8080", "where visitors come in") if known else here)
    width = min(_WIDEST, max(len(line) for line, _ in lines))
    return "".join(f"{line:<{width}}  # {on_one_line(why)}\n" if why else f"{line}\n" for line, why in lines)


def _lines(found: GuessedService, place: str, folder: Path) -> list[tuple[str, str, str]]:
    """The lines of one service, with what every service has; `folder` is where its files are."""
    lines = []
    for key, value, why in found.lines:
        lines.append((key, _from_here(key, value, place), why))
        lines += remembered.lines(value, folder) if key == "build" else []
    if _runs(found) and (folder / ".env").is_file():  # no release has it where git ignores it, nor may one have it
        lines.append(("env_file", f"[{in_flow(_beside(place, '.env'))}]", "its variables, kept as secrets are"))
    if found.worker:
        return lines
    path, why = (
        (found.health, _asked_by(found)) if found.health else ("/", "must answer 200-299 before it gets requests")
    )
    asked = f"path: {in_flow(path)}" + (f", port: {found.health_port}" if found.health_port else "")
    return [
        *lines,
        ("replicas", "2", "how many instances run"),
        ("health", f"{{{asked}, interval: 2s}}", why),
        ("deploy", "{strategy: blue-green, bake: 10s}", "watched for 10s, and taken back when it fails"),
    ]


def _asked_by(found: GuessedService) -> str:
    return "from HEALTHCHECK" if found.what == "Dockerfile" else f"as {found.what} has it"


def _from_here(key: str, value: str, place: str) -> str:
    """A value that names places of the part's folder, which the file names from where it stands."""
    if key == "also":
        return f"[{', '.join(in_flow(os.path.normpath(f'{place}/{one}')) for one in yaml.safe_load(value))}]"
    return place if key == "source" else value


def _unset(found: GuessedService, place: str, folder: Path) -> Sequence[Todo]:
    """Variables that the app needs by its own account, and that are nowhere."""
    example = next((name for name in _EXAMPLES if (folder / name).is_file()), "")
    if not example or not _runs(found) or (folder / ".env").is_file():
        return ()
    mine = _beside(place, ".env")
    what = f"give it the variables of {_beside(place, example)}: write {mine} as that has it, and `env_file: [{mine}]`"
    return (Todo(Rank.NEVER_HEALTHY, "env_file", what),)


def _by_its_files(service: str, found: GuessedService, folder: Path) -> Sequence[Todo]:
    """What the files of a part say that its lines do not. A Procfile says all that runs, and a worker is one."""
    if found.worker or not found.what or found.what in ("a page", "Procfile"):
        return ()
    return (*beside.workers(folder, service, found), *beside.migrations(folder, found), *listens.fixed(folder, found))


def _runs(found: GuessedService) -> bool:
    """Something of theirs runs that may read variables, and be it a build."""
    return bool(found.what) and any(key in {"command", "build", "image"} for key, _, _ in found.lines)


def _beside(place: str, name: str) -> str:
    return name if place == "." else f"{place}/{name}"


def _written(key: str, value: str) -> str:
    """The value on one line, a text quoted where YAML would take it for something else."""
    if key not in _TEXTS:
        return value
    return str(yaml.safe_dump(value, width=10**6, allow_unicode=True)).removesuffix("...\n").strip()
