"""Verbs of crossfade as a shell runs them, each a process that is gone at the end."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.core.errors import PlatformError

LONGEST = 60.0  # seconds; a machine that needs more for one verb is in trouble

Json = Mapping[str, Any]
Told = Callable[[Json], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One verb that ended: its exit code, its last line of JSON, and how long the shell waited."""

    code: int
    result: dict[str, Any]
    seconds: float


@dataclass(slots=True, kw_only=True)
class VerbRunner:
    """`await verbs.run("deploy", "-e", "dev")` in `folder`, with `environment`; `said` hears what they say aside."""

    folder: Path
    environment: Mapping[str, str]
    said: Callable[[str], None]
    longest: float = LONGEST

    async def run(self, *words: str, told: Told | None = None) -> Ran:
        """Run `crossfade WORDS --json` to its end; every event goes to `told`."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "crossfade.cli.main", *words, "--json"),
            cwd=self.folder,
            env=dict(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for whoever plays, who then ends them in order
        )
        try:
            async with asyncio.timeout(self.longest):
                last, _ = await asyncio.gather(_read(process, told), self._listen(process))
                code = await process.wait()
        except TimeoutError:
            raise PlatformError(
                f"`crossfade {' '.join(words)}` did not end within {self.longest:g} s", "is this machine very busy?"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ran(code=code, result=last, seconds=time.monotonic() - began)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        async for line in _lines(process.stderr):
            self.said(line.decode(errors="replace").rstrip())


async def _read(process: asyncio.subprocess.Process, told: Told | None) -> dict[str, Any]:
    last: dict[str, Any] = {}
    async for line in _lines(process.stdout):
        last = json.loads(line)
        if told and "kind" in last:
            told(last)
    return last


def _lines(pipe: asyncio.StreamReader | None) -> asyncio.StreamReader:
    if pipe is None:
        raise RuntimeError("a pipe was asked for")
    return pipe
