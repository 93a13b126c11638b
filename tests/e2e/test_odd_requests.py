"""Requests that two programs may read in two ways: each balancer refuses them, or tells the app what it read itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.balancer_kits import kit, routing, service
from tests.support.backend import Backend
from tests.support.stranger import say, seen_by_app

from crossfade.core.service import Rule
from crossfade.engine.ports.balancer import LoadBalancer


@pytest.fixture(params=["envoy", *(pytest.param(name, marks=pytest.mark.long) for name in ("haproxy", "nginx"))])
async def balancer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LoadBalancer]:
    async with kit(request.param, tmp_path / "balancer") as made:
        yield made.balancer


def refused(answer: str) -> bool:
    """Whether it is one of the balancer's own that says so."""
    return answer.startswith(("HTTP/1.1 400 ", "HTTP/1.1 403 ", "HTTP/1.1 404 ", "HTTP/1.1 405 "))


class TestHosts:
    """Which name a request is for is one thing to the rules and to the app."""

    async def test_two_are_refused(self, balancer: LoadBalancer) -> None:
        """A cache in front keeps the answer for one of them, the app makes its links of the other."""
        site = service("site", app="site")
        rules = (Rule(host="shop.example"), Rule(host="*.shop.example"))
        shop = service("shop", app="shop", port=site.listener.http, routes=rules)
        async with Backend("site") as one, Backend("shop") as two:
            await balancer.apply(site, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await balancer.apply(shop, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            for hosts in (
                ("shop.example", "evil.example"),
                ("evil.example", "shop.example"),
                ("shop.example:80", "evil.example"),
                ("evil.example", "x.shop.example"),
                ("shop.example,evil.example",),
            ):
                for version in ("1.1", "1.0"):
                    lines = "\n".join((f"GET / HTTP/{version}", *(f"host: {host}" for host in hosts)))
                    answer = await say(site.listener.http, lines)
                    assert " 400 " in answer.partition("\r\n")[0], (hosts, answer)
            assert one.seen == two.seen == []

    async def test_what_is_refused_is_so_among_many_rules(self, balancer: LoadBalancer) -> None:
        """Where Envoy has a tree of them, too; what only looks like it is answered."""
        web = service("web", routes=tuple(Rule(path=f"/{number}/*") for number in range(40)))
        async with Backend("web") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            for host in ("x,y", "x:@evil.example"):
                assert (await say(web.listener.http, f"GET /7/ HTTP/1.1\nhost: {host}")).startswith("HTTP/1.1 400 ")
            for path in ("/7/%2e%2e;/8/", "/7/..;x/", "/7/.;/"):
                answer = await say(web.listener.http, f"GET {path} HTTP/1.1\nhost: x")
                assert refused(answer) or app.seen[-1] in {"/7/", "/8/"}, (path, answer)
            for path in ("/7/", "/7/a.;b", "/7/?x=/..;"):
                assert (await say(web.listener.http, f"GET {path} HTTP/1.1\nhost: x")).endswith("\r\n\r\nweb"), path

    async def test_a_whole_url_is_asked_of_the_name_in_it(self, balancer: LoadBalancer) -> None:
        """It comes before the `Host` (RFC 9112, 3.2.2), and the app is told a path and that name; or nobody is."""
        site = service("site", app="site")
        shop = service("shop", app="shop", port=site.listener.http, routes=(Rule(host="shop.example"),))
        async with Backend("site") as one, Backend("shop") as two:
            await balancer.apply(site, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await balancer.apply(shop, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            for url, host in (
                ("http://shop.example", "site.example"),
                ("http://shop.example", "shop.example"),
                ("HTTP://shop.example", "site.example"),
                ("http://shop.example:80", "shop.example"),
                ("http://me@shop.example", "shop.example"),
                ("http://me@shop.example", "site.example"),
                ("https://shop.example", "shop.example"),
                ("ftp://shop.example", "shop.example"),
                ("http://shop.example", ""),
            ):
                said = f"HTTP/1.1\nhost: {host}" if host else "HTTP/1.0"
                answer = await say(site.listener.http, f"GET {url}/headers {said}")
                told = answer.partition("\r\n\r\n")[2].lower().split("\r\n")
                assert refused(answer) or told[0].startswith("get /headers "), (url, host, answer)
                assert refused(answer) or {"host: shop.example", "host: shop.example:80"} & set(told), (
                    url,
                    host,
                    answer,
                )
            assert one.seen == []

    async def test_what_is_no_path_reaches_no_app(self, balancer: LoadBalancer) -> None:
        """No rule has looked at it."""
        web = service()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            for target in ("*", "shop.example:80", "http:///x", "http://evil.example#@x/", "@evil.example/x"):
                for method in ("GET", "OPTIONS", "CONNECT"):
                    answer = await say(web.listener.http, f"{method} {target} HTTP/1.1\nhost: x")
                    assert refused(answer), (method, target, answer)
            assert app.seen == []


class TestPaths:
    """What a path leads to."""

    async def test_one_with_a_fragment_reaches_no_app(self, balancer: LoadBalancer) -> None:
        """Browsers send none, and behind `/x#/../admin` a rule may see `/x` and the app `/admin`."""
        web = service()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            answer = await say(web.listener.http, "GET /x#/../admin HTTP/1.1\nhost: x")
            assert answer.startswith("HTTP/1.1 400 ")
            assert app.seen == []


class TestMessages:
    """Where a request ends, and what it asks of the connection."""

    async def test_no_app_shows_what_only_it_is_told(self, balancer: LoadBalancer) -> None:
        """A TRACE is answered with the request as it came: with our headers, and with a browser's cookies."""
        web = service()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            for more in ("", "\naccept: text/event-stream"):
                assert refused(await say(web.listener.http, f"TRACE / HTTP/1.1\nhost: x{more}"))
            assert app.seen == []

    async def test_what_is_chunked_before_there_were_chunks_is_no_second_request(self, balancer: LoadBalancer) -> None:
        """An app that takes none in HTTP/1.0 would read the body as what comes next on the connection."""
        web = service()
        lines = "POST /headers HTTP/1.0\nhost: x\nconnection: keep-alive\ntransfer-encoding: chunked\n\n0\n"
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            answer = await say(web.listener.http, lines)
        assert "400" in answer.partition("\r\n")[0] or "POST /headers HTTP/1.1\r\n" in answer, answer

    async def test_an_upgrade_that_nobody_offers_is_passed_over(self, balancer: LoadBalancer) -> None:
        """Apache's HttpClient asks for TLS with each request, and wants its answer (RFC 9110, 7.8)."""
        web = service()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            for upgrade in ("TLS/1.2", "h2c", "websocket2", "tcp, TLS/1.0", "w", "HTTP/2.0"):
                seen = await seen_by_app(web, f"upgrade: {upgrade}", "connection: Upgrade")
                assert seen["host"] == "x", upgrade
                assert not {"upgrade", "http2-settings"} & seen.keys(), upgrade
