"""Keep-alive clients in a process of their own, so that what is measured does not share their event loop.

One line of JSON in, `{"requests": 10000, "old": "1", "new": "2"}`; one report out, when so many more were made, `new`
answers and `old` does no longer.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from benchmarks.children import BrokenError
from crossfade.load import LoadGenerator, LoadReport

QUIET = 0.25  # seconds without an answer of the old release, until it is taken to be out
PATIENCE = 30.0
POLL = 0.02


class Clients:
    """`number` clients that ask one after the other, as fast as they are answered."""

    def __init__(self, port: int, number: int) -> None:
        self._command = [sys.executable, "-m", "benchmarks.clients", str(port), str(number)]

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, limit=2**20, start_new_session=True
        )
        return self

    async def lap(self, requests: int, old: str, new: str) -> LoadReport:
        """What they saw since the last lap, once they made so many requests and went from `old` to `new`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"requests": requests, "old": old, "new": new}).encode() + b"\n")
        line = await self._process.stdout.readline()
        answer = json.loads(line) if line else {"broken": "the clients ended early"}
        if "broken" in answer:
            raise BrokenError(answer["broken"])
        return LoadReport.from_json(answer)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
                return
        self._process.kill()
        await self._process.wait()


async def _lap(traffic: LoadGenerator, wanted: dict[str, Any]) -> dict[str, Any]:
    began, before = time.monotonic(), traffic.snapshot().requests
    while True:
        await asyncio.sleep(POLL)
        now, seen = time.monotonic(), traffic.snapshot()
        switched = wanted["new"] in seen.releases and seen.releases[wanted["new"]].last_seen > began
        out = wanted["old"] not in seen.releases or seen.releases[wanted["old"]].last_seen < now - QUIET
        if switched and out and seen.requests - before >= wanted["requests"]:
            return traffic.lap().to_json()
        if now - began > PATIENCE and not (switched and out):
            causes = ", ".join(f"{number} {cause}" for cause, number in seen.causes.items()) or "none lost"
            return {"broken": f"release {wanted['old']} still answers after {PATIENCE:.0f} s ({causes})"}


async def _main(port: int, number: int) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with LoadGenerator(f"http://127.0.0.1:{port}", clients=number) as traffic:
        while line := await reader.readline():
            sys.stdout.write(json.dumps(await _lap(traffic, json.loads(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
