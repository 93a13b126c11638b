"""What a part of the rig does by itself, from its start until it is closed."""

import asyncio
import contextlib
from abc import ABC, abstractmethod


class Working(ABC):
    """Does `_run` in a task of its own."""

    _work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._work = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._work:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work

    @abstractmethod
    async def _run(self) -> None: ...
