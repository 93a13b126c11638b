"""The visitors of a load test: as many as are wanted at once, each on its own way."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Protocol

from crossfade.core.errors import WrongInputError
from crossfade.core.journey import Journey, LoadTest
from crossfade.load.journeys.book import Sample
from crossfade.load.journeys.visitor import LoginError, Visitor, until
from crossfade.load.target import LoadTarget


class Crowd(Protocol):
    """Who asks. What they met is told to whoever made the crowd."""

    async def rehearse(self) -> None:
        """Find out whether it can be done at all. WrongInputError where not: then there is nothing to measure."""
        ...

    def be(self, users: int) -> None:
        """So many from now on."""
        ...

    async def leave(self) -> None:
        """All of them finish what they are at, and nobody comes again."""
        ...


class Visitors:
    """Our own, on the journeys of the test."""

    def __init__(
        self, test: LoadTest, target: LoadTarget, told: Callable[[Sample], None], clock: Callable[[], float], seed: int
    ) -> None:
        self._test, self._target, self._told, self._clock = test, target, told, clock
        self._chance = random.Random(seed)  # noqa: S311  no secret: the same seed sends the same journeys
        self._here: list[tuple[asyncio.Event, asyncio.Task[None]]] = []
        self._leaving: list[asyncio.Task[None]] = []
        self._came = 0

    async def rehearse(self) -> None:
        """Each journey once, alone."""
        for journey in self._test.journeys:
            try:
                wrong = await self.one(journey, 0, asyncio.Event(), lambda _: None).rehearse()
            except LoginError as error:
                raise WrongInputError(
                    f"the login of journey {journey.name} fails: {error}", "no load was sent"
                ) from None
            if wrong:
                raise WrongInputError(f"journey {journey.name} fails: {wrong[0]}", "no load was sent")

    def be(self, users: int) -> None:
        self._go(len(self._here) - users)
        journeys = self._test.journeys
        while len(self._here) < users:
            self._came += 1
            journey = self._chance.choices(journeys, [one.weight for one in journeys])[0]
            gone = asyncio.Event()
            visitor = self.one(journey, self._came, gone, self._told)
            self._here.append((gone, asyncio.create_task(self._live(visitor, journey))))

    async def leave(self) -> None:
        self._go(len(self._here))
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def one(self, journey: Journey, number: int, gone: asyncio.Event, told: Callable[[Sample], None]) -> Visitor:
        """A visitor that has yet to come."""
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

    async def _live(self, visitor: Visitor, journey: Journey) -> None:
        try:
            await visitor.live()
        except LoginError as error:
            now = self._clock()
            name = f"login of {journey.name}"
            self._told(Sample(endpoint=name, due=now, ended=now, late=0.0, failure=str(error)))

    def _go(self, many: int) -> None:
        for gone, task in self._here[: max(0, many)]:
            gone.set()
            self._leaving.append(task)
        del self._here[: max(0, many)]
