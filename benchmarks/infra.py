"""How long `crossfade infra init` takes to write the largest example's Terraform."""

import tempfile
from pathlib import Path
from statistics import median

from benchmarks.cost import largest
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import crossfade

NOUN = "infra"
HOW = """\
Whole processes, timed from outside: all environments of the example with the most resources, written where nothing was,
and then once more over what is there, unchanged.
"""


async def measure(scale: Scale) -> Result:
    file = largest()
    taken: dict[str, list[float]] = {"into an empty folder": [], "again, nothing to change": []}
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch)
        for repeat in range(scale.repeats):
            to = state / str(repeat)
            for times in taken.values():
                times.append(crossfade("infra", "init", "-f", str(file), "--to", str(to), state=state).ms)
        files = sum(path.is_file() for path in to.rglob("*"))
    return Result(
        noun=NOUN,
        title="Terraform from the file",
        how=HOW,
        figures=[
            Figure(
                name=f"infra init, examples/{file.parent.name}, {files} files, median",
                value=median(taken["into an empty folder"]),
                unit="ms",
                most=1000,
            )
        ],
        tables=(Table.of("crossfade infra init, ms", taken),),
        data={"ms": taken},
    )
