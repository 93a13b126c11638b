"""Hundreds of services of one file, deployed as somebody would: how long each takes, and what looking at all costs."""

import asyncio
import json
import shutil
from pathlib import Path
from statistics import median

from benchmarks.children import BrokenError, free_port, workplace
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from benchmarks.shell import crossfade
from benchmarks.usage import Usage

NOUN = "fleet"
PER_SERVICE = 5.0  # seconds that a deploy may take for each, on a busy machine
REST = 5.0
REPLICAS = 2
HOW = """\
One file with so many services, told apart by path on one port, each with two instances of busybox's httpd and with
`bake: 0s`. `crossfade deploy` brings all of them as one release group, those that do not depend on each other together.
Then `crossfade status` is asked as somebody types it, and the controller is left alone for a while to see what it takes
of one core to look after all of them, with a health check of each instance every ten seconds.
"""


async def measure(scale: Scale) -> Result:
    busybox = shutil.which("busybox")
    if busybox is None:
        raise BrokenError("busybox is not installed: its httpd is the app")
    with workplace() as place:
        state, source = place / "s", place / "app"
        source.mkdir()
        (source / "index.html").write_text("ok\n")
        (source / "crossfade.yaml").write_text(json.dumps(_file(scale.services, busybox)))
        try:
            deployed = crossfade(
                *("deploy", "--json"), state=state, cwd=source, limit=60.0 + PER_SERVICE * scale.services
            )
            looks = [crossfade("status", "--json", state=state, cwd=source) for _ in range(scale.repeats)]
            serving = sum(one["state"] == "healthy" for s in looks[-1].last["services"] for one in s["instances"])
            if serving != REPLICAS * scale.services:
                raise BrokenError(f"{serving} of {REPLICAS * scale.services} instances are healthy")
            controller = _controller(state)
            before = Usage.of(controller)
            await asyncio.sleep(REST)
            after = Usage.of(controller)
        finally:
            crossfade("down", "--all", "--force", state=state, limit=60.0 + PER_SERVICE * scale.services)
    seconds = deployed.ms / 1000
    taken = [look.ms for look in looks]
    busy, memory = (after.cpu_seconds - before.cpu_seconds) / REST, after.mb
    rows = [
        ("deploy of all", f"{number(seconds)} s"),
        ("deploy, for each service", f"{number(seconds / scale.services)} s"),
        ("`crossfade status --json`, median", f"{number(median(taken))} ms"),
        ("`crossfade status --json`, longest", f"{number(max(taken))} ms"),
        ("the controller at rest, of one core", f"{number(100 * busy)} %"),
        ("the controller's memory", f"{number(memory)} MB"),
    ]
    return Result(
        noun=NOUN,
        title=f"{scale.services} services of one file with {REPLICAS * scale.services:,} instances",
        how=HOW,
        figures=(Figure(name="status, median", value=median(taken), unit="ms", most=200),),
        tables=(Table(head=("", "measured"), rows=rows),),
        data={"deploy_s": seconds, "status_ms": taken, "controller_busy": busy, "controller_mb": memory},
    )


def _file(services: int, busybox: str) -> dict[str, object]:
    """JSON is YAML."""
    one = {
        "source": ".",
        "command": f"exec {busybox} httpd -f -p 127.0.0.1:$PORT -h .",
        "replicas": REPLICAS,
        "drain": "1s",
        "grace": "1s",
        "deploy": {"bake": "0s", "keep_previous": "0s"},
    }
    return {
        "app": "bench",
        "listen": {"http": free_port(), "host": "127.0.0.1"},
        "services": {f"s{n}": {**one, "routes": [{"path": f"/s{n}/*" if n else "/*"}]} for n in range(services)},
    }


def _controller(state: Path) -> int:
    """Its pid: it is known by the state directory among its words."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            words = (process / "cmdline").read_bytes().split(b"\0") if (process / "cmdline").exists() else []
            if b"crossfade.controller.daemon" in words and str(state).encode() in words:
                return int(process.name)
    raise BrokenError("no controller runs")
