"""`python -m benchmarks`: all of them, or those that are named. What is measured in full goes to docs/benchmarks.md."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.machine import commit, facts
from benchmarks.measured import Measured, keep
from benchmarks.page import page
from benchmarks.result import Result, Table, summary
from benchmarks.scale import FULL, QUICK, Scale

NOUNS = (
    "switches",
    "rollback",
    "deploy",
    "edit",
    "hosts",
    "aws",
    "services",
    "fleet",
    "throughput",
    "instructions",
    "promises",
    "idle",
    "watched",
    "cli",
    "decide",
    "start",
    "audit",
    "cost",
    "infra",
    "compose",
    "folders",
)
COMPARED = ("bills",)  # with what --folder has
DOCS = Path(__file__).parents[1] / "docs"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures what crossfade promises, beside real peers that are installed.",
        epilog="Exit code: 0 measured, met or not; 1 a benchmark broke; 143 ended by SIGTERM.",
    )
    parser.add_argument(
        "nouns",
        nargs="*",
        metavar="BENCHMARK",
        help=f"some of {', '.join(NOUNS)}; default: all; and {', '.join(COMPARED)}",
    )
    parser.add_argument("--folder", type=Path, help="cases of others, for bills: folders of *.tf with a *.golden")
    parser.add_argument("--quick", action="store_true", help="small sizes: a few minutes instead of twenty")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of tables")
    parser.add_argument(
        "--docs",
        type=Path,
        help="where benchmarks.md is written, and what it is made of, benchmarks.json; default: docs, but with --quick",
    )
    options = parser.parse_args(arguments)
    if unknown := [noun for noun in options.nouns if noun not in (*NOUNS, *COMPARED)]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join((*NOUNS, *COMPARED))}")
    if options.folder is None and (lacking := [noun for noun in options.nouns if noun in COMPARED]):
        parser.error(f"{lacking[0]} needs --folder: cases of others, folders of *.tf with a *.golden")
    options.nouns = options.nouns or list(NOUNS)
    if options.docs is None and not options.quick:
        options.docs = DOCS
    if options.docs and not options.docs.is_dir():
        parser.error(f"--docs: there is no folder {options.docs}")
    return options


async def measure(nouns: list[str], scale: Scale, docs: Path | None) -> tuple[list[Result], dict[str, str]]:
    """What was measured, each on the page as soon as it was, and by noun what broke."""
    results: list[Result] = []
    broken: dict[str, str] = {}
    us = asyncio.current_task()
    assert us
    # As Ctrl-C does: what a benchmark started ends with it, and not only who started it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, us.cancel)
    for noun in nouns:
        sys.stderr.write(f"{noun} ...\n")
        began, load = time.monotonic(), os.getloadavg()[0]
        try:
            result: Result = await import_module(f"benchmarks.{noun}").measure(scale)
        except Exception as error:  # noqa: BLE001  one that breaks must not take the others with it
            traceback.print_exc()
            broken[noun] = f"{type(error).__name__}: {error}"
            continue
        results.append(result)
        broken |= {f"{noun}, {part}": why for part, why in result.broken.items()}
        if docs and noun in NOUNS and not result.broken:
            publish(docs, result, (time.monotonic() - began) / 60, load)
    return results, broken


def publish(docs: Path, result: Result, minutes: float, load: float) -> None:
    """Keep it, and write the page of all that is kept."""
    made = Measured(
        result=result,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit(),
        minutes=minutes,
        machine=facts(),
        load=load,
    )
    kept = keep(docs / "benchmarks.json", made, NOUNS)
    (docs / "benchmarks.md").write_text(page(kept), encoding="utf-8")


def main() -> int:
    options = parse(sys.argv[1:])
    # Users' Pythons keep their bytecode; one that compiles crossfade at each start would measure the compiler.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.monotonic()
    scale = replace(QUICK if options.quick else FULL, folder=options.folder)
    try:
        results, broken = asyncio.run(measure(options.nouns, scale, options.docs))
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    minutes = (time.monotonic() - began) / 60
    if options.json:
        command = " ".join(["python -m benchmarks", *sys.argv[1:]])
        about = {"command": command, "date": f"{datetime.now(UTC):%Y-%m-%d}", "minutes": round(minutes, 1)}
        found = {result.noun: result.to_json() for result in results}
        print(json.dumps({**about, "machine": facts(), "benchmarks": found, "broken": broken}))
    else:
        for result in results:
            print(f"\n{result.title}")
            for table in result.tables:
                print(f"\n{text(table)}")
            for note in result.notes:
                print(f"  {note}")
        print(f"\n{text(summary(results))}\n\n{minutes:.1f} minutes")
    for part, why in broken.items():
        sys.stderr.write(f"broken: {part}: {why}\n")
    return 1 if broken else 0


def text(table: Table) -> str:
    """Columns as wide as their widest cell."""
    rows = [tuple(table.head), *map(tuple, table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
