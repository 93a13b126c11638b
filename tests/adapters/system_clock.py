"""The machine's own time."""

import asyncio
import time


class SystemClock:
    def now(self) -> float:
        return time.time()  # noqa: TID251  this is the clock

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
