"""A rollback to a release that is still warm, from the Enter key to the prompt."""

from dataclasses import replace
from statistics import median

from tests.support.machine import Machine

from benchmarks.children import BrokenError
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import crossfade

NOUN = "rollback"
HOW = """\
A controller with one app of two instances. A new release is deployed, the one before it is kept warm, and
`crossfade rollback --json` goes back. It is a process of its own, and its wall time is taken from outside:
Python's start, the order, the switch, the proof and its printing. Each turn deploys another new release first,
unmeasured.
"""


async def measure(scale: Scale) -> Result:
    walls, inside, switches = [], [], []
    machine = Machine()
    try:
        app = (await machine.up()).app("bench")
        service = app.service()
        service = replace(service, strategy=replace(service.strategy, keep_previous=3600.0))
        await app.deploy(service)
        for turn in range(scale.repeats):
            await app.deploy(replace(service, env=(("TURN", str(turn)),)))
            ran = crossfade("rollback", "--app", "bench", "--json", state=machine.state)
            rollout = ran.last["rollout"]
            if (rollout["state"], rollout["to"]) != ("succeeded", 1):
                raise BrokenError(f"the rollback ended otherwise: {rollout}")
            walls.append(ran.ms)
            inside.append(rollout["seconds"] * 1000)
            switches.append(rollout["switch_ms"])
    finally:
        await machine.close()
    return Result(
        noun=NOUN,
        title="Rollback to a warm release, from the shell",
        how=HOW,
        figures=(Figure(name="wall time, median", value=median(walls), unit="ms", most=120),),
        tables=(
            Table.of(
                "of the wall time, ms",
                {
                    "the process": walls,
                    "the rollout, by its record": inside,
                    "new routing written -> confirmed by Envoy's workers": switches,
                },
            ),
        ),
        data={"wall_ms": walls, "rollout_ms": inside, "switch_ms": switches},
    )
