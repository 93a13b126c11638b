"""A Procfile: what web, release and the others run."""

import re
from dataclasses import replace
from pathlib import Path

from crossfade.file.init.compose.judge.signs import SCHEDULERS, SERVER_COMMAND, words
from crossfade.file.init.guess.found import GuessedService, process, text
from crossfade.file.init.guess.others import built_with
from crossfade.file.init.todo import Rank, Todo

_LINE = re.compile(r"^([A-Za-z0-9_-]+):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_BY_HAND = frozenset({"console", "shell", "rake", "bash", "test", "dev"})
# It listens at HTTP_PORT, and has what it starts listen at TARGET_PORT, whatever $PORT is: one of them on a machine.
_THRUSTER = re.compile(r"((?:bundle exec )?)(?:\S*/)?thrust (?=\S)")
_HEROKUS = re.compile(r"\bheroku-\S+")


def looks(folder: Path, build: str) -> dict[str, GuessedService]:
    """By service: `web`, whose migration `release` is, and workers for the others. `build` installs what they need.

    Empty without a `web`. What is installed beside the source is found as it is on Heroku: by its name.
    """
    lines = dict(_LINE.findall(text(folder / "Procfile")))
    if "web" not in lines:
        return {}
    if not build and (build := built_with(folder, lines["web"])) and "-o bin/" in build:
        lines = {name: f"./bin/{command.removeprefix('bin/')}" for name, command in lines.items()}
    within = ". .venv/bin/activate && " if ".venv" in build or build.startswith("uv ") else ""
    release = lines.pop("release", "")
    found = {}
    stores = [
        f"{name} (`{lines.pop(name)}`)" for name in [*lines] if name != "web" and SERVER_COMMAND.search(lines[name])
    ]
    for name, command in lines.items():
        if name == "web":
            migrate = f"{within}{release}" if release else ""
            alone = _THRUSTER.sub(r"\1", command)
            why = "from Procfile" + (" without Thruster, which has ports of its own" if alone != command else "")
            made = process("Procfile", f"{within}{alone}", why, build=build, migrate=migrate)
            found[name] = _beside(_on_heroku(made, command), stores)
        elif name not in _BY_HAND:
            by_clock = bool(set(words(name)) & SCHEDULERS)
            found[name.lower().replace("_", "-")] = _worker(f"{within}{command}", build, by_clock=by_clock)
    return found


def _worker(command: str, build: str, *, by_clock: bool) -> GuessedService:
    made = process("Procfile", command, "from Procfile", build=build)
    alone = (("replicas", "1", "by the clock: never two of them"), ("deploy", "{strategy: recreate}", ""))
    kind = ("kind", "worker", "no port and no requests")
    return GuessedService(made.what, (kind, *made.lines, *(alone if by_clock else ())), worker=True)


def _beside(made: GuessedService, stores: list[str]) -> GuessedService:
    """A database keeps what it has, and two of them at one port, as in each deploy of a worker, do not get along."""
    what = f"write {', '.join(stores)} under stores, with an image, a port and a volume: it keeps data"
    return replace(made, todos=(*made.todos, Todo(Rank.MISSING, "services", what))) if stores else made


def _on_heroku(made: GuessedService, command: str) -> GuessedService:
    """What only Heroku has must be replaced first."""
    if (own := _HEROKUS.search(command)) is None:
        return made
    what = f"write another server: {own[0]} is Heroku's own"
    return GuessedService(made.what, made.lines, todos=(Todo(Rank.NOTHING_RUNS, "command", what),))
