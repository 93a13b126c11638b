"""Users of a locustfile: Locust runs them in a process of its own, which tells us each request."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.journey import LoadTest
from crossfade.load.journeys import locusts
from crossfade.load.journeys.book import Sample
from crossfade.load.target import LoadTarget

SHOWN = 5  # last lines of what Locust said
GOING = 30.0  # seconds for users to finish what they are at


class Swarm:
    """Visitors of a locustfile.

    They want their next request when the one before it is answered: a stall shows in fewer than it held up.
    """

    def __init__(
        self, test: LoadTest, target: LoadTarget, told: Callable[[Sample], None], clock: Callable[[], float]
    ) -> None:
        scheme = "https" if target.endpoint.tls else "http"
        self._words = (test.locustfile, f"{scheme}://{target.host}", test.release, test.instance)
        self._told = told
        self._began = clock() - time.time()  # noqa: TID251  Locust's clock is the time of day
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[bytes] | None = None

    async def rehearse(self) -> None:
        """Have Locust read the file. WrongInputError where it is not installed, or finds no users."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(locusts.__file__)), *self._words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, who then have them finish
        )
        lines = self._process.stdout
        first = await lines.readline() if lines else b""
        if lines is None or first.strip() != locusts.READY:
            shown = _shown((await self._process.communicate(b""))[1])
            way_out = "pip install 'crossfade[locust]'" if "No module named 'locust'" in shown else "no load was sent"
            raise WrongInputError(f"{self._words[0]} cannot be used by Locust:\n  {shown}", way_out)
        self._reading = asyncio.create_task(self._read(self._process, lines))

    def be(self, users: int) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.write(f"{users}\n".encode())

    async def leave(self) -> None:
        """PlatformError where Locust ended by itself: nobody asked from then on, and the figures would be of less."""
        if self._process is None or self._process.stdin is None:
            return
        early = self._process.returncode is not None
        self._process.stdin.close()
        code = 0
        try:
            async with asyncio.timeout(GOING):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        said = await self._reading if self._reading else b""
        if early or code:  # one that died just now was not seen to be dead yet when it was told to end
            raise PlatformError(
                f"Locust ended in the middle of the test, with code {code}:\n  {_shown(said)}",
                "see what its users do there; nothing is told of what came before",
            )

    async def _read(self, process: asyncio.subprocess.Process, lines: asyncio.StreamReader) -> bytes:
        """Tell each request; what Locust complained of meanwhile."""
        complaints = asyncio.create_task(process.stderr.read()) if process.stderr else None
        async for line in lines:
            if not line.endswith(b"\n"):
                break  # it was killed at it
            one = json.loads(line)
            began = one["began"] + self._began
            self._told(
                Sample(
                    endpoint=one["name"],
                    due=began,
                    ended=began + one["seconds"],
                    late=0.0,
                    failure=one["failure"],
                    release=one["release"],
                    instance=one["instance"],
                )
            )
        return await complaints if complaints else b""


def _shown(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return "\n  ".join(lines[-SHOWN:]) or "it said nothing"
