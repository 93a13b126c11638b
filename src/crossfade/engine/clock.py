"""The time of a machine as its controller goes by it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any


class SystemClock:
    """Seconds since the epoch, anchored to the wall clock once: after that only what has really passed is added.

    So nobody who sets the clock makes a bake, a boot or a drain longer or shorter. `not_before` keeps it from beginning
    before what was written down already: then what is on record stays in the past.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,  # noqa: TID251  the one place that reads it
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._passed = passed
        self._ahead = wall() - passed()

    def now(self) -> float:
        return self._passed() + self._ahead

    def not_before(self, moment: float) -> None:
        """Go on from `moment` when it is later than now."""
        self._ahead += max(0.0, moment - self.now())

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        return asyncio.sleep(seconds)
