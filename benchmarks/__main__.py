"""`python -m benchmarks`: all of them, or those that are named. A full run of all writes docs/benchmarks.md."""

import argparse
import asyncio
import json
import os
import sys
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.machine import facts
from benchmarks.page import page
from benchmarks.result import Result, Table, summary
from benchmarks.scale import FULL, QUICK, Scale

NOUNS = (
    "switches",
    "rollback",
    "deploy",
    "hosts",
    "services",
    "fleet",
    "throughput",
    "instructions",
    "idle",
    "cli",
    "decide",
    "audit",
    "cost",
    "infra",
)
COMPARED = ("bills",)  # with what --folder has
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures what crossfade promises, beside real peers that are installed.",
        epilog="Exit code: 0 measured, met or not; 1 a benchmark broke.",
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
        "--page", type=Path, help=f"write the page there; a full run writes {PAGE.parent.name}/{PAGE.name}"
    )
    options = parser.parse_args(arguments)
    if unknown := [noun for noun in options.nouns if noun not in (*NOUNS, *COMPARED)]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join((*NOUNS, *COMPARED))}")
    if options.folder is None and (lacking := [noun for noun in options.nouns if noun in COMPARED]):
        parser.error(f"{lacking[0]} needs --folder: cases of others, folders of *.tf with a *.golden")
    options.nouns = options.nouns or list(NOUNS)
    if options.page is None and not options.quick and options.nouns == list(NOUNS):
        options.page = PAGE
    return options


async def measure(nouns: list[str], scale: Scale) -> tuple[list[Result], dict[str, str]]:
    """What was measured, and by noun what broke."""
    results: list[Result] = []
    broken: dict[str, str] = {}
    for noun in nouns:
        sys.stderr.write(f"{noun} ...\n")
        try:
            result: Result = await import_module(f"benchmarks.{noun}").measure(scale)
        except Exception as error:  # noqa: BLE001  one that breaks must not take the others with it
            traceback.print_exc()
            broken[noun] = f"{type(error).__name__}: {error}"
        else:
            results.append(result)
            broken |= {f"{noun}, {part}": why for part, why in result.broken.items()}
    return results, broken


def main() -> int:
    options = parse(sys.argv[1:])
    # Users' Pythons keep their bytecode; one that compiles crossfade at each start would measure the compiler.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    began, machine = time.monotonic(), facts()
    results, broken = asyncio.run(
        measure(options.nouns, replace(QUICK if options.quick else FULL, folder=options.folder))
    )
    minutes = (time.monotonic() - began) / 60
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    if options.json:
        about = {"command": command, "date": date, "minutes": round(minutes, 1), "machine": dict(machine)}
        found = {result.noun: result.to_json() for result in results}
        print(json.dumps({**about, "benchmarks": found, "broken": broken}))
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
    if options.page and not broken:
        options.page.write_text(page(results, machine, command, date, minutes), encoding="utf-8")
        sys.stderr.write(f"written: {options.page}\n")
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
