"""What a change of one line takes to be deployed, of a Django app with forty dependencies."""

import json
import os
import shutil
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import BrokenError, child, free_port, workplace
from benchmarks.deploy import POLL, healthy
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import Ran, crossfade

NOUN = "edit"
APP = Path(__file__).with_name("bookshop")
LIMIT = 60.0  # for one boot
INSTALLS = 600.0  # seconds, for forty packages and what they need
BUILD = "python3 -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.txt"
COMMAND = "exec .venv/bin/python -m gunicorn bookshop.wsgi -b 127.0.0.1:$PORT"
HOW = f"""\
The app of benchmarks/bookshop has forty dependencies in its requirements.txt and uses them where a project would: in
its settings, models, views and tasks. It is installed once, by the first deploy. Then a line of its views changes and
`crossfade deploy --json` brings that out, blue-green with `bake: 0s` and two healthy answers in a row, with `cache:
[.venv]` and `built_from: [requirements.txt]`. The boot is that of the same command in the folder of the release that
runs, asked every {POLL * 1000:.0f} ms until it answers 200; boots and deploys take turns. A deploy comes when the one
before it is over for good: a release stays some seconds for its pages, and the next would wait for its room. Beside
it stands the same change where the file says nothing of `built_from`: then the build runs, with what the one before
it installed.
"""
BECAUSE = """\
Whatever the build leaves is sealed file by file, which costs as much as it has files. Links to them are made ahead,
while the release before it starts and serves; a deploy that comes sooner makes them itself. They are looked at before
anything runs from them, beside what a deploy does until then. An app that starts is asked after each fiftieth of its
age whether it is well.
"""


async def measure(scale: Scale) -> Result:
    taken: dict[str, list[float]] = {"boot, alone": [], "deploy of one line": [], "the same, with the build run": []}
    with workplace() as place:
        state, source = place / "s", place / "bookshop"
        shutil.copytree(APP, source, ignore=shutil.ignore_patterns("__pycache__"))
        (source / "crossfade.yaml").write_text(json.dumps(_file(free_port(), built_from=["requirements.txt"])))
        try:
            first = _deploy(state, source)
            for turn in range(scale.deploys):
                taken["boot, alone"].append(_boot(place, state, source))
                with (source / "books" / "views.py").open("a") as views:
                    views.write(f"TURN = {turn}\n")
                _alone(state)
                taken["deploy of one line"].append(_deploy(state, source).ms)
            (source / "crossfade.yaml").write_text(json.dumps(_file(free_port(), built_from=[])))
            for turn in range(2):
                with (source / "books" / "views.py").open("a") as views:
                    views.write(f"AGAIN = {turn}\n")
                _alone(state)
                taken["the same, with the build run"].append(_deploy(state, source).ms)
            files = sum(len(names) for _, _, names in os.walk(_tree(state, source) / ".venv"))
        finally:
            crossfade("down", "--all", "--force", state=state)
    ratio = median(taken["deploy of one line"]) / median(taken["boot, alone"])
    return Result(
        noun=NOUN,
        title="One line of a Django app with forty dependencies",
        how=HOW,
        figures=(Figure(name="deploy over boot, medians", value=ratio, most=1.3),),
        tables=(Table.of("ms", {"the first deploy, which installs": [first.ms], **taken}),),
        notes=[f"{files:,} files in its .venv"],
        because=BECAUSE,
        data={"first_ms": first.ms, "boot_ms": taken["boot, alone"], "deploy_ms": taken["deploy of one line"]},
    )


def _deploy(state: Path, source: Path) -> Ran:
    ran = crossfade("deploy", "--json", state=state, cwd=source, limit=INSTALLS)
    if ran.last["rollout"]["state"] != "succeeded":
        raise BrokenError(f"the deploy ended otherwise: {ran.last['rollout']}")
    return ran


def _alone(state: Path) -> None:
    """Waits until the release before the one that serves is gone."""
    until = time.monotonic() + LIMIT
    while len({instance["release"] for instance in _status(state)["instances"]}) > 1:
        if time.monotonic() > until:
            raise BrokenError("the release before does not go")
        time.sleep(0.5)


def _status(state: Path) -> Any:
    return crossfade("status", "--json", state=state).last["services"][0]


def _file(port: int, *, built_from: list[str]) -> dict[str, Any]:
    """JSON is YAML."""
    web = {
        "source": ".",
        "build": BUILD,
        "cache": [".venv"],
        "built_from": built_from,
        "command": COMMAND,
        "health": {"path": "/health"},
        "drain": "5s",
        "grace": "5s",
        "deploy": {"strategy": "blue-green", "bake": "0s", "keep_previous": "0s"},
    }
    return {"app": "bookshop", "services": {"web": web}, "listen": {"host": "127.0.0.1", "http": port}}


def _tree(state: Path, source: Path) -> Path:
    """The folder of the release that has the source as it is now."""
    text = (source / "books" / "views.py").read_bytes()
    return next(path.parents[1] for path in state.glob("releases/*/tree/books/views.py") if path.read_bytes() == text)


def _boot(place: Path, state: Path, source: Path) -> float:
    """Milliseconds from the start of the command to its first healthy answer."""
    port, tree = free_port(), _tree(state, source)
    began = time.perf_counter()
    with child(["/bin/sh", "-c", f"cd {tree} && {COMMAND}"], place, env={"PORT": str(port)}):
        while not healthy(port):
            if time.perf_counter() - began > LIMIT:
                raise BrokenError(f"the app does not get healthy by itself: {(place / 'child.log').read_text()[-500:]}")
            time.sleep(POLL)
        return (time.perf_counter() - began) * 1000
