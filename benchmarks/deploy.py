"""What a deploy takes beyond the time in which the app boots."""

import json
import shutil
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.children import ORIGIN, BrokenError, child, free_port, workplace
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from benchmarks.shell import crossfade

NOUN = "deploy"
POLL = 0.005
LIMIT = 20.0
HOW = f"""\
Boot-to-healthy is measured by starting the app's command and asking its health path every {POLL * 1000:.0f} ms
until it answers 200. Then the same app is deployed over its predecessor by `crossfade deploy --json`, blue-
green with `bake: 0s` and two healthy answers in a row, the default, from a changed source folder: reading the
file, the snapshot, the launch, the checks, the switch, the proof. The overhead is the process's wall time less
the median boot-to-healthy. Boots and deploys take turns.
"""
BECAUSE = """\
What is ours is a constant, whatever the app. Before the rollout, Python starts, and the controller reads the file and
copies the source. In the rollout there are ten lines of the journal, each waited for until it is on the disk, and two
changes of routing, each confirmed by all of Envoy's workers. When something failed, up to 50 ms follow in which Envoy
writes down what belongs into the proof.
"""


async def measure(scale: Scale) -> Result:
    boots, walls, rollouts = [], [], []
    with workplace() as place:
        state, source = place / "s", place / "app"
        source.mkdir()
        shutil.copy(ORIGIN, source / "app.py")
        (source / "crossfade.yaml").write_text(json.dumps(_file()))
        try:
            crossfade("deploy", "--json", state=state, cwd=source)  # starts the controller and Envoy, too
            for turn in range(scale.deploys):
                boots.append(boot(source))
                (source / "turn.txt").write_text(f"{turn}\n")
                ran = crossfade("deploy", "--json", state=state, cwd=source)
                if ran.last["rollout"]["state"] != "succeeded":
                    raise BrokenError(f"the deploy ended otherwise: {ran.last['rollout']}")
                walls.append(ran.ms)
                rollouts.append(ran.last["rollout"]["seconds"] * 1000)
        finally:
            crossfade("down", "--all", "--force", state=state)
    overheads = [wall - median(boots) for wall in walls]
    parts = {
        "boot-to-healthy, alone": boots,
        "deploy": walls,
        "its rollout, by its record": rollouts,
        "the command line before and after": [wall - rollout for wall, rollout in zip(walls, rollouts, strict=True)],
        "overhead": overheads,
    }
    return Result(
        noun=NOUN,
        title="Deploy beyond the app's own boot",
        how=HOW,
        figures=(Figure(name="overhead, median", value=median(overheads), unit="ms", most=300),),
        tables=(
            Table(
                head=("ms", "median", "least", "most"),
                rows=[(name, *map(number, (median(ms), min(ms), max(ms)))) for name, ms in parts.items()],
            ),
        ),
        because=BECAUSE,
        data={"boot_ms": boots, "deploy_ms": walls, "rollout_ms": rollouts},
    )


def _file() -> dict[str, object]:
    """JSON is YAML."""
    web = {
        "source": ".",
        "command": _command(),
        "replicas": 1,
        "health": {"path": "/health", "healthy": 1},
        "drain": "5s",
        "grace": "5s",
        "deploy": {"strategy": "blue-green", "bake": "0s", "keep_previous": "0s", "timeout": "30s"},
    }
    return {"app": "bench", "services": {"web": web}, "listen": {"host": "127.0.0.1", "http": free_port()}}


def _command() -> str:
    return f"exec {sys.executable} app.py"


def boot(source: Path) -> float:
    """Milliseconds from the start of the command to its first healthy answer."""
    port = free_port()
    began = time.perf_counter()
    with workplace() as place, child(["/bin/sh", "-c", f"cd {source} && {_command()}"], place, env={"PORT": str(port)}):
        while not _healthy(port):
            if time.perf_counter() - began > LIMIT:
                raise BrokenError("the app does not get healthy by itself")
            time.sleep(POLL)
        return (time.perf_counter() - began) * 1000


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
