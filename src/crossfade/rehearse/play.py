"""The rehearsal as it is played: a first release, visitors, a good one, a sick one, and nothing left of it."""

import asyncio
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.core.journey import LoadTest
from crossfade.core.service import Service
from crossfade.core.wire import encode
from crossfade.load.journeys.book import LoadBook
from crossfade.load.journeys.run import LoadRun
from crossfade.load.target import LoadTarget, resolve
from crossfade.paths import StateDirectory
from crossfade.rehearse import containers, processor, standin
from crossfade.rehearse.arrange import stand_in
from crossfade.rehearse.cast import Cast
from crossfade.rehearse.controller import Controller
from crossfade.stage.stage import Stage
from crossfade.telling.text import outcome

Json = Mapping[str, Any]
USUAL = "as usual"
GOOD = "a good release"
SICK = "a sick release"
QUIET = 6.0  # seconds in which nothing but visitors happens: what is usual here
BY = "rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a rehearsal.

    `good` and `sick` are results as `deploy --json` has them; `processor` is seconds by service that their instances
    used for the requests of the quiet time.
    """

    book: LoadBook
    good: Json
    sick: Json
    sick_service: str
    processor: Mapping[str, float]
    notes: tuple[str, ...] = ()  # what was said of releases as they were made

    @property
    def results(self) -> list[Json]:
        """The rollouts of the good release, one for each service."""
        return each(self.good)


class Play:
    """`said` hears what happens, a line each."""

    def __init__(
        self, stage: Stage, cast: Cast, test: LoadTest, *, sick: str, sick_service: str, said: Callable[[str], None]
    ) -> None:
        self._stage, self._cast, self._test, self._said = stage, cast, test, said
        self._sick, self._sick_service = sick, sick_service
        self._controller = Controller(StateDirectory(stage.state), said)
        self._results: dict[str, Json] = {}
        self._processor: dict[str, float] = {}

    @property
    def _in_docker(self) -> bool:
        return any(role.by == "containers" for role in self._cast.roles) or bool(self._cast.stores)

    async def go(self, secrets: Mapping[str, Mapping[str, str]]) -> Played | None:
        """Play it and clear up, also after Ctrl-C: then None."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, task.cancel if task else _nothing)
        try:
            return await self._play(secrets)
        except asyncio.CancelledError:
            self._said("stopped; clearing up")
            return None
        finally:
            for number in signals:
                loop.add_signal_handler(number, _nothing)  # the clearing is not to be interrupted
            await self._clear()

    async def _play(self, secrets: Mapping[str, Mapping[str, str]]) -> Played:
        prepare(self._stage.folder)
        await self._controller.start(self._cast.app.name)
        services = [role.played for role in self._cast.roles]
        first = await self._deploy("first", services, secrets)
        if state(first) != "succeeded":
            raise RefusedError(
                f"the app does not run here: {_reason(first)}",
                "mend it, or let a stand-in play: --stand-in SERVICE",
            )
        book = await self._visit(services, secrets)
        for name in (GOOD, SICK):
            if name not in self._results:
                raise PlatformError(f"{name} did not come to an end", "is this machine very busy?")
        return Played(
            book=book,
            good=self._results[GOOD],
            sick=self._results[SICK],
            sick_service=self._sick_service,
            processor=self._processor,
            notes=tuple(self._controller.notes),
        )

    async def _visit(self, services: list[Service], secrets: Mapping[str, Mapping[str, str]]) -> LoadBook:
        """The load test's visitors, while one after the other happens."""

        async def good() -> int:
            return await self._act(GOOD, services, secrets)

        async def sick() -> int:
            ill = [
                stand_in(one, sys.executable, str(self._stage.folder / "sick"), self._sick)
                if one.name == self._sick_service
                else one
                for one in services
            ]
            return await self._act(SICK, ill, secrets)

        acts: tuple[tuple[str, Callable[[], Awaitable[int]]], ...] = ((USUAL, self._quiet), (GOOD, good), (SICK, sick))
        endpoint, host, _ = resolve(self._stage.url)
        run = LoadRun(self._test, LoadTarget(endpoint, host, ("/",), self._test.timeout), acts)
        try:
            await run.rehearse()
        except WrongInputError as error:
            raise WrongInputError(error.cause, "mend the journey, or let stand-ins play: --stand-in SERVICE") from None
        self._said(f"visitors: {self._test.stages[0].users} on {', '.join(j.name for j in self._test.journeys)}")
        return await run.go()

    async def _quiet(self) -> int:
        before = await self._used()
        await asyncio.sleep(QUIET)
        after = await self._used()
        self._processor = {key: after[key] - before.get(key, 0.0) for key in after}
        return 0

    async def _used(self) -> Mapping[str, float]:
        return await asyncio.to_thread(processor.used, self._stage.state, with_containers=self._in_docker)

    async def _act(self, name: str, services: list[Service], secrets: Mapping[str, Mapping[str, str]]) -> int:
        self._said(f"{name} goes out")
        self._results[name] = result = await self._deploy(name.replace(" ", "-"), services, secrets)
        for one in each(result):
            self._said(outcome(one)[0])
        return 0

    async def _deploy(self, version: str, services: list[Service], secrets: Mapping[str, Mapping[str, str]]) -> Json:
        return await self._controller.deploy(
            services=[encode(one) for one in services],
            secrets_of=secrets,
            stores=[encode(one) for one in self._cast.stores],
            by=BY,
            version=version,
        )

    async def _clear(self) -> None:
        app = self._cast.app.name
        if self._in_docker:
            with suppress(CrossfadeError, OSError, ValueError):
                await self._stage.verb("down", app, "--with-data", "--confirm", app, "--force")
        await self._stage.clear()
        if self._in_docker:
            await asyncio.to_thread(containers.clear, self._stage.state)


def prepare(folder: Path) -> None:
    """The sources of the stand-in, well and sick."""
    for name in ("well", "sick"):
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(standin.__file__, folder / name / "standin.py")


def each(result: Json) -> list[Json]:
    """The rollouts of a deploy: one, or those of a group."""
    return list(result["results"]) if "group" in result else [result]


def state(result: Json) -> str:
    """How the deploy ended."""
    return str(result["group"]["state"] if "group" in result else result["rollout"]["state"])


def _reason(result: Json) -> str:
    return str(result["group"]["reason"] if "group" in result else result["rollout"]["reason"])


def _nothing() -> None:
    pass
