"""Tasks that must not end: one that fails is begun again, each time later, and what failed is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from crossfade.core.errors import CrossfadeError
from crossfade.engine.ports.clock import Clock
from crossfade.engine.task import cancelled

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before it is begun again: 0.5, 1, 2 ... 30
REMEMBERED = 60.0  # seconds for which a failure is told although the task goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure:
    """How a task failed last, and when."""

    why: str
    at: float


class Supervisor:
    """Runs tasks by name. A task that returns is done; only `stop` and `close` end one that does not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, TaskFailure] = {}

    def keep(self, name: str, work: Callable[[], Awaitable[None]], *, longest_pause: float = LONGEST_PAUSE) -> None:
        """Run `work` until it returns. ValueError when a task of this name runs already."""
        if self.runs(name):
            raise ValueError(name)
        task = asyncio.create_task(self._keep(name, work, longest_pause), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._forget(name, task))

    def runs(self, name: str) -> bool:
        task = self._tasks.get(name)
        return task is not None and not task.done()  # it may be done and not yet forgotten

    async def ended(self, name: str) -> None:
        """Wait until a task has returned; who waits may leave, the task goes on."""
        task = self._tasks.get(name)
        if task:
            await asyncio.wait([task])

    async def stop(self, name: str) -> None:
        """End a task; nothing happens when there is none."""
        task = self._tasks.get(name)
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._failures.pop(name, None)

    async def close(self) -> None:
        """End all of them."""
        for name in list(self._tasks):
            await self.stop(name)

    def tell(self, name: str, why: str) -> None:
        """Tell of something that a task saw and mended, as of a failure."""
        log.warning("%s: %s", name, why)
        self._remember(name, why)

    def troubles(self) -> dict[str, str]:
        """By task: what failed a short while ago."""
        recent = self._clock.now() - REMEMBERED
        return {name: failure.why for name, failure in sorted(self._failures.items()) if failure.at >= recent}

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]], longest_pause: float) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._clock.now()
            try:
                await work()
            except asyncio.CancelledError:
                if cancelled():
                    raise
                # A library cancelled what it was waited for; to us that is a failure like any other.
                self._failed(name, "what it waited for was cancelled")
            except CrossfadeError as error:
                self._failed(name, error.cause)
            except Exception as error:  # whatever it is, it must not end the care that is taken
                log.exception("%s failed", name)
                self._failed(name, f"unexpected: {error!r}")
            else:
                return
            if self._clock.now() - began > REMEMBERED:
                pause = FIRST_PAUSE
            await self._clock.sleep(pause)
            pause = min(2 * pause, longest_pause)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]

    def _failed(self, name: str, why: str) -> None:
        log.warning("%s is begun again: %s", name, why)
        self._remember(name, why)

    def _remember(self, name: str, why: str) -> None:
        self._failures[name] = TaskFailure(why=why, at=self._clock.now())
