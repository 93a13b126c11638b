"""A load test as it runs: its visitors come and go by its stages, and a command may run in the middle."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from crossfade.core.journey import Journey, LoadStage, LoadTest, Step
from crossfade.load.journeys.book import LoadBook, Period, Sample
from crossfade.load.journeys.crowd import Crowd, Visitors
from crossfade.load.journeys.swarm import Swarm
from crossfade.load.journeys.visitor import until
from crossfade.load.target import LoadTarget

Command = Callable[[], Awaitable[int]]

LONGEST_COMMAND = 3600.0  # seconds that a command may outlast the stages
HEALTH_EVERY = 1.0  # seconds


class LoadRun:
    """`during` are commands by name, run one after the other from a quarter of the stages' time on."""

    def __init__(
        self, test: LoadTest, target: LoadTarget, during: tuple[tuple[str, Command], ...] = (), *, seed: int = 1
    ) -> None:
        self.book = LoadBook()
        self._test, self._target, self._during = test, target, during
        self._stopped = asyncio.Event()
        self._clock = time.monotonic
        self._visitors = Visitors(test, target, self.book.add, self._clock, seed)
        self._crowd: Crowd = self._visitors
        if test.locustfile:
            self._crowd = Swarm(test, target, self.book.add, self._clock)
            self.book.closed = True

    async def rehearse(self) -> None:
        """WrongInputError for a test that cannot work: then there is nothing to measure."""
        await self._crowd.rehearse()

    def stop(self) -> None:
        """End early; what was counted is told."""
        self._stopped.set()

    async def go(self) -> LoadBook:
        """Warm up, go through the stages, wait for the commands, and let everybody finish."""
        processor = time.process_time()
        asking = asyncio.create_task(self._ask_health())
        commands = asyncio.create_task(self._run_commands())
        try:
            if self._test.warmup:
                self._crowd.be(self._test.stages[0].users)
                await until(self._stopped, self._test.warmup)
            self.book.began = self._clock()
            for stage in self._test.stages:
                await self._through(stage)
            if not self._stopped.is_set():
                await asyncio.wait([commands], timeout=LONGEST_COMMAND)
            self.book.stages[-1].ended = self._clock()
        finally:
            for task in (asking, commands):
                task.cancel()
            await self._crowd.leave()
            await asyncio.gather(asking, commands, return_exceptions=True)
        self.book.processor = time.process_time() - processor
        return self.book

    async def _through(self, stage: LoadStage) -> None:
        if self._stopped.is_set():
            return
        if self.book.stages:
            self.book.stages[-1].ended = self._clock()
        self.book.stages.append(Period(f"{stage.users} users", stage.users, self._clock()))
        self._crowd.be(stage.users)
        await until(self._stopped, stage.seconds)

    async def _run_commands(self) -> None:
        whole = sum(stage.seconds for stage in self._test.stages)
        await asyncio.sleep(self._test.warmup + whole / 4)
        for name, command in self._during:
            period = Period(name, 0, self._clock())
            self.book.commands.append(period)
            period.code = await command()
            period.ended = self._clock()

    async def _ask_health(self) -> None:
        """The health path by itself, from a visitor of its own."""
        if not self._test.health:
            return
        step = Step(method="GET", path=self._test.health, think=(HEALTH_EVERY, HEALTH_EVERY))
        journey = Journey(name="health", steps=(step,))

        def told(one: Sample) -> None:
            if one.due >= self.book.began:
                self.book.health.add(None if one.failure else one.ended - one.due)

        await self._visitors.one(journey, 0, asyncio.Event(), told).live()
