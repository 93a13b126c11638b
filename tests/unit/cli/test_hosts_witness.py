"""Who answered for a host while it was asked from outside, told by a real controller on a machine in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from tests.unit.controller.site import KIM, Control, Site, service, within

from crossfade.cli.hosts.api import HostApi
from crossfade.cli.hosts.host import ControlledHost
from crossfade.cli.hosts.where import Reached
from crossfade.cli.ship.screens import Lines
from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve
from crossfade.controller.api.server import Api
from crossfade.core.fleet import Exit
from crossfade.core.service import HealthCheck, Service
from crossfade.core.wire import encode
from crossfade.engine.loop import Loop
from crossfade.platforms.hosts.ssh import HostConnection

NAMES = ("web", "api", "mail")


def wanted(name: str, version: str) -> Service:
    """`mail` has no door: it is a worker."""
    made = service(name, env=(("V", version),), replicas=2)
    made = replace(made, strategy=replace(made.strategy, keep_previous=600.0))
    return replace(made, kind="worker", health=HealthCheck(after=0.0)) if name == "mail" else made


class Host:
    """A host that has had two releases of each service; `ask` is done with each question, whose answer is good."""

    def __init__(self, site: Site, control: Control, socket: Path) -> None:
        self.site, self.control = site, control
        self.ask: Callable[[], None] = lambda: None
        reached = Reached(name="deploy@a", connection=cast("HostConnection", None), api=HostApi("deploy@a", socket))
        self.host = ControlledHost(reached, "shop", NAMES, Lines(), asks=[self._ask], own=1)
        self._events = asyncio.get_running_loop()

    def loop(self, name: str) -> Loop:
        return self.control.registry.loops[f"shop/{name}"]

    def end(self, name: str, release: int) -> None:
        """All instances of a release end by themselves."""
        for one in self.site.platform.of(f"shop/{name}"):
            if one.release.number == release and not self.site.exited(one.id):
                self.site.crash(one.id, "exited with code 3")

    async def ends_and_is_back(self, name: str, release: int) -> None:
        """All instances of a release end by themselves, and as many come instead and answer."""
        self.end(name, release)

        def back(loop: Loop) -> bool:
            answer = [i for i in loop.fleet.instances if i.release == release and i.usable]
            return len(loop.ledger.exits) == len(answer) == 2 and loop.fleet.routing.weights == ((release, 100),)

        await within(self.loop(name).until(back))

    async def bring(self) -> None:
        await within(asyncio.to_thread(self.host.bring))

    async def trouble(self) -> str:
        found: str = await within(asyncio.to_thread(self.host.trouble))
        return found

    def _ask(self) -> str:
        asked = asyncio.run_coroutine_threadsafe(self._done(), self._events)
        asked.result(timeout=20)
        return ""

    async def _done(self) -> None:
        self.ask()


@asynccontextmanager
async def there(folder: Path) -> AsyncIterator[Host]:
    site = Site()
    async with site.controller() as control:
        for version in ("1", "2"):
            for name in NAMES:
                await control.deploy(wanted(name, version), replace(KIM, version=f"v{version}"))
        runner = await serve(Api(control.orders, Hub(), lambda _: None), folder / "socket")
        try:
            yield Host(site, control, folder / "socket")
        finally:
            await runner.cleanup()


async def test_a_release_that_answers_for_itself_is_no_trouble(tmp_path: Path) -> None:
    """Nor is what ended before the host had it."""
    async with there(tmp_path) as host:
        await host.ends_and_is_back("web", 2)
        await host.bring()
        assert await host.trouble() == ""


@pytest.mark.parametrize("name", NAMES)
async def test_a_release_that_ends_by_what_is_asked_is_trouble(tmp_path: Path, name: str) -> None:
    """Though another one answers for it: of each service, with a door or without, by the very last question."""
    async with there(tmp_path) as host:
        await host.bring()
        left = [*range(3)]

        def ask() -> None:
            left.pop()
            if not left:
                host.end(name, 2)

        host.ask = ask
        said = await host.trouble()
        assert said.startswith(f"deploy@a: release 2 (v2) of {name} lost 2 instances after it went out: shop-{name}-2-")
        assert said.endswith(" exited with code 3")


async def test_a_release_that_ends_before_the_first_question_is_trouble(tmp_path: Path) -> None:
    """Visitors come to a host before it is asked: what they ended is back by then, and ends with the next ones."""
    async with there(tmp_path) as host:
        await host.bring()
        await host.ends_and_is_back("web", 2)
        assert "release 2 (v2) of web lost 2 instances" in await host.trouble()


async def test_another_release_that_answers_is_trouble(tmp_path: Path) -> None:
    """It stood in already when whoever brought the release was killed, and the next one came."""
    async with there(tmp_path) as host:
        host.site.sick.add(("shop/web", 2))
        host.end("web", 2)
        await within(host.loop("web").until(lambda loop: loop.fleet.routing.weights == ((1, 100),)))
        await host.bring()
        said = "deploy@a: release 2 (v2) of web does not answer, release 1 (v1) stands in for it"
        assert await host.trouble() == said


async def test_who_is_told_to_go_is_no_trouble(tmp_path: Path) -> None:
    """Somebody on the host restarts or scales the service meanwhile; nor what ended by no fault of the release."""
    async with there(tmp_path) as host:
        await host.bring()
        loop = host.loop("web")
        await within(host.control.orders.scale(loop, 1, KIM))
        await within(loop.until(lambda loop: len([i for i in loop.fleet.instances if i.release == 2]) == 1))
        lost = Exit(instance="shop-web-2-x", release=2, at=0.0, was_healthy=True, detail="is gone", blamed=False)
        await loop.record("instance exited", encode(lost))
        assert await host.trouble() == ""
