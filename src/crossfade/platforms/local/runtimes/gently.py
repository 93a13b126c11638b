"""Commands of the lowest priority, for what nobody waits for: tens of thousands of files that come or go."""

import asyncio
import os
import subprocess
from pathlib import Path

from crossfade import removal
from crossfade.aside import aside


async def run(*words: str) -> bool:
    """Whether it went well. One that is cancelled is ended."""
    # Not asyncio's own: who is cancelled with all others, as when the controller ends, would wait there for ever while
    # the process is being made.
    process = subprocess.Popen(  # noqa: ASYNC220  as long as a fork takes
        ("nice", "-n", "19", *words),
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return await aside(process.wait) == 0
    except asyncio.CancelledError:
        process.kill()  # the thread that waits reaps it
        raise


async def remove(folder: Path) -> None:
    """With all that is in it; what cannot go is left."""
    try:
        gone = await run("rm", "-rf", "--", str(folder))
    except OSError:  # no process can be made, or there is no such command
        gone = False
    if not gone:
        await aside(removal.remove, folder)
