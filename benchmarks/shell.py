"""`crossfade` as somebody types it: a whole process, timed from outside."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import BrokenError

CROSSFADE = Path(sys.executable).with_name("crossfade")
LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How long it took, in milliseconds, and what it printed."""

    ms: float
    out: str

    @property
    def last(self) -> Any:
        """The last line as JSON."""
        return json.loads(self.out.splitlines()[-1])


def crossfade(
    *words: str, state: Path, cwd: Path | None = None, limit: float = LIMIT, codes: Container[int] = (0,)
) -> Ran:
    """BrokenError when it exits with anything but these codes."""
    return timed([str(CROSSFADE), *words], cwd=cwd, env={"CROSSFADE_STATE": str(state)}, limit=limit, codes=codes)


def timed(
    command: list[str],
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    limit: float = LIMIT,
    codes: Container[int] = (0,),
) -> Ran:
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=limit,
    )
    ms = (time.perf_counter() - began) * 1000
    if done.returncode not in codes:
        raise BrokenError(f"`{' '.join(command[1:])}` exits with {done.returncode}: {done.stderr.strip()[-500:]}")
    return Ran(ms, done.stdout)
