"""Releases behind every kind of door, under load: sticky clients, HTTPS, several apps on one port."""

import asyncio
import ssl
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.support.certificate import certificate
from tests.support.crowd import Crowd, loses_nothing
from tests.support.machine import App
from tests.support.ports import free_port

from crossfade.core.service import Listener, RollbackOn, Rule, Sticky, Strategy
from crossfade.load import Mode

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(name="blue-green", timeout=10.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))


class Visitor:
    """A browser: it keeps its cookies, and remembers which instances and releases answered it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.seen: list[tuple[str, str]] = []  # (release, instance), in turn

    async def ask(self) -> None:
        async with self._session.get(f"{self._url}/who") as answer:
            assert answer.status == 200
            self.seen.append((answer.headers["X-Release"], answer.headers["X-Instance"]))

    async def close(self) -> None:
        await self._session.close()


async def test_a_sticky_client_keeps_its_instance_and_in_a_canary_its_release(shop: App) -> None:
    """Who saw the new release goes on seeing it while its share grows; nobody is sent back and forth."""
    sticky = Sticky(cookie="sessionid", ttl=3600.0)
    strategy = replace(QUICK, name="canary", steps=(30, 70, 100), approve=(30, 70))
    await shop.deploy(shop.service(strategy=QUICK, sticky=sticky))
    visitors = [Visitor(shop.url) for _ in range(16)]
    try:
        async with Crowd(shop.url) as crowd:
            await _ask(visitors, times=3)
            assert all(len(set(visitor.seen)) == 1 for visitor in visitors)
            assert len({visitor.seen[0] for visitor in visitors}) == 2, "both instances have clients"
            rollout = await shop.begin(shop.service(strategy=strategy, sticky=sticky, tag="2"))
            for step in (2, 3):
                await shop.until(lambda s, at=step: s["rollout"]["step"] == at)
                await shop.waits_for("promote")
                await _ask(visitors, times=3)
                await shop.order("promote")
            result = await shop.outcome(rollout)
            await _ask(visitors, times=1)
            await shop.settled(2)
    finally:
        await asyncio.gather(*(visitor.close() for visitor in visitors))
    for visitor in visitors:
        releases = [release for release, _ in visitor.seen]
        assert releases == sorted(releases), "sent back to the old release"
        assert releases[-1] == "2"
        by_release = defaultdict(set)
        for release, instance in visitor.seen:
            by_release[release].add(instance)
        assert all(len(instances) == 1 for instances in by_release.values()), visitor.seen
    assert result["traffic"]["failed"] == 0
    loses_nothing(crowd.report)


async def _ask(visitors: list[Visitor], times: int) -> None:
    for _ in range(times):
        await asyncio.gather(*(visitor.ask() for visitor in visitors))


async def test_https_switches_without_a_loss_and_http_leads_there(shop: App, tmp_path: Path) -> None:
    """Handshakes and long TLS connections alike; plain HTTP is redirected all the time."""
    tls = certificate(tmp_path, "localhost")
    listener = Listener(host="127.0.0.1", http=shop.port, https=free_port(), tls=tls)
    trusting = ssl.create_default_context(cafile=tls.certificate)
    await shop.deploy(shop.service(strategy=QUICK, listener=listener))
    async with (
        Crowd(f"https://localhost:{listener.https}", tls=trusting) as crowd,
        Crowd(shop.url, Mode.KEEPALIVE, Mode.CONNECTION) as plain,
    ):
        result = await shop.deploy(shop.service(strategy=QUICK, listener=listener, tag="2"))
        await shop.settled(2)
    loses_nothing(crowd.report, result)
    assert set(crowd.report.releases) == {"1", "2"}
    assert set(plain.report.statuses) == {301}
    assert plain.report.failed == 0


@pytest.mark.long
async def test_apps_share_a_port_by_host_and_do_not_feel_each_other(shop: App, other: App) -> None:
    """One ships a release that is taken back, one a good one, at the same time; each has its own proof."""
    listener = Listener(host="127.0.0.1", http=shop.port)
    bad = replace(QUICK, bake=5.0)
    for app in (shop, other):
        await app.deploy(app.service(strategy=QUICK, listener=listener, routes=(Rule(host=f"{app.name}.test"),)))
    async with (
        Crowd(shop.url, headers={"Host": f"{shop.name}.test"}) as ours,
        Crowd(shop.url, headers={"Host": f"{other.name}.test"}) as theirs,
    ):
        good, taken_back = await asyncio.gather(
            shop.deploy(
                shop.service(strategy=QUICK, listener=listener, routes=(Rule(host=f"{shop.name}.test"),), tag="2")
            ),
            other.deploy(
                other.service(
                    strategy=bad, listener=listener, routes=(Rule(host=f"{other.name}.test"),), fault="errors"
                )
            ),
        )
        await asyncio.gather(shop.settled(2), other.settled(1))
    assert (good["rollout"]["state"], taken_back["rollout"]["state"]) == ("succeeded", "rolled_back")
    loses_nothing(ours.report, good)
    assert theirs.report.failed == theirs.report.releases["2"].requests == taken_back["traffic"]["failed"] > 0
