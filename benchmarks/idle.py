"""What the controller costs while nothing happens."""

import asyncio
from dataclasses import replace

from tests.support.machine import Machine

from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from benchmarks.usage import Usage

NOUN = "idle"
INSTANCES = 20
HOW = f"""\
{INSTANCES} instances of one app, each checked every 10 s (the default) by the controller and by Envoy, no
traffic, nobody asking. Memory is the resident set at the end, CPU the share of one core over the whole time,
both as the kernel counts them.
"""


async def measure(scale: Scale) -> Result:
    machine = Machine()
    try:
        app = (await machine.up()).app("bench")
        service = app.service(replicas=INSTANCES)
        strategy = replace(service.strategy, timeout=60.0)
        health = replace(service.health, interval=10.0, timeout=5.0)
        await app.deploy(replace(service, strategy=strategy, health=health))
        await asyncio.sleep(2.0)  # what the deploy left to do is done
        pids = {"controller": _controller(machine), "Envoy": machine.balancer_pid()}
        before = {name: Usage.of(pid) for name, pid in pids.items()}
        await asyncio.sleep(scale.idle_seconds)
        after = {name: Usage.of(pid) for name, pid in pids.items()}
    finally:
        await machine.close()
    shares = {name: (after[name].cpu_seconds - before[name].cpu_seconds) / scale.idle_seconds * 100 for name in pids}
    return Result(
        noun=NOUN,
        title=f"Idle with {INSTANCES} instances, {scale.idle_seconds:.0f} s",
        how=HOW,
        figures=(
            Figure(name="controller, memory", value=after["controller"].mb, unit="MB", most=80),
            Figure(name="controller, CPU", value=shares["controller"], unit="% of a core", most=1),
        ),
        tables=(
            Table(
                head=("process", "memory, MB", "CPU, % of a core"),
                rows=[(name, number(after[name].mb), number(shares[name])) for name in pids],
            ),
        ),
        data={name: {"mb": after[name].mb, "cpu_percent": shares[name]} for name in pids},
    )


def _controller(machine: Machine) -> int:
    assert machine.process
    return machine.process.pid
