"""docs/benchmarks.json: what each benchmark measured last, so that one can be measured again without all others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One result, and what a reader needs to weigh it; `load` is what the machine did in the minute before."""

    result: Result
    date: str
    commit: str
    minutes: float | None  # None: of one run with others, as all were at first
    machine: Mapping[str, str]
    load: float

    @property
    def when(self) -> str:
        command = f"`python -m benchmarks {self.result.noun}` on {self.date} at {self.commit}"
        if self.minutes is None:
            return f"{command}: with others, load {self.load:.1f} before."
        length = f"{self.minutes:.0f} min" if self.minutes >= 1 else f"{60 * self.minutes:.0f} s"
        return f"{command}: {length}, load {self.load:.1f} before."


_ALL = TypeAdapter(dict[str, Measured])


def read(path: Path) -> dict[str, Measured]:
    """By noun; nothing where there is no file yet."""
    return _ALL.validate_json(path.read_bytes()) if path.exists() else {}


def keep(path: Path, made: Measured, order: Iterable[str]) -> list[Measured]:
    """Put it in the place of the one before. Returns all that is kept, as `order` has it."""
    known = read(path) | {made.result.noun: replace(made, result=replace(made.result, data={}))}
    ordered = {noun: known[noun] for noun in order if noun in known}
    draft = path.with_suffix(".draft")
    draft.write_bytes(_ALL.dump_json(ordered, indent=1) + b"\n")
    draft.replace(path)
    return list(ordered.values())
