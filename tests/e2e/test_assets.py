"""Parts of a page that only another release has: they are fetched from it while it runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.contract.balancer_kits import Answer, fetch, routing, service
from tests.support.backend import Backend
from tests.support.edge import running_envoy, url

from crossfade.core.service import Sticky
from crossfade.platforms.local.balancers import visitors
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer

BOTH = {1: "a", 2: "b"}
SCRIPT = {"sec-fetch-dest": "script"}


@pytest.fixture
async def envoy(tmp_path: Path) -> AsyncIterator[EnvoyBalancer]:
    async with running_envoy(tmp_path / "envoy") as balancer:
        yield balancer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def test_an_asset_that_the_new_release_lacks_is_the_old_ones(
    envoy: EnvoyBalancer, http: aiohttp.ClientSession
) -> None:
    """After the switch and while the old one is kept, whether the new one says 404 or sends its page."""
    web = service()
    async with Backend("a") as old, Backend("b") as new:
        new.lacks = {"/app.1.js": "404", "/chunk/x": "page", "/gone.css": "page", "/about": "404"}
        old.lacks = {"/gone.css": "404", "/only-new.js": "404"}
        addresses = {"a": old.address, "b": new.address}
        await envoy.apply(web, routing({2: 100}, BOTH), addresses, 1)
        for path, headers, answer in (
            ("/app.1.js", {}, Answer(200, "a")),
            ("/app.1.js?v=1.html", {}, Answer(200, "a")),
            ("/app.1.js", SCRIPT, Answer(200, "a")),
            ("/chunk/x", SCRIPT, Answer(200, "a")),
            ("/chunk/x", {}, Answer(200, "page of b")),  # nothing says that it is no page
            ("/chunk/x", {"sec-fetch-dest": "document"}, Answer(200, "page of b")),
            ("/about", {}, Answer(404, "page of b")),
            ("/only-new.js", SCRIPT, Answer(200, "b")),
        ):
            assert (path, await fetch(http, url(web, path), headers=headers)) == (path, answer)
        assert (await fetch(http, url(web, "/app.1.js"), "POST")).status == 404
        lost = await fetch(http, url(web, "/gone.css"))
        assert lost in {Answer(404, "page of a"), Answer(200, "page of b")}, "neither has it"


async def test_an_asset_never_comes_from_a_release_in_preview(
    envoy: EnvoyBalancer, http: aiohttp.ClientSession
) -> None:
    """Nobody has let it have visitors yet."""
    web = service()
    async with Backend("a") as old, Backend("b") as new:
        old.lacks = {"/next.js": "404"}
        await envoy.apply(web, routing({1: 100}, BOTH, preview=2), {"a": old.address, "b": new.address}, 1)
        assert (await fetch(http, url(web, "/next.js"))).status == 404
        assert new.seen == []


async def test_who_stays_with_the_old_release_gets_the_new_ones_assets_too(
    envoy: EnvoyBalancer, http: aiohttp.ClientSession
) -> None:
    """A link from elsewhere may lead to what only the new one has."""
    web = service(sticky=Sticky(cookie="id", ttl=60, release=True))
    async with Backend("a") as old, Backend("b") as new:
        old.lacks = {"/next.js": "page"}
        await envoy.apply(web, routing({2: 100}, BOTH, pinned=(1,)), {"a": old.address, "b": new.address}, 1)
        mine = {"cookie": f"{visitors.cookie(web)}=1"}
        assert (await fetch(http, url(web), headers=mine)).body == "a"
        assert (await fetch(http, url(web, "/next.js"), headers=mine)).body == "b"


async def test_an_asset_that_is_looked_for_twice_is_one_request_in_the_record(
    envoy: EnvoyBalancer, http: aiohttp.ClientSession
) -> None:
    """A client asked once, nothing failed, and the second look counts as a try."""
    web = service()
    async with Backend("a") as old, Backend("b") as new:
        new.lacks = {"/app.js": "404"}
        await envoy.apply(web, routing({2: 100}, BOTH), {"a": old.address, "b": new.address}, 1)
        for _ in range(10):
            assert (await fetch(http, url(web, "/app.js"))).body == "a"
        await envoy.catch_up()
        traffic = (await envoy.report(web.key)).traffic
        assert (traffic.total.requests, traffic.total.errors, traffic.total.retried) == (10, 0, 10)


async def test_an_asset_that_neither_has_is_no_failure(envoy: EnvoyBalancer, http: aiohttp.ClientSession) -> None:
    """A site without a favicon says so in each of its releases: that takes none of them back."""
    web = service()
    async with Backend("a") as old, Backend("b") as new:
        new.lacks = old.lacks = {"/favicon.ico": "404", "/logo.png": "page"}
        await envoy.apply(web, routing({2: 100}, BOTH), {"a": old.address, "b": new.address}, 1)
        for path in ("/favicon.ico", "/logo.png"):
            for _ in range(5):
                assert (await fetch(http, url(web, path))).status in {200, 404}
        assert (await fetch(http, url(web))).status == 200
        await envoy.catch_up()
        report = await envoy.report(web.key)
        assert (report.traffic.total.requests, report.traffic.total.errors, report.traffic.failed) == (11, 0, ())
