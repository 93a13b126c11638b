"""What a deploy takes beyond the time in which the app boots."""

import json
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from benchmarks.children import ORIGIN, BrokenError, child, free_port, workplace
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import Ran, crossfade

NOUN = "deploy"
POLL = 0.005
LIMIT = 20.0
COMMAND = f"exec {sys.executable} app.py"
WEB = {
    "source": ".",
    "command": COMMAND,
    "health": {"path": "/health", "healthy": 1},
    "drain": "5s",
    "grace": "5s",
    "deploy": {"strategy": "blue-green", "bake": "0s", "keep_previous": "0s", "timeout": "30s"},
}
HOW = f"""\
Boot-to-healthy is measured by starting the app's command and asking its health path every {POLL * 1000:.0f} ms
until it answers 200. Then the same app is deployed over its predecessor by `crossfade deploy --json`,
blue-green with `bake: 0s` and one healthy answer, where the default asks for two, from a changed source folder:
reading the file, the snapshot, the launch, the check, the switch, the proof. The overhead is the process's wall
time less the median boot-to-healthy. Boots and deploys take turns.
"""
BECAUSE = """\
What is ours is a constant, whatever the app. Before the rollout, Python starts, and the controller reads the file and
copies the source. In the rollout there are ten lines of the journal, each waited for until it is on the disk, and two
changes of routing, each confirmed by all of Envoy's workers. When something failed, up to 50 ms follow in which Envoy
writes down what belongs into the proof.
"""


async def measure(scale: Scale) -> Result:
    with workplace() as place:
        state = place / "s"
        listen = {"host": "127.0.0.1", "http": free_port()}
        source = folder(place, {"app": "bench", "services": {"web": WEB}, "listen": listen})
        try:
            crossfade("deploy", "--json", state=state, cwd=source)  # starts the controller and Envoy, too
            boots, deploys = turns(
                scale.deploys, source, lambda: crossfade("deploy", "--json", state=state, cwd=source)
            )
        finally:
            crossfade("down", "--all", "--force", state=state)
    walls = [deploy.ms for deploy in deploys]
    rollouts = [deploy.last["rollout"]["seconds"] * 1000 for deploy in deploys]
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
        figures=(Figure(name="overhead, median", value=median(overheads), unit="ms", most=150),),
        tables=(Table.of("ms", parts),),
        because=BECAUSE,
        data={"boot_ms": boots, "deploy_ms": walls, "rollout_ms": rollouts},
    )


def folder(place: Path, file: Mapping[str, object]) -> Path:
    """A source folder with the app and this file, for JSON is YAML."""
    source = place / "app"
    source.mkdir()
    shutil.copy(ORIGIN, source / "app.py")
    (source / "crossfade.yaml").write_text(json.dumps(file))
    return source


def turns(times: int, source: Path, deploy: Callable[[], Ran]) -> tuple[list[float], list[Ran]]:
    """Boots in ms and deploys, in turns; the folder changes before each deploy. BrokenError for one that fails."""
    boots, deploys = [], []
    for turn in range(times):
        boots.append(boot(source))
        (source / "turn.txt").write_text(f"{turn}\n")
        deploys.append(deploy())
        rollout = deploys[-1].last["rollout"]
        if rollout["state"] != "succeeded":
            raise BrokenError(f"the deploy ended otherwise: {rollout}")
    return boots, deploys


def boot(source: Path) -> float:
    """Milliseconds from the start of the command to its first healthy answer."""
    port = free_port()
    began = time.perf_counter()
    with workplace() as place, child(["/bin/sh", "-c", f"cd {source} && {COMMAND}"], place, env={"PORT": str(port)}):
        while not healthy(port):
            if time.perf_counter() - began > LIMIT:
                raise BrokenError("the app does not get healthy by itself")
            time.sleep(POLL)
        return (time.perf_counter() - began) * 1000


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
