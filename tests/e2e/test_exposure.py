"""How a service is exposed, by each balancer: rules, headers, previews, stickiness, streams and HTTPS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import Answer, fetch, kit, routing, service
from tests.support.backend import Backend
from tests.support.certificate import certificate
from tests.support.ports import free_port
from tests.support.wire import EVENTS, WEBSOCKET, stream

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Inside, Listener, Preview, Rule, Service, Sticky, Tls
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.platforms.local.balancers import visitors
from crossfade.platforms.local.balancers.nginx import NginxBalancer


@pytest.fixture(params=["envoy", *(pytest.param(name, marks=pytest.mark.long) for name in ("haproxy", "nginx"))])
async def balancer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LoadBalancer]:
    async with kit(request.param, tmp_path / "balancer") as made:
        yield made.balancer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


def url(service: Service, path: str = "/") -> str:
    return f"http://127.0.0.1:{service.listener.http}{path}"


def nobodys(rules: int, port: int | None) -> tuple[Service, Routing, dict[str, str], int]:
    """A service of so many rules that has no instances, on a port of others; on its own without any."""
    routes = tuple(Rule(path=f"/o{number}/*") for number in range(rules)) or (Rule(),)
    return service("others", app="others", port=port if rules else None, routes=routes), Routing(), {}, 1


class TestHealth:
    """The balancer's own check of an instance."""

    @pytest.mark.parametrize("said", ["www.example.com", "x-probe: a \"b\" 'c' 100%"])
    async def test_it_asks_and_judges_as_ours_does(self, balancer: LoadBalancer, said: str) -> None:
        """With the Host and the headers of the file, and by words of the answer, which is what was asked."""
        check = HealthCheck(
            path="/headers",
            interval=0.2,
            timeout=1.0,
            host="www.example.com",
            headers=(("x-probe", "a \"b\" 'c' 100%"),),
            body=said,
        )
        async with Backend("a") as one:
            await balancer.apply(service(health=check), routing({1: 100}, {1: "a"}), {"a": one.address}, 1)

    async def test_an_answer_without_the_words_is_no_good_one(self, balancer: LoadBalancer) -> None:
        """It would be sent traffic that our own probe keeps from it."""
        if isinstance(balancer, NginxBalancer):
            pytest.skip("nginx asks nothing")
        check = HealthCheck(path="/health", interval=0.2, timeout=0.2, body="something else")
        async with Backend("a") as one:
            with pytest.raises(PlatformError, match="own check of a does not pass"):
                await balancer.apply(service(health=check), routing({1: 100}, {1: "a"}), {"a": one.address}, 1)


class TestStreams:
    """WebSocket and SSE connections."""

    async def test_streams_pass_unbuffered_and_are_seen(self, balancer: LoadBalancer) -> None:
        """An event arrives when it is sent, a WebSocket echoes, and both are what the instance holds."""
        web = service()
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            events, events_writer = await stream(web, EVENTS)
            async with asyncio.timeout(1):
                for _ in range(3):
                    await events.readuntil(b"data: a\n\n")
            socket, socket_writer = await stream(web, WEBSOCKET)
            assert b"101" in await socket.readuntil(b"\r\n\r\n")
            socket_writer.write(b"\x81\x02hi")
            assert await socket.readexactly(4) == b"\x81\x02hi"
            assert await _held(balancer, web, "a") == 2
            events_writer.close()
            socket_writer.close()
            await until(lambda: _idle(balancer, web, "a"))

    async def test_a_draining_instance_keeps_its_streams_and_gets_no_new_ones(self, balancer: LoadBalancer) -> None:
        """They stay open and counted until one side ends them."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            old, old_writer = await stream(web, EVENTS)
            await old.readuntil(b"data: a")
            await balancer.apply(web, routing({1: 100}, {1: "a b"}, draining="a"), addresses, 1)
            new, new_writer = await stream(web, EVENTS)
            await new.readuntil(b"data: b")
            assert await old.readuntil(b"data: a")
            assert await _held(balancer, web, "a") == 1
            assert await _held(balancer, web, "b") == 1
            old_writer.close()
            await until(lambda: _idle(balancer, web, "a"))
            new_writer.close()

    async def test_streams_end_with_their_instance_and_are_no_failure(self, balancer: LoadBalancer) -> None:
        """When an instance is stopped its clients learn it at once, and may come back to another."""
        web = service()
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            reader, writer = await stream(web, WEBSOCKET)
            await reader.readuntil(b"\r\n\r\n")
            one.kill()
            async with asyncio.timeout(2):
                assert await reader.read() == b""
            writer.close()
            await asyncio.sleep(0.2)
            assert (await balancer.report(web.key)).traffic.failed == ()


async def _held(balancer: LoadBalancer, service: Service, instance: str) -> int:
    """What an instance holds, told apart or not."""
    target = (await balancer.report(service.key)).targets[instance]
    return target.in_flight + target.streams


async def _idle(balancer: LoadBalancer, service: Service, instance: str) -> bool:
    return await _held(balancer, service, instance) == 0


async def _status(http: aiohttp.ClientSession, url: str, status: int) -> bool:
    return (await fetch(http, url)).status == status


class TestRules:
    """Which service answers which request."""

    @pytest.mark.parametrize("others", [0, 50])
    async def test_apps_share_a_port_by_path_and_host(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession, others: int
    ) -> None:
        """The more specific rule wins, whichever app came first; `/api/*` is /api and all below, and not /apix.

        However many rules there are: of many Envoy is told otherwise.
        """
        port = free_port()
        await balancer.apply(*nobodys(others, port))
        site = service("site", app="site", port=port)
        api = service("api", app="api", port=port, routes=(Rule(path="/api/*"), Rule(host="api.example.com")))
        exact = service("exact", app="exact", port=port, routes=(Rule(path="/api/ping"),))
        wild = service("wild", app="wild", port=port, routes=(Rule(host="*.example.com", path="/w/*"),))
        async with Backend("a") as one, Backend("b") as two, Backend("c") as three, Backend("d") as four:
            for made, backend in ((site, one), (api, two), (exact, three), (wild, four)):
                await balancer.apply(made, routing({1: 100}, {1: "i"}), {"i": backend.address}, 1)
            for host, path, name in (
                ("x", "/", "a"),
                ("x", "/api", "b"),
                ("x", "/api/x?y=1", "b"),
                ("x", "/apix", "a"),
                ("x", "/api?y=/apix", "b"),
                ("x", "/api/ping?y", "c"),
                ("x", "/api/ping/", "b"),
                ("x", "/api/pings", "b"),
                ("x", "/o7x", "a"),
                ("x", "/api/ping", "c"),
                ("api.example.com", "/api/ping", "b"),
                ("API.example.com:8080", "/", "b"),
                ("api.example.com", "/w/1", "b"),
                ("www.example.com", "/w/1", "d"),
                ("www.example.com", "/w", "d"),
                ("www.example.com", "/", "a"),
                ("www.example.com", "/api/z", "b"),
            ):
                answer = await fetch(http, f"http://127.0.0.1:{port}{path}", headers={"host": host})
                assert (host, path, answer.body) == (host, path, name)
            await balancer.remove(site.key, 1)
            # A kept connection may get one more answer by the rules of before, from the worker that it belongs to.
            await until(lambda: _status(http, f"http://127.0.0.1:{port}/", 404))
            assert (await fetch(http, f"http://127.0.0.1:{port}/api")).body == "b"

    async def test_a_port_cannot_be_opened_at_two_addresses(self, balancer: LoadBalancer) -> None:
        """The second app is told who opened it where."""
        one = service()
        two = service("two", listener=Listener(host="0.0.0.0", http=one.listener.http), routes=(Rule(path="/2/*"),))
        async with Backend("a") as backend:
            await balancer.apply(one, routing({1: 100}, {1: "a"}), {"a": backend.address}, 1)
            with pytest.raises(PlatformError, match=r"opened at 0\.0\.0\.0 by shop/two and at 127\.0\.0\.1 by"):
                await balancer.apply(two, routing({1: 100}, {1: "a"}), {"a": backend.address}, 1)

    async def test_a_preview_port_leads_to_the_preview_only(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Without a release in preview it says so."""
        web = service(preview=Preview(port=free_port()))
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            base, headers = await balancer.preview(web, 2)
            assert (base, headers) == (f"http://127.0.0.1:{web.preview.port}", {})
            assert (await fetch(http, f"{base}/any")).body == "b"
            await balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}), addresses, 1)
            answer = await fetch(http, base)
            assert answer == Answer(503, "No release of shop/web is in preview.\n")

    @pytest.mark.parametrize("others", [0, 50])
    async def test_a_preview_reaches_every_path_whatever_the_rules(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession, others: int
    ) -> None:
        """A probe of /health works for a service that clients reach under /api only; the bare secret keeps to that."""
        web = service(routes=(Rule(host="api.example.com", path="/api/*"),))
        await balancer.apply(*nobodys(others, web.listener.http))
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            base, headers = await balancer.preview(web, 2)
            assert (await fetch(http, f"{base}/other", headers=headers)).body == "b"
            bare = {"X-Crossfade-Preview": headers["X-Crossfade-Preview"].partition(":")[2]}
            assert (await fetch(http, f"{base}/other", headers=bare)).status == 404
            asked = {"host": "api.example.com", **bare}
            assert (await fetch(http, f"{base}/api/x", headers=asked)).body == "b"

    async def test_headers_arrive_as_they_were_sent(self, balancer: LoadBalancer, http: aiohttp.ClientSession) -> None:
        """The app learns who asked, its own headers come back, and nothing of Envoy's is added."""
        web = service()
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            sent = {"x-request-id": "mine", "x-forwarded-for": "203.0.113.9"}
            async with http.get(url(web, "/headers"), headers=sent) as answer:
                seen = (await answer.text()).lower()
                assert answer.headers["server"] == "tiny"
                assert not [name for name in answer.headers if name.lower().startswith("x-envoy")]
            assert "x-request-id: mine" in seen
            assert "x-forwarded-for: 127.0.0.1\r\n" in seen
            assert "x-forwarded-proto: http\r\n" in seen
            assert f"host: 127.0.0.1:{web.listener.http}" in seen
            assert "x-envoy" not in seen


class TestSticky:
    """A client keeps its instance."""

    async def test_a_client_keeps_its_instance_by_our_cookie_or_the_apps(self, balancer: LoadBalancer) -> None:
        """Browsers get a cookie of ours; who only has the app's stays by that."""
        web = service(sticky=Sticky(cookie="sessionid", ttl=300))
        async with Backend("a") as one, Backend("b") as two, Backend("c") as three:
            addresses = {"a": one.address, "b": two.address, "c": three.address}
            await balancer.apply(web, routing({1: 100}, {1: "a b c"}), addresses, 1)
            firsts = set()
            for _ in range(12):
                jar = aiohttp.CookieJar(unsafe=True)
                async with aiohttp.ClientSession(cookie_jar=jar) as browser:
                    names = {(await fetch(browser, url(web))).body for _ in range(5)}
                    assert len(names) == 1
                    assert [cookie.key for cookie in jar] == ["crossfade-sessionid"]
                    firsts |= names
            assert len(firsts) > 1
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as script:
                for user in ("anna", "bert"):
                    headers = {"cookie": f"sessionid={user}"}
                    assert len({(await fetch(script, url(web), headers=headers)).body for _ in range(8)}) == 1

    async def test_our_cookie_has_the_name_that_was_asked_for(self, balancer: LoadBalancer) -> None:
        """Also one and the same for both, as a proxy names it whose app sets none."""
        web = service(sticky=Sticky(cookie="stay", own="stay", ttl=300))
        async with Backend("a") as one, Backend("b") as two:
            await balancer.apply(web, routing({1: 100}, {1: "a b"}), {"a": one.address, "b": two.address}, 1)
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as browser:
                assert len({(await fetch(browser, url(web))).body for _ in range(8)}) == 1
            assert [cookie.key for cookie in jar] == ["stay"]

    async def test_a_client_that_saw_the_new_release_keeps_it_while_its_share_grows(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession
    ) -> None:
        """From 10 to 50 to 100 %, nobody goes back."""
        web = service(sticky=Sticky(cookie="id", ttl=300))
        users = [f"id=user{number}" for number in range(120)]
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            new: set[str] = set()
            for share, at_least in ((10, 1), (50, 30), (100, 120)):
                weights = {1: 100 - share, 2: share}
                await balancer.apply(web, routing(weights, {1: "a", 2: "b"}), addresses, 1)
                now = {u for u in users if (await fetch(http, url(web), headers={"cookie": u})).body == "b"}
                assert new <= now
                assert len(now) >= at_least
                new = now


class TestMoved:
    """A host is sent on to another one."""

    async def test_a_host_is_sent_on_with_path_and_method(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession
    ) -> None:
        """By 301 or 308, to the port it came by; other hosts are answered, and a rule of a service comes first."""
        port = free_port()
        redirects = (("www.example.com", "example.com"), ("api.example.com", "example.com"))
        listener = Listener(host="127.0.0.1", http=port, redirects=redirects)
        web = service(listener=listener, routes=(Rule(), Rule(host="api.example.com", path="/v1/*")))
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            for method, status in (("GET", 301), ("HEAD", 301), ("POST", 308)):
                where = url(web, "/a%20b?c=d%26e")
                async with http.request(
                    method, where, headers={"host": f"WWW.example.com:{port}"}, allow_redirects=False
                ) as answer:
                    assert answer.status == status
                    assert answer.headers["location"] == f"http://example.com:{port}/a%20b?c=d%26e"
            for host in ("example.com", "api.example.com"):
                assert (await fetch(http, url(web, "/v1/x"), headers={"host": host})).body == "a"
            assert one.seen == ["/v1/x", "/v1/x"]
            assert (await balancer.report(web.key)).traffic.failed == ()

    async def test_behind_a_proxy_it_is_sent_on_as_the_browser_came(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession
    ) -> None:
        """By HTTPS if it came so to the proxy, whose port is not ours."""
        redirects = (("www.example.com", "example.com"),)
        trusted = Listener(host="127.0.0.1", http=free_port(), trusted_proxies=("127.0.0.0/8",), redirects=redirects)
        web = service(listener=trusted)
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            for scheme in ("https", "http"):
                said = {"host": "www.example.com", "x-forwarded-proto": scheme}
                async with http.get(url(web, "/x"), headers=said, allow_redirects=False) as answer:
                    assert (answer.status, answer.headers["location"]) == (301, f"{scheme}://example.com/x")


async def test_parts_of_an_app_find_a_service_at_a_door_of_their_own(
    balancer: LoadBalancer, http: aiohttp.ClientSession
) -> None:
    """Whatever its routes are, told apart by name where two share the door, and through a switch."""
    door = Inside(host="127.77.0.3", port=free_port(), clients=("127.0.0.0/8",))
    api = service("api", routes=(Rule(path="/api/*"),), inside=(door,))
    web = service("web", listener=api.listener, inside=(door,))
    there = f"http://{door.host}:{door.port}/any/path"
    async with Backend("a") as one, Backend("b") as two, Backend("c") as three:
        await balancer.apply(api, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        assert (await fetch(http, there)).body == "a"
        await balancer.apply(web, routing({1: 100}, {1: "c"}), {"c": three.address}, 1)
        for name, body in (("api", "a"), ("web", "c"), (f"api:{door.port}", "a")):
            assert (await fetch(http, there, headers={"host": name})).body == body
        addresses = {"a": one.address, "b": two.address}
        await balancer.apply(api, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1)
        await until(lambda: _is_said(http, there, "api", "b"), 60)
        said = {"host": "web", "x-forwarded-for": "203.0.113.9"}
        assert "203.0.113.9" in (await fetch(http, f"http://{door.host}:{door.port}/headers", headers=said)).body


async def _is_said(http: aiohttp.ClientSession, url: str, host: str, body: str) -> bool:
    return (await fetch(http, url, headers={"host": host})).body == body


class TestReleases:
    """A visitor stays with a release."""

    WEB = Sticky(cookie="id", ttl=300, release=True)

    async def test_a_visitor_stays_with_a_release_while_it_is_reached(self, balancer: LoadBalancer) -> None:
        """Through a canary and past the switch; who is new gets the shares, and who is left behind is new again."""
        web = service("web", sticky=self.WEB)
        async with Backend("a") as one, Backend("b") as two:
            addresses, both = {"a": one.address, "b": two.address}, {1: "a", 2: "b"}
            await balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            async with browser() as anna, browser() as bert:
                assert await asks(anna, web, 3) == {"a"}
                assert f"{visitors.cookie(web)}=1" in cookies(anna)
                await balancer.apply(web, routing({1: 50, 2: 50}, both), addresses, 1)
                assert await asks(anna, web, 10) == {"a"}
                await until(lambda: _meets(bert, web, "b"), 60)
                assert await asks(bert, web, 10) == {"b"}
                await balancer.apply(web, routing({2: 100}, both, pinned=(1,)), addresses, 1)
                assert await asks(anna, web, 10) == {"a"}
                async with browser() as carl:
                    assert await asks(carl, web, 5) == {"b"}
                await balancer.apply(web, routing({2: 100}, both, draining="a"), addresses, 1)
                await until(lambda: _is_answered(anna, web, "b"), 60)
                assert f"{visitors.cookie(web)}=2" in cookies(anna)
                await balancer.apply(web, routing({1: 100}, both), addresses, 1)
                await until(lambda: _is_answered(bert, web, "a"), 60)

    async def test_a_cookie_leads_nobody_to_a_release_that_has_no_visitors(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Not to one in preview, to one that was taken back, or into anything that a cookie may say."""
        web = service("web", sticky=self.WEB)
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            for value in ("2", "1 2", "", "2;x=1", "x" * 2000, "@shop/web#0", "%00", "1\\"):
                said = f"{visitors.cookie(web)}={value}"
                assert (await fetch(http, url(web), headers={"cookie": said})).body == "a", value
            base, headers = await balancer.preview(web, 2)
            async with http.get(base, headers=headers) as answer:
                assert await answer.text() == "b"
                assert "crossfade-release" not in str(answer.headers)

    async def test_two_services_of_a_visitor_keep_their_releases_apart(self, balancer: LoadBalancer) -> None:
        """Each has a cookie of its own, on one host."""
        port = free_port()
        web, api = (service(name, port=port, sticky=self.WEB) for name in ("web", "api"))
        api = replace(api, routes=(Rule(path="/api/*"),))
        async with Backend("a") as one, Backend("b") as two, Backend("c") as three:
            addresses = {"a": one.address, "b": two.address, "c": three.address}
            await balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            await balancer.apply(api, routing({3: 100}, {3: "b"}), addresses, 1)
            async with browser() as anna:
                assert await asks(anna, web, 2) == {"a"}
                assert await asks(anna, web, 2, "/api/x") == {"b"}
                await balancer.apply(api, routing({4: 100}, {3: "b", 4: "c"}, pinned=(3,)), addresses, 1)
                assert await asks(anna, web, 4, "/api/x") == {"b"}
                assert await asks(anna, web, 2) == {"a"}


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


def cookies(browser: aiohttp.ClientSession) -> set[str]:
    return {f"{cookie.key}={cookie.value}" for cookie in browser.cookie_jar}


async def asks(browser: aiohttp.ClientSession, service: Service, times: int, path: str = "/") -> set[str]:
    return {(await fetch(browser, url(service, path))).body for _ in range(times)}


async def _is_answered(browser: aiohttp.ClientSession, service: Service, name: str) -> bool:
    return (await fetch(browser, url(service))).body == name


async def _meets(browser: aiohttp.ClientSession, service: Service, name: str) -> bool:
    """Be new again until this one answers."""
    browser.cookie_jar.clear()
    return await _is_answered(browser, service, name)


@pytest.fixture
async def visitor(balancer: LoadBalancer) -> AsyncIterator[aiohttp.ClientSession]:
    """On new connections where a kept one may be closed just when it is asked on: what a reload of nginx costs."""
    connector = aiohttp.TCPConnector(limit=0, force_close=isinstance(balancer, NginxBalancer))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@asynccontextmanager
async def asking_all_the_while(http: aiohttp.ClientSession, url: str) -> AsyncIterator[set[str]]:
    """What was answered, or the status of what was no answer. Fails when one request had none."""
    seen: set[str] = set()

    async def keep_asking() -> None:
        while True:
            answer = await fetch(http, url)
            seen.add(answer.body if answer.status == 200 else str(answer.status))

    asking = asyncio.create_task(keep_asking())
    try:
        yield seen
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


async def test_a_service_takes_anothers_place_without_a_gap(
    balancer: LoadBalancer, visitor: aiohttp.ClientSession
) -> None:
    """Its routes are the new one's in the moment it serves, and the old one's again when it does not any more."""
    listener = Listener(host="127.0.0.1", http=free_port())
    old, new = service("web", listener=listener), service("site", listener=listener, was="web")
    async with Backend("old") as one, Backend("new") as two:
        await balancer.apply(old, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        async with asking_all_the_while(visitor, url(old)) as seen:
            for weights, answer in (({}, "old"), ({1: 100}, "new"), ({}, "old"), ({1: 100}, "new")):
                await balancer.apply(new, routing(weights, {1: "b"}), {"b": two.address}, 1)
                assert (await fetch(visitor, url(old))).body == answer
            await balancer.remove(old.key, 1)
            assert (await fetch(visitor, url(old))).body == "new"
    assert seen <= {"old", "new"}


async def test_a_route_goes_from_one_service_to_another_without_a_gap(
    balancer: LoadBalancer, visitor: aiohttp.ClientSession
) -> None:
    """The taker has it from its switch on, though the giver still asks, and gives it back with its old release."""
    listener, api = Listener(host="127.0.0.1", http=free_port()), Rule(path="/api/*")
    web = service("web", listener=listener, routes=(Rule(path="/"), api))
    site = service("site", listener=listener, routes=(Rule(path="/docs/*"),))
    taking = replace(site, routes=(*site.routes, api), takes=((web.key, 1.0),))
    async with Backend("web") as one, Backend("site") as two, Backend("new") as three:
        addresses = {"b": two.address, "c": three.address}
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        await balancer.apply(site, routing({1: 100}, {1: "b"}), addresses, 1)
        async with asking_all_the_while(visitor, url(web, "/api/x")) as seen:
            for given, release, answer in ((taking, 2, "new"), (site, 1, "web"), (taking, 2, "new")):
                await balancer.apply(given, routing({release: 100}, {1: "b", 2: "c"}), addresses, 1)
                assert (await fetch(visitor, url(web, "/api/x"))).body == answer
            without = replace(web, routes=(Rule(path="/"),))
            await balancer.apply(without, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            answers = [(await fetch(visitor, url(web, path))).body for path in ("/", "/api/x", "/docs/x")]
            assert answers == ["web", "new", "new"]
    assert seen <= {"web", "new"}


async def test_a_health_that_takes_its_time_is_good(balancer: LoadBalancer, http: aiohttp.ClientSession) -> None:
    """Longer than a balancer's own check needs to begin, and within its timeout."""
    web = service(health=HealthCheck(path="/health", interval=1.0, timeout=3.0))
    async with Backend("a") as one:
        one.health_takes = 0.8
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        assert (await fetch(http, url(web))).body == "a"


async def common_name(port: int, server_name: str = "localhost") -> tuple[bytes, str | None, str | None]:
    """The certificate a client is shown, the TLS version and the protocol agreed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=server_name)
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    found = tls.getpeercert(binary_form=True) or b"", tls.version(), tls.selected_alpn_protocol()
    writer.close()
    return found


class TestTls:
    """HTTPS with the user's own certificates."""

    async def test_https_with_redirect_and_a_renewal_without_restart(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """HTTP is sent on with 301, HTTPS answers with HTTP/2 on offer, and a renewed certificate is shown soon."""
        tls = certificate(tmp_path, "localhost")
        plain, secure = free_port(), free_port()
        web = service(listener=Listener(host="127.0.0.1", http=plain, https=secure, tls=tls))
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            async with http.get(f"http://127.0.0.1:{plain}/x?y=1", allow_redirects=False) as answer:
                assert answer.status == 301
                assert answer.headers["location"] == f"https://127.0.0.1:{secure}/x?y=1"
            async with http.get(f"https://127.0.0.1:{secure}/headers", ssl=False) as answer:
                assert "x-forwarded-proto: https" in (await answer.text()).lower()
            base, headers = await balancer.preview(web, 2)
            assert (await fetch(http, base, headers=headers)).body == "b"
            before, version, protocol = await common_name(secure)
            assert (version, protocol) == ("TLSv1.3", "h2")
            certificate(tmp_path, "localhost")
            await balancer.ensure()
            assert (await common_name(secure))[0] != before
            (tmp_path / "key.pem").write_text("not a key")
            await balancer.ensure()  # somebody is just copying: no error, the good one stays
            assert (await fetch(http, f"http://127.0.0.1:{plain}/")).status == 301

    async def test_a_certificate_renewed_behind_a_link_is_shown_soon(
        self, balancer: LoadBalancer, tmp_path: Path
    ) -> None:
        """As certbot does it: the names stay, and lead to other files."""
        live = tmp_path / "live"
        live.mkdir()
        port = free_port()
        tls = Tls(certificate=str(live / "cert.pem"), key=str(live / "key.pem"))
        web = service(listener=Listener(host="127.0.0.1", http=None, https=port, tls=tls))
        shown = []
        async with Backend("a") as one:
            for turn in ("1", "2"):
                (tmp_path / turn).mkdir()
                certificate(tmp_path / turn, "localhost")
                for name in ("cert.pem", "key.pem"):
                    (live / name).unlink(missing_ok=True)
                    (live / name).symlink_to(tmp_path / turn / name)
                if turn == "1":
                    await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
                await balancer.ensure()
                shown.append((await common_name(port))[0])
        assert [ssl.DER_cert_to_PEM_cert(der).split() for der in shown] == [
            (tmp_path / turn / "cert.pem").read_text().split() for turn in ("1", "2")
        ]

    async def test_apps_share_the_https_port_each_with_its_certificate(
        self, balancer: LoadBalancer, tmp_path: Path
    ) -> None:
        """A client is shown the certificate of the name it asks for."""
        port = free_port()
        async with Backend("a") as one:
            for name in ("one.example.com", "two.example.com"):
                folder = tmp_path / name
                folder.mkdir()
                tls = certificate(folder, name)
                web = service(
                    name[:3],
                    listener=Listener(host="127.0.0.1", http=None, https=port, tls=tls),
                    routes=(Rule(host=name),),
                )
                await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            shown = {name: (await common_name(port, name))[0] for name in ("one.example.com", "two.example.com")}
            for name, der in shown.items():
                assert ssl.DER_cert_to_PEM_cert(der).split() == (tmp_path / name / "cert.pem").read_text().split()

    async def test_a_certificate_that_cannot_be_read_is_its_own_hosts_trouble(
        self, balancer: LoadBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """The balancer starts without it: others have HTTPS, its own host has HTTP as before."""
        port, plain = free_port(), free_port()
        async with Backend("a") as one:
            for name, http_port in (("one.example.com", plain), ("two.example.com", None)):
                (tmp_path / name).mkdir()
                listener = Listener(
                    host="127.0.0.1", http=http_port, https=port, tls=certificate(tmp_path / name, name)
                )
                web = service(name[:3], listener=listener, routes=(Rule(host=name),))
                await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            assert list(balancer.complaints()) == []
            await balancer.shutdown()
            (tmp_path / "one.example.com" / "key.pem").unlink()
            second = type(balancer)(balancer._directory, TokenFence())  # type: ignore[call-arg, attr-defined]
            await second.ensure()
            (said,) = second.complaints()
            assert "shop/one" in said
            assert "key.pem: No such file" in said
            two = (tmp_path / "two.example.com" / "cert.pem").read_text().split()
            shown = (await common_name(port, "two.example.com"))[0]
            assert ssl.DER_cert_to_PEM_cert(shown).split() == two
            async with http.get(
                f"http://127.0.0.1:{plain}/", headers={"host": "one.example.com"}, allow_redirects=False
            ) as answer:
                assert answer.status == 301  # no word of it goes over plain HTTP
            await second.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 2)  # others can be changed
            certificate(tmp_path / "one.example.com", "one.example.com")
            await second.ensure()
            assert list(second.complaints()) == []
            shown = (await common_name(port, "one.example.com"))[0]
            mended = (tmp_path / "one.example.com" / "cert.pem").read_text().split()
            assert ssl.DER_cert_to_PEM_cert(shown).split() == mended
            await second.shutdown()
            await second.close()

    async def test_a_pair_that_does_not_fit_is_refused(self, balancer: LoadBalancer, tmp_path: Path) -> None:
        """The message names the files; nothing is changed."""
        tls = certificate(tmp_path, "localhost")
        (tmp_path / "cert.pem").write_text("no certificate")
        web = service(listener=Listener(host="127.0.0.1", http=None, https=free_port(), tls=tls))
        async with Backend("a") as one:
            with pytest.raises(WrongInputError, match=r"cert\.pem"):
                await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
