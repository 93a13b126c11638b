"""How long the command line takes to answer where nothing long is asked."""

import sys
from dataclasses import replace
from statistics import median

from tests.support.machine import Machine

from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import crossfade, timed

NOUN = "cli"
HOW = """\
Whole processes, timed from outside, in turn. The controller that answers `status` runs one app of two
instances. `python -c pass` is what Python itself needs on this machine.
"""
VERBS = {"status": ("status",), "status --json": ("status", "--json"), "--help": ("--help",)}


async def measure(scale: Scale) -> Result:
    taken: dict[str, list[float]] = {name: [] for name in ("python -c pass", *VERBS)}
    machine = Machine()
    try:
        app = (await machine.up()).app("bench")
        service = app.service()
        await app.deploy(replace(service, health=replace(service.health, interval=10.0)))
        for _ in range(scale.repeats):
            taken["python -c pass"].append(timed([sys.executable, "-c", "pass"]).ms)
            for name, words in VERBS.items():
                taken[name].append(crossfade(*words, state=machine.state).ms)
    finally:
        await machine.close()
    return Result(
        noun=NOUN,
        title="The command line's answers",
        how=HOW,
        figures=[
            Figure(name=f"crossfade {name}, median", value=median(taken[name]), unit="ms", most=100)
            for name in ("status", "--help")
        ],
        tables=(
            Table.of(
                "command, ms",
                {f"`{name}`" if "python" in name else f"`crossfade {name}`": times for name, times in taken.items()},
            ),
        ),
        data={"ms": taken},
    )
