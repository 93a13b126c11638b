"""Nobody sees half a release: sessions and pages under load, through a deploy."""

import asyncio
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.adapters.until import until
from tests.support.machine import App

from crossfade.core.service import RollbackOn, Service, Sticky, Strategy

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGED = Path(__file__).parents[1] / "support" / "paged.py"
STAYS = Sticky(cookie="id", ttl=3600.0, release=True)
QUICK = Strategy(name="blue-green", timeout=60.0, keep_previous=600.0, rollback_on=RollbackOn(min_requests=5))


def paged(app: App, *, sticky: Sticky | None = STAYS, **changes: Any) -> Service:
    """The service of an app that runs paged.py."""
    code = app.machine.root / f"{app.name}-paged"
    code.mkdir(exist_ok=True)
    shutil.copy(PAGED, code / "paged.py")
    made = app.service(sticky=sticky, **changes)
    return replace(made, source=str(code), command=f"exec {sys.executable} -S paged.py")


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=60))


class Poller:
    """A client that begins a session and polls it as Socket.IO does: one request after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.polls: list[tuple[int, str]] = []  # status and release

    async def poll(self) -> None:
        """Until cancelled."""
        async with browser() as session:
            async with session.post(f"{self._url}/session") as answer:
                name = await answer.text()
            while True:
                async with session.get(f"{self._url}/session/{name}") as answer:
                    self.polls.append((answer.status, await answer.text()))

    async def polled(self, times: int) -> None:
        """Wait until it has been answered so often from now on."""
        enough = len(self.polls) + times
        await until(lambda: len(self.polls) >= enough, 120)


async def test_polling_sessions_are_held_through_a_switch(shop: App) -> None:
    """None breaks in it: the old release's own visitors reach it as long as it is kept, and new ones the new one."""
    await shop.deploy(paged(shop, strategy=QUICK))
    async with asyncio.timeout(180):
        pollers = [Poller(shop.url) for _ in range(6)]
        tasks = [asyncio.create_task(poller.poll()) for poller in pollers]
        try:
            await asyncio.gather(*(poller.polled(2) for poller in pollers))
            result = await shop.deploy(paged(shop, strategy=QUICK, tag="2"))
            await asyncio.gather(*(poller.polled(3) for poller in pollers))
            async with browser() as newcomer, newcomer.get(f"{shop.url}/") as answer:
                assert (await answer.text()).startswith("2 ")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert {poll for poller in pollers for poll in poller.polls} == {(200, "1")}
    assert result["rollout"]["state"] == "succeeded"
    assert result["traffic"]["failed"] == 0


async def test_nobody_stays_with_a_release_that_is_rolled_back(shop: App) -> None:
    """Whoever had the new one gets the old one at once."""
    await shop.deploy(paged(shop, strategy=QUICK))
    await shop.deploy(paged(shop, strategy=QUICK, tag="2"))
    async with browser() as visitor:
        async with visitor.get(f"{shop.url}/") as answer:
            assert (await answer.text()).startswith("2 ")
        await shop.rollback()
        async with visitor.get(f"{shop.url}/") as answer:
            assert (await answer.text()).startswith("1 ")


class Reader:
    """Loads pages with their script, each as a new visitor, and counts those that were not of one release."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.loads = Counter[str]()

    async def load(self, pause: float) -> None:
        """Until cancelled; the script of a page is asked for `pause` seconds after it came."""
        while True:
            async with browser() as session:
                async with session.get(f"{self._url}/") as answer:
                    release, script = (await answer.text()).split()
                await asyncio.sleep(pause)
                async with session.get(f"{self._url}{script}") as answer:
                    whole = (answer.status, answer.content_type, await answer.text())
            self.loads["whole" if whole == (200, "text/javascript", release) else f"{release}: {whole}"] += 1


@pytest.mark.long
@pytest.mark.parametrize("sticky", [None, STAYS], ids=["anywhere", "stays"])
async def test_a_thousand_pages_are_whole_throughout_rolling_deploys(shop: App, sticky: Sticky | None) -> None:
    """A page and the script that it names are of one release, however late it is asked for: in each of 1,000 loads."""
    rolling = replace(QUICK, name="rolling", checkpoints=(50, 100), max_surge=50, keep_assets=10.0)
    await shop.deploy(paged(shop, sticky=sticky, strategy=rolling, replicas=4))
    reader = Reader(shop.url)
    tasks = [asyncio.create_task(reader.load(pause)) for pause in (0.0, *4 * (0.3,), *24 * (2.0,))]
    try:
        async with asyncio.timeout(480):
            deploys = 0
            while deploys < 2 or reader.loads.total() < 1000:
                deploys += 1
                result = await shop.deploy(
                    paged(shop, sticky=sticky, strategy=rolling, replicas=4, tag=f"later {deploys}")
                )
                assert result["rollout"]["state"] == "succeeded"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert set(reader.loads) == {"whole"}, reader.loads
