"""What a deploy over hosts takes on each of them beyond the time in which the app boots."""

import json
import shutil
import sys
from statistics import median

from tests.support.sshd import SshHosts, why_not

from benchmarks.children import ORIGIN, BrokenError, free_port, workplace
from benchmarks.deploy import boot
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from benchmarks.shell import crossfade

NOUN = "hosts"
HOW = """\
Two sshds on loopback, each with a host key, a home and a controller of its own. An app is deployed over its predecessor
by `crossfade deploy -e prod --json`, blue-green with `bake: 0s`, from a changed source folder: reaching both hosts, the
record, the files, each host's own rollout, three answers from outside. The overhead of a host is half of the process's
wall time less the median boot-to-healthy. Boots and deploys take turns.
"""
BECAUSE = """\
Both hosts are reached and get their files at once; their rollouts come one after the other, as they must. What is
asked of a host is a process of Python there, twice: what it is, and on the first one the record.
"""


async def measure(scale: Scale) -> Result:
    if why_not():
        raise BrokenError(why_not())
    boots, walls, journeys = [], [], []
    hosts = SshHosts()
    try:
        with workplace() as place:
            source = place / "app"
            source.mkdir()
            shutil.copy(ORIGIN, source / "app.py")
            (source / "crossfade.yaml").write_text(json.dumps(_file(hosts)))
            crossfade("deploy", "-e", "prod", "--json", state=place / "s", cwd=source)
            for turn in range(scale.deploys):
                boots.append(boot(source))
                (source / "turn.txt").write_text(f"{turn}\n")
                ran = crossfade("deploy", "-e", "prod", "--json", state=place / "s", cwd=source)
                rollout = ran.last["rollout"]
                if rollout["state"] != "succeeded":
                    raise BrokenError(f"the deploy ended otherwise: {rollout}")
                walls.append(ran.ms)
                journeys.append((rollout["finished_at"] - rollout["started_at"]) * 1000)
            crossfade("down", "-e", "prod", "--force", state=place / "s", cwd=source)
    finally:
        hosts.close()
    overheads = [wall / len(hosts.hosts) - median(boots) for wall in walls]
    parts = {
        "boot-to-healthy, alone": boots,
        "deploy to two hosts": walls,
        "its journey, by its record": journeys,
        "before and after it": [wall - journey for wall, journey in zip(walls, journeys, strict=True)],
        "overhead of a host": overheads,
    }
    return Result(
        noun=NOUN,
        title="Deploy over hosts beyond the app's own boot",
        how=HOW,
        figures=(Figure(name="overhead of a host, median", value=median(overheads), unit="ms", most=2000),),
        tables=(
            Table(
                head=("ms", "median", "least", "most"),
                rows=[(name, *map(number, (median(ms), min(ms), max(ms)))) for name, ms in parts.items()],
            ),
        ),
        because=BECAUSE,
        data={"boot_ms": boots, "deploy_ms": walls, "journey_ms": journeys},
    )


def _file(hosts: SshHosts) -> dict[str, object]:
    """JSON is YAML."""
    web = {
        "source": ".",
        "command": f"exec {sys.executable} app.py",
        "health": {"path": "/health", "healthy": 1},
        "drain": "5s",
        "grace": "5s",
        "deploy": {"strategy": "blue-green", "bake": "0s", "keep_previous": "0s", "timeout": "30s"},
    }
    prod = {
        "platform": "hosts",
        "hosts": [host.address for host in hosts.hosts],
        "ssh": {"key": str(hosts.root / "id"), "known_hosts": str(hosts.root / "known_hosts")},
        "listen": {"host": "own", "http": free_port()},
    }
    return {"app": "bench", "services": {"web": web}, "environments": {"prod": prod}}
