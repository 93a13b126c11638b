"""How long `crossfade audit` takes: on the largest example, and on plans of growing size."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import crossfade, timed

NOUN = "audit"
HOW = """\
Whole processes, timed from outside, in turn. The file is the longest of the examples, as production. The plans are one
that terraform made, in which every rule finds something, repeated in as many modules as it takes.
"""
EXAMPLES = Path(__file__).parents[1] / "examples"
PLAN = Path(__file__).parents[1] / "tests" / "unit" / "aws" / "audit" / "plans" / "broken" / "plan.json"
SIZES = (250, 1000, 4000)  # resources
ONLY = ("--fail-on", "none")


async def measure(scale: Scale) -> Result:
    file = max(EXAMPLES.glob("*/crossfade.yaml"), key=lambda path: len(path.read_text(encoding="utf-8").splitlines()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        verbs: dict[str, tuple[str, ...]] = {
            f"audit of {file.parent.name}": ("audit", "-f", str(file), "-e", "prod", *ONLY)
        }
        for size in SIZES:
            verbs[f"audit --plan, {size:,} resources"] = ("audit", "--plan", str(_repeated(size, folder)), *ONLY)
        taken = dict(_taken(verbs, scale, folder))
    medians = {name: median(values) for name, values in taken.items()}
    of_file, *of_plans = list(verbs)
    least, _, most = (medians[name] for name in of_plans)
    return Result(
        noun=NOUN,
        title="Findings",
        how=HOW,
        figures=[
            Figure(name=f"crossfade {of_file}, median", value=medians[of_file], unit="ms", most=500),
            Figure(name=f"crossfade {of_plans[1]}, median", value=medians[of_plans[1]], unit="ms", most=500),
            Figure(name=f"{SIZES[-1] // SIZES[0]} times the resources, times the time", value=most / least, most=16),
        ],
        tables=(Table.of("command, ms", {f"`{name}`": times for name, times in taken.items()}),),
        data={"ms": taken},
    )


def _taken(verbs: dict[str, tuple[str, ...]], scale: Scale, folder: Path) -> Iterator[tuple[str, list[float]]]:
    """Each once before it counts, so that bytecode is there, then all in turn."""
    rounds: dict[str, list[float]] = {name: [] for name in ("python -c pass", *verbs)}
    for repeat in range(scale.repeats + 1):
        times = {"python -c pass": timed([sys.executable, "-c", "pass"]).ms}
        times |= {name: crossfade(*words, state=folder).ms for name, words in verbs.items()}
        for name, ms in times.items() if repeat else ():
            rounds[name].append(ms)
    yield from rounds.items()


def _repeated(size: int, folder: Path) -> Path:
    """The plan, in modules m0, m1 ... until it has `size` resources."""
    plan: dict[str, Any] = json.loads(PLAN.read_text(encoding="utf-8"))
    resources = plan["planned_values"]["root_module"]["resources"]
    configured = plan["configuration"]["root_module"]
    names = [f"m{index}" for index in range(-(-size // len(resources)))]
    modules = [
        {
            "address": f"module.{name}",
            "resources": [one | {"address": f"module.{name}.{one['address']}"} for one in resources],
        }
        for name in names
    ]
    modules[-1]["resources"] = modules[-1]["resources"][: size - len(resources) * (len(names) - 1)]
    calls = {name: {"source": "./m", "expressions": {}, "module": configured} for name in names}
    written = {
        "planned_values": {"root_module": {"child_modules": modules}},
        "configuration": {"root_module": {"module_calls": calls}},
    }
    path = folder / f"{size}.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    return path
