"""How much is measured: all of it, or a quick look that finds what is broken."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of one run."""

    switches: int = 100
    requests: int = 1_000_000  # over all those switches
    repeats: int = 20  # of what is done from the shell
    deploys: int = 10
    round_seconds: float = 2.0  # of each way, of throughput
    rounds: int = 24  # at most
    counted: int = 3_200  # requests under callgrind
    idle_seconds: float = 30.0
    services: int = 500
    releases: int = 14_285  # whose deploys fill 200,000 lines of a journal
    aws_switches: int = 20
    aws_requests: int = 100_000
    aws_deploys: int = 2
    folder: Path | None = None  # of what somebody else made, for benchmarks that compare with it

    def announced(self, noun: str, parts: Sequence[T]) -> Iterator[T]:
        """Each part in turn, named on stderr: a run of minutes should say where it is."""
        for part in parts:
            sys.stderr.write(f"{noun}: {getattr(part, 'name', part)}\n")
            yield part


FULL = Scale()
QUICK = Scale(
    switches=20,
    requests=50_000,
    repeats=5,
    deploys=3,
    round_seconds=1.0,
    rounds=2,
    counted=320,
    idle_seconds=5.0,
    services=50,
    releases=1_000,
    aws_switches=4,
    aws_requests=4_000,
    aws_deploys=1,
)
