"""The pulse of an open page: the status whenever it differs, and each thing that happens, in a sentence."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from aiohttp import ClientError

from crossfade.controller.page.asking import Asking
from crossfade.core.errors import PlatformError
from crossfade.telling.story import Story
from crossfade.telling.text import outcome

EVERY = 1.0  # seconds between two looks while nothing happens: shares, health and rates change without an event
SOON = 0.1  # seconds after an event: a step writes several
HEART = 15.0  # seconds of silence, after which a page is written to, to see whether it is still there
EVENTS = 400  # of the journal, when somebody begins to look
LINES = 200  # told of them


class PagePulse:
    """One look for all pages that are open, and none while there is no page.

    Who reads slowly is told less often, and never an old status.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._status = ""  # JSON
        self._lines: deque[tuple[int, dict[str, Any]]] = deque(maxlen=LINES)  # numbered as they were told
        self._told = 0
        self._stories: dict[str, Story] = {}
        self._followers = 0
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def follow(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events: `status` with all of it, `story` with the lines that are new; comments in silence."""
        self._followers += 1
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._look()), asyncio.create_task(self._listen())]
        seen, told = "", 0
        try:
            while True:
                changed = self._changed
                if self._status != seen:
                    seen = self._status
                    yield _message("status", seen)
                if new := [line for number, line in self._lines if number > told]:
                    told = self._lines[-1][0]
                    yield _message("story", json.dumps(new))
                if changed is not self._changed:
                    continue
                try:
                    async with asyncio.timeout(HEART):
                        await changed.wait()
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._followers -= 1
            if not self._followers:
                self._rest()

    def _rest(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        self._status = ""
        self._lines.clear()
        self._stories.clear()

    async def _look(self) -> None:
        while True:
            self._wake.clear()
            status = json.dumps(await self._found())
            if status != self._status:
                self._status = status
                self._tell()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()
                await asyncio.sleep(SOON)

    async def _found(self) -> dict[str, Any]:
        """`status --json`, with how each last rollout ended in words."""
        try:
            _, found = await self._asking.ask("GET", "/v1/status")
        except PlatformError as error:
            return {"error": {"cause": error.cause, "way_out": error.way_out}}
        lasts = {
            f"{one['app']}/{one['name']}": outcome(one["last"]) for one in found.get("services", ()) if one["last"]
        }
        return {**found, "outcomes": lasts}

    async def _listen(self) -> None:
        with suppress(ClientError, OSError):  # the controller ends, and so does the page's stream
            async with aclosing(self._asking.lines("/v1/events", {"limit": EVENTS, "follow": 1})) as lines:
                async for line in lines:
                    self._hear(json.loads(line))

    def _hear(self, event: dict[str, Any]) -> None:
        story = self._stories.setdefault(event["service"], Story())
        for said in story.tell(event):
            self._told += 1
            self._lines.append(
                (self._told, {"number": self._told, "at": event["at"], "service": event["service"], "line": said})
            )
        self._wake.set()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _message(kind: str, data: str) -> bytes:
    """JSON has no line end in it, so that one line is the whole of a message."""
    return f"event: {kind}\ndata: {data}\n\n".encode()
