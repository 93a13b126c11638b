"""Events on their way from the loops to whoever watches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from crossfade.engine.ports.journal import Event

QUEUE = 10_000  # events a slow watcher may lag behind before it is dropped


class Hub:
    """Passes every event to whoever watches. `seq` is the number of the newest one."""

    def __init__(self) -> None:
        self.seq = 0
        self._queues: set[asyncio.Queue[Event]] = set()

    def tell(self, event: Event) -> None:
        self.seq = max(self.seq, event.seq)
        for queue in list(self._queues):
            with suppress(asyncio.QueueFull):
                queue.put_nowait(event)

    async def follow(self) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE)
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)
