"""Steady traffic from many clients, and what they saw."""

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from crossfade.load.client import Client, ConnectionClient, DownloadClient, KeepAliveClient, PostClient
from crossfade.load.events import EventsClient
from crossfade.load.report import LoadReport, Mode
from crossfade.load.tally import Tally
from crossfade.load.target import LoadTarget, resolve
from crossfade.load.websocket import WebSocketClient

CLIENTS: dict[Mode, type[Client]] = {
    client.mode: client
    for client in (KeepAliveClient, ConnectionClient, PostClient, DownloadClient, WebSocketClient, EventsClient)
}
# Bounds each request; a slow download takes as long as it takes, up to this.
TIMEOUTS = {Mode.DOWNLOAD: 120.0}
TIMEOUT = 10.0
# After a loss a client waits: a service that is down would otherwise be asked, and counted, 100,000 times a second.
PAUSE_AFTER_LOSS = 0.01


class LoadGenerator:
    """`async with LoadGenerator("http://127.0.0.1:8080", clients=8) as traffic:` runs until the block ends.

    Each of the clients has one request under way at a time. With a `rate` they share a schedule of so many requests a
    second, and catch up with it after a stall, so that a slow service is not asked less; without, the next request
    follows the answer. `requests` and `seconds` bound it: `report = await LoadGenerator(url, requests=1000).run()`.

    `path` is one or several, asked in turn; without it, the URL's own. `release_pattern` finds the release in the body
    instead of the header.

    Raises:
        WrongInputError: the URL is not one, or not on this machine and `anywhere` is not set.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clients: int = 8,
        mode: Mode | str = Mode.KEEPALIVE,
        path: str | Sequence[str] = (),
        rate: float | None = None,
        requests: int | None = None,
        seconds: float | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
        bodies: Sequence[bytes] = (),
        release_header: str = "X-Release",
        release_pattern: str | None = None,
        tls: ssl.SSLContext | None = None,
        anywhere: bool = False,
    ) -> None:
        self.mode = Mode(mode)
        endpoint, host, own_path = resolve(base_url, anywhere=anywhere, tls=tls)
        self._target = LoadTarget(
            endpoint=endpoint,
            host=host,
            paths=((path,) if isinstance(path, str) else tuple(path)) or (own_path,),
            timeout=timeout or TIMEOUTS.get(self.mode, TIMEOUT),
            headers=headers or {},
            bodies=tuple(bodies),
            release_header=release_header.lower(),
            release_pattern=re.compile(release_pattern.encode()) if release_pattern else None,
        )
        self._number = clients
        self._left = requests
        self._seconds = seconds
        self._interval = 1 / rate if rate else 0.0
        self._tally = Tally()
        self._past: LoadReport | None = None
        self._stopping = asyncio.Event()
        self._clients: list[Client] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def run(self) -> LoadReport:
        """Starts, and returns the report when the given number of requests or seconds is reached or `finish` called."""
        self._start()
        return await self.wait()

    def _start(self) -> None:
        self._tally.reset()
        self._slot = self._tally.clock()
        self._clients = [CLIENTS[self.mode](self._target, self._tally, number) for number in range(self._number)]
        self._tasks = [asyncio.create_task(self._drive(client)) for client in self._clients]

    async def wait(self) -> LoadReport:
        """The rest of `run`, for a traffic that was started by `async with`."""
        await asyncio.wait(self._tasks, timeout=self._seconds, return_when=asyncio.FIRST_EXCEPTION)
        return await self.stop()

    def finish(self) -> None:
        """Asks nothing more. What was asked is still under way: `stop` and `wait` return when it is answered."""
        self._stopping.set()
        for client in self._clients:
            client.finish()

    async def stop(self) -> LoadReport:
        """Asks nothing more, waits for the answers to what was asked, and returns the report."""
        self.finish()
        try:
            await asyncio.wait(self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
        for task in self._tasks:
            task.result()  # a client that failed by itself has counted nothing: say so rather than report
        self._tally.end()
        return self.report()

    def snapshot(self) -> LoadReport:
        """What was counted so far; requests under way are not in it."""
        now = self._tally.report()
        return now if self._past is None else self._past + now

    def report(self) -> LoadReport:
        """Everything that was counted since the start. Final once `stop` or `wait` has returned."""
        return self.snapshot()

    def lap(self) -> LoadReport:
        """What was counted since the last lap, or since the start: one step of a longer run."""
        lap = self._tally.report()
        self._past = lap if self._past is None else self._past + lap
        self._tally.reset()
        return lap

    async def _drive(self, client: Client) -> None:
        try:
            while await self._turn():
                if not await client.once():
                    await asyncio.sleep(PAUSE_AFTER_LOSS)
        finally:
            client.close()

    async def _turn(self) -> bool:
        """Waits for the next slot of the schedule; False when there shall be no more requests."""
        if self._stopping.is_set() or self._left == 0:
            return False
        if self._left is not None:
            self._left -= 1
        if not self._interval:
            return True
        wait = self._slot - self._tally.clock()
        self._slot += self._interval
        if wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await self._stopping.wait()
            except TimeoutError:
                return True
        return not self._stopping.is_set()
