"""A time that passes when everybody waits: an hour of a rollout takes as long as what is done in it."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from random import Random
from typing import Any, Self, TypeVar, TypeVarTuple, Unpack

# Who does so much without waiting waits for nothing: a fleet of 1,000 needs some ten thousand turns at one moment.
ENDLESS = 200_000

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Turn(partial[object]):
    """Something to do next, or when its time has come: a handle that costs a third of asyncio's own to make."""

    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def cancelled(self) -> bool:
        return self.is_cancelled


class Timeline(asyncio.AbstractEventLoop):
    """An event loop without a world: nothing but tasks, futures and timers, and no second of real time.

    When nobody has anything to do it is the time of the next timer. With a seed, which of those who could go on does so
    is drawn from it: every order that a program must bear comes up, and one seed always gives the same.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.tasks: dict[asyncio.Task[Any], None] = {}  # those that are not done, oldest first
        self.complaints: list[dict[str, Any]] = []  # what nobody caught
        self._now = 0.0
        self._ready: deque[_Turn] = deque()
        self._timers: list[tuple[float, int, _Turn]] = []
        self._count = 0
        self._draw = None if seed is None else Random(seed).random  # noqa: S311  it is to be repeatable
        self._running = False

    @classmethod
    def new(cls, seed: int | None = None) -> Self:
        """One that begins at 0. What it has not (sockets, threads, processes) nothing that runs on it may ask for."""
        return cls(seed)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of `main`. Runs in a thread that has no event loop under way."""
        asyncio._set_running_loop(self)  # noqa: SLF001  its documented use: this is an event loop
        self._running = True
        try:
            task = self.create_task(main)
            self._turn_until(task)
            result: T = task.result()
            return result
        finally:
            self._running = False
            asyncio._set_running_loop(None)  # noqa: SLF001

    def skip(self, seconds: float) -> None:
        """Let time pass in which nobody could do anything: timers that were due meanwhile are late."""
        self._now += seconds

    def _turn_until(self, task: asyncio.Task[Any]) -> None:  # noqa: C901  one function: a rollout has hundreds of turns
        """One turn after the other, until a task is done."""
        ready, timers, draw, still = self._ready, self._timers, self._draw, 0  # turns since time passed
        while not task.done():
            while timers and (not ready or timers[0][0] <= self._now):
                when, _, timer = heapq.heappop(timers)
                if not timer.is_cancelled:
                    if when > self._now:
                        self._now, still = when, 0
                    ready.append(timer)
            if not ready:
                raise RuntimeError("everybody waits, and for nothing that could happen")
            still += 1
            if still > ENDLESS:
                raise RuntimeError("somebody goes round in circles, and no time passes")
            if draw and (count := len(ready)) > 1:
                ready.rotate(-int(draw() * count))
            turn = ready.popleft()
            if not turn.is_cancelled:
                try:
                    turn()
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001  as every event loop does
                    said = f"Exception in callback {turn.args[0]}"
                    self.call_exception_handler({"message": said, "exception": error})

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        turn = _Turn((copy_context() if context is None else context).run, callback, *args)
        self._ready.append(turn)
        return turn  # type: ignore[return-value]  # it can be cancelled, which is all that anybody does with one

    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        turn = _Turn((copy_context() if context is None else context).run, callback, *args)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, turn))
        return turn  # type: ignore[return-value]  # as above

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name or "task", context=context)
        self.tasks[task] = None
        task.add_done_callback(self._done)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.complaints.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return False

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)
