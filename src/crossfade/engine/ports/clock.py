"""Time as the engine sees it."""

from typing import Protocol


class Clock(Protocol):
    """Time as the engine sees it: seconds since the epoch, and a wait that a simulation can shorten."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...
