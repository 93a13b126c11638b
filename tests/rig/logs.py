"""What tasks write, on its way into CloudWatch Logs."""

import asyncio
import contextlib
import time
from collections import defaultdict
from typing import Any

from tests.rig.emulator import Emulator
from tests.rig.wire import Json
from tests.rig.working import Working

_EVERY = 0.1  # seconds of this machine between two batches


class Logs(Working):
    """Lines by region, group and stream, put in batches."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._waiting: dict[tuple[str, str, str], list[Json]] = defaultdict(list)

    async def open(self, region: str, group: str, stream: str, *, create: bool) -> None:
        """A new stream. LookupError when there is no such group and it shall not be made."""

        def make(client: Any) -> None:
            if create:
                with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
                    client.create_log_group(logGroupName=group)
            try:
                client.create_log_stream(logGroupName=group, logStreamName=stream)
            except client.exceptions.ResourceNotFoundException as error:
                raise LookupError(str(error)) from error

        await self._emulator.use("logs", region, make)

    def write(self, region: str, group: str, stream: str, line: str) -> None:
        stamp = time.time_ns() // 1_000_000
        self._waiting[region, group, stream].append({"timestamp": stamp, "message": line or " "})

    async def flush(self) -> None:
        waiting, self._waiting = self._waiting, defaultdict(list)
        for (region, group, stream), events in waiting.items():

            def put(client: Any, group: str = group, stream: str = stream, events: list[Json] = events) -> None:
                with contextlib.suppress(client.exceptions.ResourceNotFoundException):  # the group was deleted
                    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

            await self._emulator.use("logs", region, put)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self.flush()
