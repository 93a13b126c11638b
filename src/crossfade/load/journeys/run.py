"""A load test as it runs: its visitors come and go by its stages, and a command may run in the middle."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

from crossfade.core.errors import WrongInputError
from crossfade.core.journey import Journey, LoadTest, Stage, Step
from crossfade.load.journeys.book import Book, Period, Sample
from crossfade.load.journeys.visitor import LoginError, Visitor, until
from crossfade.load.target import Target

Command = Callable[[], Awaitable[int]]

LONGEST_COMMAND = 3600.0  # seconds that a command may outlast the stages
HEALTH_EVERY = 1.0  # seconds


class Run:
    """`during` are commands by name, run one after the other from a quarter of the stages' time on."""

    def __init__(
        self, test: LoadTest, target: Target, during: tuple[tuple[str, Command], ...] = (), *, seed: int = 1
    ) -> None:
        self.book = Book()
        self._test, self._target, self._during = test, target, during
        self._chance = random.Random(seed)  # noqa: S311  no secret: the same seed sends the same journeys
        self._visitors: list[tuple[asyncio.Event, asyncio.Task[None]]] = []
        self._leaving: list[asyncio.Task[None]] = []
        self._came = 0
        self._stopped = asyncio.Event()
        self._clock = time.monotonic

    async def rehearse(self) -> None:
        """Each journey once, alone. WrongInputError for one that cannot work: then there is nothing to measure."""
        for journey in self._test.journeys:
            try:
                wrong = await self._visitor(journey, 0, asyncio.Event(), lambda _: None).rehearse()
            except LoginError as error:
                raise WrongInputError(
                    f"the login of journey {journey.name} fails: {error}", "no load was sent"
                ) from None
            if wrong:
                raise WrongInputError(f"journey {journey.name} fails: {wrong[0]}", "no load was sent")

    def stop(self) -> None:
        """End early; what was counted is told."""
        self._stopped.set()

    async def go(self) -> Book:
        """Warm up, go through the stages, wait for the commands, and let everybody finish."""
        processor = time.process_time()
        asking = asyncio.create_task(self._ask_health())
        commands = asyncio.create_task(self._run_commands())
        try:
            if self._test.warmup:
                self._be(self._test.stages[0])
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
            self._leave(len(self._visitors))
            await asyncio.gather(asking, commands, *self._leaving, return_exceptions=True)
        self.book.processor = time.process_time() - processor
        return self.book

    async def _through(self, stage: Stage) -> None:
        if self._stopped.is_set():
            return
        if self.book.stages:
            self.book.stages[-1].ended = self._clock()
        self.book.stages.append(Period(f"{stage.users} users", stage.users, self._clock()))
        self._be(stage)
        await until(self._stopped, stage.seconds)

    def _be(self, stage: Stage) -> None:
        """As many visitors as the stage has."""
        self._leave(len(self._visitors) - stage.users)
        journeys = self._test.journeys
        while len(self._visitors) < stage.users:
            self._came += 1
            journey = self._chance.choices(journeys, [one.weight for one in journeys])[0]
            gone = asyncio.Event()
            visitor = self._visitor(journey, self._came, gone, self.book.add)
            self._visitors.append((gone, asyncio.create_task(self._live(visitor, journey))))

    async def _live(self, visitor: Visitor, journey: Journey) -> None:
        try:
            await visitor.live()
        except LoginError as error:
            now = self._clock()
            name = f"login of {journey.name}"
            self.book.add(Sample(endpoint=name, due=now, ended=now, late=0.0, failure=str(error)))

    def _leave(self, many: int) -> None:
        for gone, task in self._visitors[: max(0, many)]:
            gone.set()
            self._leaving.append(task)
        del self._visitors[: max(0, many)]

    def _visitor(self, journey: Journey, number: int, gone: asyncio.Event, told: Callable[[Sample], None]) -> Visitor:
        return Visitor(
            self._target,
            journey,
            number,
            clock=self._clock,
            pause=partial(until, gone),
            told=told,
            instance=self._test.instance,
            seed=self._chance.randrange(2**32),
        )

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

        await self._visitor(journey, 0, asyncio.Event(), told).live()
