"""What strangers send, by sockets of their own, to each balancer: spoofed clients, odd paths, guessed previews."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from tests.contract.balancer_kits import kit, routing, service
from tests.support.backend import Backend
from tests.support.certificate import certificate
from tests.support.ports import free_port
from tests.support.stranger import client, say, seen_by_app

from crossfade.core.service import Listener, Rule, Service, Sticky
from crossfade.engine.ports.balancer import LoadBalancer

LOOPBACK = ("127.0.0.0/8", "::1/128")
OTHERS = ("192.0.2.0/24",)


@pytest.fixture(params=["envoy", *(pytest.param(name, marks=pytest.mark.long) for name in ("haproxy", "nginx"))])
async def balancer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LoadBalancer]:
    async with kit(request.param, tmp_path / "balancer") as made:
        yield made.balancer


def made(**listener: object) -> Service:
    return service(listener=Listener(host="127.0.0.1", http=free_port(), **listener))  # type: ignore[arg-type]


CLAIMS = (
    "X-Forwarded-For: 198.51.100.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: bank.example",
    "X-Forwarded-Port: 443",
    "X-Forwarded-Scheme: https",
    "X-Forwarded-Prefix: /admin",
    "X-Original-URL: /admin",
    "X-Rewrite-URL: /admin",
    "X-Original-Host: bank.example",
    "Client-IP: 198.51.100.1",
    "X-Client-IP: 198.51.100.1",
    "X-Cluster-Client-IP: 198.51.100.1",
    "True-Client-IP: 198.51.100.1",
    "CF-Connecting-IP: 198.51.100.1",
    "Fastly-Client-IP: 198.51.100.1",
    "X-Real-IP: 198.51.100.1",
    "Forwarded: for=198.51.100.1;proto=https",
    "Proxy: http://evil.example",
    "X_Forwarded_Proto: https",
    "X_Real_IP: 198.51.100.1",
    "X.Forwarded.Proto: https",
    "x-real.ip: 198.51.100.1",
    "X-Scheme: https",
    "X-Forwarded-Protocol: ssl",
    "X-Forwarded: for=198.51.100.1",
    "Forwarded-For: 198.51.100.1",
    "CF-Connecting-IPv6: 2001:db8::1",
    "Fly-Client-IP: 198.51.100.1",
    "WL-Proxy-Client-IP: 198.51.100.1",
    "X-Azure-ClientIP: 198.51.100.1",
    "X-Original-Forwarded-For: 198.51.100.1",
    "X-Forwarded-User: root",
    "X-Forwarded-Client-Cert: By=spiffe://x;URI=spiffe://admin",
    "X-Forwarded-Access-Token: theirs",
    "Remote-User: root",
    "X-Remote-User: root",
    "X-SSL-Client-Verify: SUCCESS",
)


class TestClients:
    """Who the app takes its client for."""

    async def one(self, balancer: LoadBalancer, stack: AsyncExitStack, web: Service) -> Service:
        app = await stack.enter_async_context(Backend("a"))
        await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
        return web

    @pytest.mark.parametrize("trusted", [(), OTHERS])
    async def test_a_stranger_says_nothing_about_itself(self, balancer: LoadBalancer, trusted: tuple[str, ...]) -> None:
        """Neither by the headers that proxies write nor by what CGI takes for them."""
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(trusted_proxies=trusted))
            seen = await seen_by_app(web, *CLAIMS)
        assert (seen["x-forwarded-for"], seen["x-real-ip"], seen["x-forwarded-proto"]) == (
            "127.0.0.1",
            "127.0.0.1",
            "http",
        )
        ours = {"x-forwarded-for", "x-real-ip", "x-forwarded-proto"}
        assert not {claim.partition(":")[0].lower() for claim in CLAIMS} & seen.keys() - ours
        assert not [name for name in seen if "_" in name or "." in name]

    async def test_a_stranger_has_nothing_taken_out_of_what_is_said_of_it(self, balancer: LoadBalancer) -> None:
        """An app that is a proxy itself would drop each header that the client's `Connection` names."""
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made())
            seen = await seen_by_app(web, "connection: X-Forwarded-Proto, X-Real-IP")
        assert not [said for said in seen.get("connection", "").split(",") if said.strip().lower().startswith("x-")]

    async def test_no_client_gets_a_tunnel_to_the_app(self, balancer: LoadBalancer) -> None:
        """Of upgrades only that to a WebSocket is passed on: in HTTP/2 it would ask for paths that no route lets by."""
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made())
            asked = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAARAAAAAAAIAAAAA")
            seen = await seen_by_app(web, *asked)
            other = await seen_by_app(web, "connection: upgrade", "upgrade: tcp")
            lines = "CONNECT internal.example:80 HTTP/1.1\nhost: internal.example:80"
            answer = await say(web.listener.http, lines)
        assert not {"upgrade", "http2-settings"} & (seen.keys() | other.keys())
        assert answer.split(" ")[1] in {"400", "404", "405"}

    @pytest.mark.parametrize("trusted", [(), OTHERS])
    @pytest.mark.parametrize("written", [str, str.lower, str.upper])
    async def test_each_of_these_headers_is_enough_to_be_looked_into(
        self, balancer: LoadBalancer, written: Callable[[str], str], trusted: tuple[str, ...]
    ) -> None:
        """One alone, between others that are harmless, in whatever letters."""
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(trusted_proxies=trusted))
            for claim in CLAIMS:
                name, _, value = claim.partition(": ")
                seen = await seen_by_app(web, "Accept: */*", f"{written(name)}: {value}", "Priority: u=0")
                assert client(seen) == ("127.0.0.1", "127.0.0.1", "http")
                assert name.lower() not in seen.keys() - {"x-forwarded-for", "x-real-ip", "x-forwarded-proto"}
                assert value not in seen.values()
                assert (seen["accept"], seen["priority"]) == ("*/*", "u=0")

    async def test_a_trusted_proxy_is_believed(self, balancer: LoadBalancer) -> None:
        """Of the addresses it names the last that is no proxy of ours: what is before it came from a stranger."""
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(trusted_proxies=LOOPBACK))
            seen = await seen_by_app(
                web,
                "X-Forwarded-For: 10.6.6.6, 203.0.113.9, 127.0.0.5",
                "X-Forwarded-Proto: https",
                "X-Forwarded-Host: shop.example.com",
                "X-Real-IP: 10.6.6.6",
                "CF-Connecting-IP: 203.0.113.9",
                "Proxy: http://evil.example",
            )
        assert client(seen) == ("203.0.113.9", "203.0.113.9", "https")
        assert (seen["x-forwarded-host"], seen["cf-connecting-ip"]) == ("shop.example.com", "203.0.113.9")
        assert "proxy" not in seen

    async def test_a_trusted_proxy_that_says_nothing_is_the_client(self, balancer: LoadBalancer) -> None:
        """Its own health checks are such requests."""
        async with AsyncExitStack() as stack:
            seen = await seen_by_app(await self.one(balancer, stack, made(trusted_proxies=LOOPBACK)))
        assert (seen["x-forwarded-for"], seen["x-real-ip"], seen["x-forwarded-proto"]) == (
            "127.0.0.1",
            "127.0.0.1",
            "http",
        )

    async def test_the_client_is_whom_the_last_trusted_proxy_saw(self, balancer: LoadBalancer) -> None:
        """However proxies write it: with a port, as Azure's do, in several lines, behind what a stranger said."""
        named = {
            "203.0.113.9:5678": "203.0.113.9",
            "2001:db8::9": "2001:db8::9",
            "[2001:db8::9]:443": "2001:db8::9",
            "10.6.6.6, 203.0.113.9:99, 127.0.0.5:80": "203.0.113.9",
            "203.0.113.9, [::1]:80": "203.0.113.9",
            "203.0.113.9, ::1, 127.0.0.5, 127.0.0.6, ::1": "203.0.113.9",
            "127.0.0.5, 127.0.0.6": "127.0.0.5",
            "10.6.6.6\nX-Forwarded-For: 203.0.113.9": "203.0.113.9",
            "10.6.6.6, 203.0.113.9\nX-Forwarded-For: 127.0.0.5": "203.0.113.9",
            "unknown, 203.0.113.9": "203.0.113.9",
            "203.0.113.9,, 127.0.0.5": "203.0.113.9",
            "203.0.113.9,": "203.0.113.9",
            ", ".join(["10.6.6.6"] * 200 + ["203.0.113.9"]): "203.0.113.9",
            ", ".join(["10.6.6.6"] * 200 + ["203.0.113.9:80", "127.0.0.5:80"]): "203.0.113.9",
            ", ".join(["203.0.113.9", *["127.0.0.5"] * 7]): "203.0.113.9",
            # What is no address was seen by nobody, and neither was what stands before it.
            "10.6.6.6, unknown": "127.0.0.1",
            "10.6.6.6, unknown, 127.0.0.5": "127.0.0.5",
            "10.6.6.6, _hidden:80": "127.0.0.1",
            "10.6.6.6, 203.0.113.9:x": "127.0.0.1",
            "": "127.0.0.1",
        }
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(trusted_proxies=LOOPBACK))
            for said, address in named.items():
                seen = await seen_by_app(web, f"X-Forwarded-For: {said}")
                assert client(seen) == (address, address, "http"), said

    async def test_a_scheme_is_https_or_http_however_a_trusted_proxy_says_it(
        self, balancer: LoadBalancer, tmp_path: Path
    ) -> None:
        """Of several the first is the browser's. None, or a word that nobody knows, sends nobody round for ever."""
        said = {
            "https": "https",
            "HTTPS": "https",
            " https ": "https",
            "https,http": "https",
            "Https, http": "https",
            "https , https": "https",
            "https\nX-Forwarded-Proto: http": "https",
            "wss": "https",
            "http": "http",
            "http, https": "http",
            "http\nX-Forwarded-Proto: https": "http",
            "ws": "http",
            "": "http",
            ",https": "http",
            "gopher": "http",
            "httpsx": "http",
            "on": "http",
        }
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(trusted_proxies=LOOPBACK))
            tls = certificate(tmp_path, "localhost")
            other = service("other", listener=made(https=free_port(), tls=tls, trusted_proxies=LOOPBACK).listener)
            await self.one(balancer, stack, other)
            for words, scheme in said.items():
                seen = await seen_by_app(web, f"X-Forwarded-Proto: {words}")
                assert client(seen) == ("127.0.0.1", "127.0.0.1", scheme), words
                answer = await say(other.listener.http, f"GET / HTTP/1.1\nhost: x\nX-Forwarded-Proto: {words}")
                assert answer.startswith(f"HTTP/1.1 {200 if scheme == 'https' else 301} "), words

    @pytest.mark.parametrize("version", [1, 2])
    async def test_a_connection_may_begin_with_who_it_comes_from(self, balancer: LoadBalancer, version: int) -> None:
        """The client behind a load balancer of bytes, whose headers are still a stranger's."""
        source = b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 80\r\n"
        if version == 2:
            ends = socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1")
            source = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + ends + b"\x12\x67\0\x50"
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(proxy_protocol=True, trusted_proxies=LOOPBACK))
            seen = await seen_by_app(web, *CLAIMS, first=source)
            assert await say(web.listener.http, "GET /headers HTTP/1.1\nhost: x") == "" or version == 1
        assert (seen["x-forwarded-for"], seen["x-real-ip"], seen["x-forwarded-proto"]) == ("203.0.113.9",) * 2 + (
            "http",
        )
        assert "x-forwarded-host" not in seen

    async def test_only_a_trusted_proxy_may_say_who_a_connection_comes_from(self, balancer: LoadBalancer) -> None:
        """Anybody else would be whoever it likes."""
        async with AsyncExitStack() as stack:
            web = await self.one(balancer, stack, made(proxy_protocol=True, trusted_proxies=OTHERS))
            lie = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n"
            assert "200" not in await say(web.listener.http, "GET /headers HTTP/1.1\nhost: x", first=lie)


class TestConnections:
    """What holds one, of which there is a limited number."""

    @pytest.mark.slow
    async def test_a_head_that_never_comes_to_its_end_is_not_waited_for(self, balancer: LoadBalancer) -> None:
        """Nor the first byte of one; and one that comes a byte at a time has no longer."""
        web = made()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            halves = (b"", b"GET / HTTP/1.1\r\nhost: x\r\n", b"G")
            async with asyncio.timeout(60), asyncio.TaskGroup() as all_of_them:
                for sent in halves:
                    all_of_them.create_task(_dribble(web.listener.http, sent))


async def _dribble(port: int | None, sent: bytes) -> None:
    """Go on with a head, a byte a second, until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    over = asyncio.create_task(reader.read())
    while sent and not over.done():
        with suppress(ConnectionError):
            writer.write(b"x")
            await writer.drain()
        await asyncio.wait([over], timeout=1.0)
    with suppress(ConnectionError):
        await over
    writer.close()


class TestPaths:
    """A path means the rule that its app would take it for."""

    async def test_however_it_is_written(self, balancer: LoadBalancer) -> None:
        """Nobody gets past a rule by writing its path in another way."""
        paths = [
            *("/admin/x", "//admin/x", "///admin//x", "/./admin/x", "/a/../admin/x", "/%61dmin/x", "/%61%64min/x"),
            *("/admin%2fx", "/admin%2Fx", "/a/%2e%2e/admin/x", "/a/..%2fadmin/x", "/a/../admin/x?q=/../b"),
            *("/%2fadmin/x", "/%2e/admin/x", "/a/b/..%2f..%2Fadmin/x", "/a/%2E%2e%2fadmin/x", "/admin%2f%2f./x"),
            *("/%61%64%6d%69%6e/%78", "/admin/?x=//", "/admin"),
        ]
        site = service("site", app="site", routes=(Rule(path="/*"),))
        admin = service("admin", app="admin", port=site.listener.http, routes=(Rule(path="/admin/*"),))
        async with Backend("site") as one, Backend("admin") as two:
            await balancer.apply(site, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await balancer.apply(admin, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            answers = {path: await say(site.listener.http, f"GET {path} HTTP/1.1\nhost: x") for path in paths}
            # Nobody's, or what the app is told is not what it could take for /admin.
            for path in ("/../admin/x", "/..%2fadmin/x", "/a//../admin/x"):
                answer = await say(site.listener.http, f"GET {path} HTTP/1.1\nhost: x")
                assert answer.endswith("\r\n\r\nadmin") or "HTTP/1.1 400" in answer or one.seen[-1] == "/a/admin/x"
            twice = await say(site.listener.http, "GET /%2561dmin/x HTTP/1.1\nhost: x")
        assert {path: answer.rpartition("\r\n")[2] for path, answer in answers.items()} == dict.fromkeys(paths, "admin")
        assert twice.endswith("\r\n\r\nsite"), "apps take the escapes out once"

    @pytest.mark.parametrize(
        "path",
        [
            "/a/..;/admin/x",
            "/a/%2e%2e;/admin/x",
            "/%2E;v=1/admin/x",
            "/.;v=1/admin/x",
            "/admin\\x",
            "/a/..\\admin/x",
            "/admin%5Cx",
            "/admin%00/x",
        ],
    )
    async def test_one_that_apps_read_in_two_ways_passes_no_rule(self, balancer: LoadBalancer, path: str) -> None:
        """A servlet takes `/..;x` for `/..`, others a backslash for a slash: the rule's own app has it, or nobody."""
        site = service("site", app="site", routes=(Rule(path="/*"),))
        admin = service("admin", app="admin", port=site.listener.http, routes=(Rule(path="/admin/*"),))
        async with Backend("site") as one, Backend("admin") as two:
            await balancer.apply(site, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await balancer.apply(admin, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            answer = await say(site.listener.http, f"GET {path} HTTP/1.1\nhost: x")
            assert one.seen == []
        assert answer.endswith("\r\n\r\nadmin") or answer.startswith("HTTP/1.1 400"), answer

    @pytest.mark.parametrize("path", ["/Admin/x", "/admin;v=1/x", "/;v=1/admin/x", "/admin%3bx", "/administrator"])
    async def test_one_that_only_some_apps_take_for_it_is_another(self, balancer: LoadBalancer, path: str) -> None:
        """As the documentation says, so that who has such an app knows that it has to guard its own."""
        site = service("site", app="site", routes=(Rule(path="/*"),))
        admin = service("admin", app="admin", port=site.listener.http, routes=(Rule(path="/admin/*"),))
        async with Backend("site") as one, Backend("admin") as two:
            await balancer.apply(site, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await balancer.apply(admin, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            await say(site.listener.http, f"GET {path} HTTP/1.1\nhost: x")
            assert (one.seen, two.seen) == ([path], [])

    async def test_a_host_is_the_same_however_it_is_written(self, balancer: LoadBalancer) -> None:
        """With a dot behind it, a port, in capitals, or in the first line, which comes before the header."""
        site = service("site", app="site")
        shop = service("shop", app="shop", port=site.listener.http, routes=(Rule(host="shop.example.com"),))
        async with Backend("site") as one, Backend("shop") as two:
            await balancer.apply(site, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await balancer.apply(shop, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            for host in ("shop.example.com.", "shop.example.com.:8080", "SHOP.Example.com.", "shop.EXAMPLE.com:443"):
                answer = await say(site.listener.http, f"GET / HTTP/1.1\nhost: {host}")
                assert answer.endswith("\r\n\r\nshop"), (host, answer)
            answer = await say(site.listener.http, "GET http://shop.example.com/ HTTP/1.1\nhost: other.example.com")
            assert answer.endswith("\r\n\r\nshop") or answer.startswith("HTTP/1.1 400"), answer

    async def test_the_host_that_an_app_is_told_is_the_one_of_its_route(self, balancer: LoadBalancer) -> None:
        """A first line that names it would let any `Host` by, of which an app may make links that it sends by mail."""
        shop = service("shop", routes=(Rule(host="shop.example.com"),))
        async with Backend("shop") as app:
            await balancer.apply(shop, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            told = await say(shop.listener.http, "GET http://shop.example.com/headers HTTP/1.1\nhost: evil.example")
            assert "host: shop.example.com\r\n" in told.lower() or told.startswith("HTTP/1.1 400"), told
            for host in ("shop.example.com:8080", "Shop.example.com", "shop.example.com"):
                told = await say(shop.listener.http, f"GET /headers HTTP/1.1\nhost: {host}")
                assert f"host: {host}\r\n".lower() in told.lower(), told

    async def test_a_host_that_no_name_can_be_reaches_no_app(self, balancer: LoadBalancer) -> None:
        """An app would write it into its pages and mails; but what an escape says is the app's to read."""
        web = made()
        odd = (
            *("x/evil", "x y", "x\ty", 'x"><b>', "x#y", "x?y", "x\\y", "x|y", "{x}", "b\xfccher.example"),
            *("me@x", "x:@evil.example", "x:80@evil.example", "x:80x", "x:80:81", "[::1]evil.example", "x:80,y", "x,y"),
            *("", ".", "x..y", ".x", "[x]"),
        )
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            for host in odd:
                answer = await say(web.listener.http, f"GET / HTTP/1.1\nhost: {host}")
                assert answer.startswith("HTTP/1.1 400 "), (host, answer)
            assert (await say(web.listener.http, "GET / HTTP/1.1")).startswith("HTTP/1.1 400 ")
            assert app.seen == []
            for host in ("x", "x:8080", "my_app.local", "[::1]:80", "x%0", "a-b.c~d!$&'()*+;=", "x:", "x.:8080"):
                answer = await say(web.listener.http, f"GET / HTTP/1.1\nhost: {host}")
                assert answer.startswith("HTTP/1.1 200 "), (host, answer)
            assert " 200 " in (await say(web.listener.http, "GET / HTTP/1.0")).partition("\r\n")[0]

    async def test_an_escaped_slash_stays_one_where_no_path_decides(self, balancer: LoadBalancer) -> None:
        """Some apps have names with a slash in their paths."""
        web = service()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            await say(web.listener.http, "GET /projects/a%2Fb HTTP/1.1\nhost: x")
            assert app.seen == ["/projects/a%2Fb"]


class TestPreviews:
    """A release that waits is reached by who has its secret."""

    async def test_nobody_gets_there_by_guessing(self, balancer: LoadBalancer) -> None:
        """Anything, the release's number and its full name were enough once."""
        web = service()
        async with Backend("old") as one, Backend("new") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            _, headers = await balancer.preview(web, 2)
            _, other = await balancer.preview(web, 3)
            ((name, value),) = headers.items()
            for guess in ("x", "2", "true", f"{web.key}/2", f"{web.key}/2:", value[:-1], *other.values()):
                answer = await say(web.listener.http, f"GET / HTTP/1.1\nhost: x\n{name}: {guess}")
                assert answer.endswith("\r\n\r\nold"), guess
            for right in (value, value.partition(":")[2]):
                answer = await say(web.listener.http, f"GET / HTTP/1.1\nhost: x\n{name}: {right}")
                assert answer.endswith("\r\n\r\nnew"), right

    async def test_what_a_client_guesses_is_not_passed_on(self, balancer: LoadBalancer) -> None:
        """An app may take the header for a sign that its request is ours."""
        web = service()
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            seen = await seen_by_app(web, "X-Crossfade-Preview: x")
        assert "x-crossfade-preview" not in seen


class TestHttps:
    """HTTP beside HTTPS."""

    async def test_a_post_stays_a_post_and_some_paths_are_answered(
        self, balancer: LoadBalancer, tmp_path: Path
    ) -> None:
        """A load balancer's check wants 200, and a redirect that loses the body is a request lost."""
        tls = certificate(tmp_path, "localhost")
        kept = ("/health/", "/nginx-health", "/.well-known/*")
        tls = type(tls)(certificate=tls.certificate, key=tls.key, redirect_except=kept)
        web = made(https=free_port(), tls=tls)
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            for method, path, status in (
                ("GET", "/", 301),
                ("HEAD", "/x", 301),
                ("POST", "/x", 308),
                ("PUT", "/health/x", 308),
                ("GET", "/health/", 200),
                ("GET", "/nginx-health", 200),
                ("GET", "/.well-known/acme-challenge/t", 200),
            ):
                answer = await say(
                    web.listener.http, f"{method} {path} HTTP/1.1\nhost: shop.example.com\ncontent-length: 0"
                )
                assert answer.startswith(f"HTTP/1.1 {status} "), (method, path, answer)
                assert status == 200 or f"https://shop.example.com:{web.listener.https}{path}" in answer

    @pytest.mark.parametrize(("trusted", "status"), [(LOOPBACK, 200), ((), 301), (OTHERS, 301)])
    async def test_who_came_by_https_to_a_trusted_proxy_is_not_sent_on(
        self, balancer: LoadBalancer, tmp_path: Path, trusted: tuple[str, ...], status: int
    ) -> None:
        """It would come back for ever; a stranger's word does not let it past."""
        web = made(https=free_port(), tls=certificate(tmp_path, "localhost"), trusted_proxies=trusted)
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            answer = await say(web.listener.http, "GET / HTTP/1.1\nhost: x\nX-Forwarded-Proto: https")
            assert answer.startswith(f"HTTP/1.1 {status} ")
            answer = await say(web.listener.http, "GET / HTTP/1.1\nhost: x\nX-Forwarded-Proto: http")
            assert answer.startswith("HTTP/1.1 301 ")


class TestAnswers:
    """Headers of answers."""

    async def test_headers_are_added_where_the_app_says_none(self, balancer: LoadBalancer) -> None:
        """HSTS is not said over plain HTTP, and a value may have any character."""
        odd = "a \"quoted\" 'one'; 100% $request_id {x} \\"
        headers = (
            ("X-Frame-Options", "DENY"),
            ("Server", "ours"),
            ("X-Odd", odd),
            ("Strict-Transport-Security", "max-age=1"),
        )
        for trusted in ((), LOOPBACK):
            listener = Listener(host="127.0.0.1", http=free_port(), trusted_proxies=trusted)
            web = service(f"web{len(trusted)}", headers=headers, listener=listener)
            async with Backend("a") as app:
                await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
                answer = await say(web.listener.http, "GET / HTTP/1.1\nhost: x")
            assert "\r\nx-frame-options: DENY\r\n" in answer.replace("X-Frame-Options", "x-frame-options")
            assert f": {odd}\r\n" in answer
            assert "server: tiny\r\n" in answer.lower()
            assert "ours" not in answer
            assert ("max-age=1" in answer) == bool(trusted)

    async def test_any_cookie_and_any_path_that_a_file_may_have(self, balancer: LoadBalancer) -> None:
        """What would end a statement of nginx, or begin a variable of its."""
        cookie = "a'$b`|^*+.~!#%&"
        web = service(sticky=Sticky(cookie=cookie, ttl=60), routes=(Rule(path="/x;y'$z(1)/*"), Rule(path="/a%20b")))
        async with Backend("a") as app:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
            assert (await say(web.listener.http, "GET /a%20b HTTP/1.1\nhost: x")).startswith("HTTP/1.1 200 ")
            answer = await say(web.listener.http, "GET /x;y'$z(1)/1 HTTP/1.1\nhost: x")
            assert answer.startswith("HTTP/1.1 200 "), answer
            assert f": crossfade-{cookie}=" in answer
            assert (await say(web.listener.http, "GET / HTTP/1.1\nhost: x")).startswith("HTTP/1.1 404 ")

    async def test_a_cookie_of_ours_is_for_https_only_where_browsers_come_by_it(self, balancer: LoadBalancer) -> None:
        """Behind a proxy that ends TLS as well."""
        for trusted, https in ((LOOPBACK, True), ((), False)):
            web = made(trusted_proxies=trusted)
            web = service(f"web{len(trusted)}", sticky=Sticky(cookie="id", ttl=60), listener=web.listener)
            async with Backend("a") as app:
                await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
                answer = await say(web.listener.http, "GET / HTTP/1.1\nhost: x\nX-Forwarded-Proto: https")
            assert ("; secure" in answer.lower()) == https

    async def test_sticky_taken_out_of_the_file_leaves_the_old_release_as_it_is(self, balancer: LoadBalancer) -> None:
        """It is still balanced by its cookie while the new one takes over."""
        web = service(sticky=Sticky(cookie="id", ttl=60))
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await balancer.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            plain = service(listener=web.listener)
            await balancer.apply(plain, routing({1: 50, 2: 50}, {1: "a", 2: "b"}), addresses, 1)
            answer = await say(web.listener.http, "GET / HTTP/1.1\nhost: x")
        assert answer.startswith("HTTP/1.1 200 ")
        assert "set-cookie" not in answer.lower()
