"""nginx itself: what it does with real requests when things go wrong, and when it is replaced."""

import asyncio
import os
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import fetch, routing, service
from tests.support.backend import Backend
from tests.support.ports import free_port

from crossfade.core.errors import PlatformError
from crossfade.core.service import Listener, Service
from crossfade.platforms.local.balancers.known import KnownProcess
from crossfade.platforms.local.balancers.nginx import NginxBalancer

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")


@pytest.fixture
async def nginx(tmp_path: Path) -> AsyncIterator[NginxBalancer]:
    balancer = NginxBalancer(tmp_path / "nginx", TokenFence(), shutdown=4)
    try:
        await balancer.ensure()
        yield balancer
    finally:
        await balancer.shutdown()
        await balancer.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


def url(service: Service, path: str = "/") -> str:
    return f"http://127.0.0.1:{service.listener.http}{path}"


def master(balancer: NginxBalancer) -> KnownProcess:
    found = balancer._process.master
    assert found is not None
    return found


async def test_each_way_to_fail_has_its_cause(nginx: NginxBalancer, http: aiohttp.ClientSession) -> None:
    """500s, deaths before and in an answer, nobody there: as many as clients saw."""
    web = service()
    async with Backend("a") as one:
        await nginx.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        ways = (("/fail", 3, 500), ("/die", 2, 502), ("/cut", 2, 0), ("/stub", 2, 0), ("/", 5, 200))
        for path, times, status in ways:
            for method in ("GET", "POST"):
                answers = [await fetch(http, url(web, path), method) for _ in range(times)]
                assert [answer.status for answer in answers] == [status] * times
        one.kill()
        assert (await fetch(http, url(web))).status == 502
        await asyncio.sleep(0.1)
        traffic = (await nginx.report(web.key)).traffic
        assert dict(traffic.failed) == {
            "500 from instance": 6,
            "reset by instance": 4,
            "truncated answer": 8,
            "no connection to instance": 1,
        }
        assert (traffic.total.requests, traffic.total.errors, traffic.client_closed) == (29, 19, 0)
        assert traffic.uncounted == ("streams_closed",)  # it tells no stream from a request


async def test_a_dead_instance_costs_nobody_an_answer(nginx: NginxBalancer, http: aiohttp.ClientSession) -> None:
    """Connections that fail are tried on the other, also for a POST."""
    web = service()
    async with Backend("a") as one, Backend("b") as two:
        await nginx.apply(web, routing({1: 100}, {1: "a b"}), {"a": one.address, "b": two.address}, 1)
        one.kill()
        statuses = [(await fetch(http, url(web), method)).status for method in ("GET", "POST") for _ in range(20)]
        assert Counter(statuses) == {200: 40}
        await asyncio.sleep(0.1)
        assert (await nginx.report(web.key)).groups[1].retried > 0


async def test_a_client_that_leaves_is_no_failure(nginx: NginxBalancer) -> None:
    """It is counted apart."""
    web = service()
    async with Backend("a") as one:
        await nginx.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        _, writer = await asyncio.open_connection("127.0.0.1", web.listener.http)
        writer.write(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n")
        await until(lambda: one.seen)
        writer.close()
        await until(lambda: _left(nginx, web))
        assert (await nginx.report(web.key)).traffic.failed == ()


async def _left(balancer: NginxBalancer, service: Service) -> bool:
    return (await balancer.report(service.key)).traffic.client_closed == 1


async def test_a_killed_nginx_is_started_again(nginx: NginxBalancer, http: aiohttp.ClientSession) -> None:
    """Its workers, who go on without it, make room; routing and totals stay."""
    web = service()
    async with Backend("a") as one:
        asked = routing({1: 100}, {1: "a"})
        await nginx.apply(web, asked, {"a": one.address}, 1)
        await fetch(http, url(web))
        old = master(nginx)
        old.signal(signal.SIGKILL)
        await until(lambda: not old.running)
        await nginx.ensure()
        assert master(nginx) != old
        assert (await fetch(http, url(web))).body == "a"
        await asyncio.sleep(0.1)
        report = await nginx.report(web.key)
        assert report.routing == asked
        assert report.traffic.total.requests == 2


async def test_a_new_binary_takes_over_and_the_old_workers_finish(
    nginx: NginxBalancer, http: aiohttp.ClientSession
) -> None:
    """What is under way is answered by the process that began it."""
    web = service()
    async with Backend("a") as one:
        await nginx.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        held = asyncio.create_task(fetch(http, url(web, "/hold")))
        await until(lambda: one.seen)
        old = master(nginx)
        await nginx.restart()
        assert master(nginx) != old
        assert (await nginx.report(web.key)).targets["a"].in_flight == 1
        assert (await fetch(http, url(web))).body == "a"
        one.gate.set()
        assert (await held).body == "a"
        await until(lambda: not old.running)


async def test_what_nginx_refuses_is_said_in_its_words(nginx: NginxBalancer, http: aiohttp.ClientSession) -> None:
    """A configuration it does not take leaves the one before."""
    web = service()
    bad = service("bad", idle_timeout=-1.0)
    async with Backend("a") as one:
        await nginx.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        with pytest.raises(PlatformError, match=r"nginx refused: .*proxy_read_timeout"):
            await nginx.apply(bad, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        assert (await fetch(http, url(web))).body == "a"
        assert (await fetch(http, url(bad))).status == 0


async def test_without_nginx_the_message_says_what_to_do(tmp_path: Path) -> None:
    """Install it, or use Envoy."""
    script = tmp_path / "old"
    script.write_text("#!/bin/sh\necho 'nginx version: nginx/1.14.2' >&2\n")
    script.chmod(0o755)
    balancer = NginxBalancer(tmp_path / "nginx", TokenFence(), binary=script)
    with pytest.raises(PlatformError, match=r"1\.18 or later is needed, here is: nginx version: nginx/1\.14"):
        await balancer.ensure()


async def test_shutdown_leaves_no_process(tmp_path: Path) -> None:
    """Neither master nor workers, nor a port that is open."""
    balancer = NginxBalancer(tmp_path / "nginx", TokenFence())
    web = service(listener=Listener(host="127.0.0.1", http=free_port()))
    try:
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            # It answers as soon as its first worker is there.
            workers = await until(
                lambda: len(found := balancer._process.workers) == len(os.sched_getaffinity(0)) and found
            )
            everyone = [master(balancer), *map(KnownProcess.of, workers)]
    finally:
        await balancer.shutdown()
        await balancer.close()
    assert not [known for known in everyone if known.running]


async def test_a_part_of_a_page_that_a_release_lacks_is_the_other_ones(
    nginx: NginxBalancer, http: aiohttp.ClientSession
) -> None:
    """Told by the browser or by the path's ending; never from a preview, nor for one; pages are whose they are."""
    web = service()
    async with Backend("a") as old, Backend("b") as new:
        new.lacks = {"/app.1.js": "404", "/chunk": "404", "/about": "404", "/gone.css": "404", "/x.js": "page"}
        old.lacks = {"/gone.css": "404", "/only-new.js": "404"}
        addresses = {"a": old.address, "b": new.address}
        await nginx.apply(web, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1)
        for path, headers, status, body in (
            ("/app.1.js", {}, 200, "a"),
            ("/app.1.js?v=1", {}, 200, "a"),
            ("/chunk", {"sec-fetch-dest": "script"}, 200, "a"),
            ("/chunk", {"sec-fetch-dest": "document"}, 404, "page of b"),
            ("/about", {}, 404, "page of b"),
            ("/only-new.js", {}, 200, "b"),
            ("/gone.css", {}, 404, "page of a"),
            ("/x.js", {}, 200, "page of b"),  # nothing says that it is none
        ):
            answer = await fetch(http, url(web, path), headers=headers)
            assert (path, answer.status, answer.body) == (path, status, body)
        assert (await fetch(http, url(web, "/app.1.js"), "POST")).status == 404
        await nginx.catch_up()
        traffic = (await nginx.report(web.key)).traffic
        assert (traffic.total.requests, traffic.total.errors, traffic.total.retried) == (9, 0, 4)
        old.kill()
        assert (await fetch(http, url(web, "/app.1.js"))).status == 404, "who is dead lacks it, too"


async def test_a_part_of_a_page_is_never_from_a_preview_nor_for_one(
    nginx: NginxBalancer, http: aiohttp.ClientSession
) -> None:
    """Nobody has let it have visitors, and whoever looks at it sees it as it is."""
    web = service()
    async with Backend("a") as old, Backend("b") as new:
        old.lacks, new.lacks = {"/next.js": "404"}, {"/old.js": "404"}
        await nginx.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), {"a": old.address, "b": new.address}, 1)
        assert (await fetch(http, url(web, "/next.js"))).status == 404
        assert new.seen == []
        _, headers = await nginx.preview(web, 2)
        assert (await fetch(http, url(web, "/old.js"), headers=dict(headers))).status == 404
        assert (await fetch(http, url(web, "/next.js"), headers=dict(headers))).body == "b"


async def test_no_connection_is_kept_for_a_preview(nginx: NginxBalancer, http: aiohttp.ClientSession) -> None:
    """It would count as a request in flight for as long as it is kept, though nobody asks anything."""
    web = service()
    async with Backend("a") as one:
        await nginx.apply(web, routing({1: 100}, {1: "a"}, preview=1), {"a": one.address}, 1)
        _, headers = await nginx.preview(web, 1)
        assert "connection: close" in (await fetch(http, url(web, "/headers"), headers=dict(headers))).body.lower()
        assert "connection: close" not in (await fetch(http, url(web, "/headers"))).body.lower()
