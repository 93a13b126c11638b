"""A short command beside an instance, such as its health command: nothing of it is kept but how it ended."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.local.runtimes.hook import SHOWN_LINES, TIMED_OUT
from crossfade.platforms.local.runtimes.processes.logs import spoken

KEPT = 1 << 16  # bytes of what it wrote last
BLOCK = 1 << 14


async def run(command: str, folder: Path, env: Mapping[str, str], limit: float) -> HookResult:
    """Run it in a session of its own, which ends with this call; `limit` in seconds."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd=folder, env=env, start_new_session=True
    )
    said = bytearray()
    code: int | None = None
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while process.stdout and (more := await process.stdout.read(BLOCK)):
                    said += more
                    del said[:-KEPT]
                code = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            await process.wait()
    words = spoken(bytes(said), SHOWN_LINES)
    if code is None:
        return HookResult(code=TIMED_OUT, output=f"{words}\ntimed out after {limit:g} s".strip())
    return HookResult(code=code if code >= 0 else 128 - code, output=words)
