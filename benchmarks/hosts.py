"""What a deploy over hosts takes on each of them beyond the time in which the app boots."""

from statistics import median

from tests.support.sshd import SshHosts, why_not

from benchmarks.children import BrokenError, free_port, workplace
from benchmarks.deploy import WEB, folder, turns
from benchmarks.result import Figure, Result, Table
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
asked of a host is one process of Python there, and on the first one the same process keeps the record. A quarter of
the processor's time is this process reading the file, an eighth the two keys that SSH exchanges.
"""


async def measure(scale: Scale) -> Result:
    if why_not():
        raise BrokenError(why_not())
    hosts = SshHosts()
    try:
        with workplace() as place:
            state, source = place / "s", folder(place, _file(hosts))
            words = ("deploy", "-e", "prod", "--json")
            crossfade(*words, state=state, cwd=source)
            boots, deploys = turns(scale.deploys, source, lambda: crossfade(*words, state=state, cwd=source))
            crossfade("down", "-e", "prod", "--force", state=state, cwd=source)
    finally:
        hosts.close()
    walls, rollouts = [deploy.ms for deploy in deploys], [deploy.last["rollout"] for deploy in deploys]
    journeys = [(rollout["finished_at"] - rollout["started_at"]) * 1000 for rollout in rollouts]
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
        tables=(Table.of("ms", parts),),
        because=BECAUSE,
        data={"boot_ms": boots, "deploy_ms": walls, "journey_ms": journeys},
    )


def _file(hosts: SshHosts) -> dict[str, object]:
    prod = {
        "platform": "hosts",
        "hosts": [host.address for host in hosts.hosts],
        "ssh": {"key": str(hosts.root / "id"), "known_hosts": str(hosts.root / "known_hosts")},
        "listen": {"host": "own", "http": free_port()},
    }
    return {"app": "bench", "services": {"web": WEB}, "environments": {"prod": prod}}
