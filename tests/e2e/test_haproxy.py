"""HAProxy itself: what it does with real requests when things go wrong, and when it is replaced."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import HAPROXY, fetch, routing, service
from tests.support.backend import Backend
from tests.support.wire import WEBSOCKET, stream

from crossfade.core.errors import PlatformError
from crossfade.core.service import HealthCheck, Listener, Preview, Service
from crossfade.platforms.local.balancers.haproxy import HaproxyBalancer
from crossfade.platforms.local.balancers.haproxy.runtime_api import RuntimeApi
from crossfade.platforms.local.balancers.haproxy.settings import OFTEN
from crossfade.platforms.local.balancers.known import KnownProcess, children

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")


@pytest.fixture(params=[pytest.param(OFTEN, id="all-lines", marks=pytest.mark.long), pytest.param(0, id="a-sample")])
async def haproxy(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HaproxyBalancer]:
    """With 0 it is as under a high load: of good answers the log has a sample. The contract has all its lines."""
    balancer = HaproxyBalancer(tmp_path / "haproxy", TokenFence(), shutdown=60, often=request.param)
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


def master(balancer: HaproxyBalancer) -> KnownProcess:
    found = balancer._process.master
    assert found is not None
    return found


async def served(balancer: HaproxyBalancer, web: Service) -> int:
    return (await balancer.report(web.key)).traffic.total.requests


async def test_each_way_to_fail_has_its_cause(haproxy: HaproxyBalancer) -> None:
    """500s, deaths before and in the middle of an answer, nobody there: as many as clients saw."""
    web = service()
    async with Backend("a") as one, aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        for path, times, status in (("/fail", 3, 500), ("/die", 2, 502), ("/cut", 2, 0), ("/", 5, 200)):
            for method in ("GET", "POST"):
                answers = [await fetch(http, url(web, path), method) for _ in range(times)]
                assert [answer.status for answer in answers] == [status] * times
        one.kill()
        assert (await fetch(http, url(web))).status == 503
        await haproxy.catch_up()
        traffic = (await haproxy.report(web.key)).traffic
        assert dict(traffic.failed) == {
            "500 from instance": 6,
            "reset by instance": 4,
            "truncated answer": 4,
            "connection refused": 1,
        }
        assert (traffic.total.requests, traffic.total.errors, traffic.client_closed) == (25, 15, 0)


async def test_a_failure_that_haproxy_writes_nowhere_is_counted(haproxy: HaproxyBalancer, tmp_path: Path) -> None:
    """It closes a kept connection without an answer, so that the client asks again; to us that request failed.

    Also when another controller looks: what it finds is what the one before had counted.
    """
    web = service()
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.http)
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            assert (await reader.readexactly(12)).endswith(b"200")
            await reader.readuntil(b"\r\n\r\na")
            writer.write(b"POST /die HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
        await haproxy.catch_up()
        traffic = (await haproxy.report(web.key)).traffic
        assert (traffic.total.requests, traffic.failed) == (6, (("reset by instance", 3),))
        await haproxy.close()
        again = HaproxyBalancer(tmp_path / "haproxy", TokenFence())
        await again.ensure()
        assert (await again.report(web.key)).traffic == traffic
        await again.close()


class Client:
    """One that asks again and again over a connection that it keeps, and takes a new one when it is closed."""

    def __init__(self, http: aiohttp.ClientSession, web: Service) -> None:
        self._http = http
        self._web = web
        self.answers = 0
        self.stop = False

    async def run(self) -> None:
        while not self.stop:
            assert (await fetch(self._http, url(self._web))).body == "a"
            self.answers += 1

    async def more(self, number: int) -> None:
        """Wait for so many more answers."""
        enough = self.answers + number
        await until(lambda: self.answers >= enough)


async def test_answers_without_a_line_are_counted_to_the_last(
    haproxy: HaproxyBalancer, http: aiohttp.ClientSession
) -> None:
    """Also those of workers that are replaced while they answer, and of one that is stopped."""
    web, other = service(), service("other")
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        clients = [Client(http, web) for _ in range(8)]
        running = [asyncio.create_task(client.run()) for client in clients]
        await clients[0].more(50)
        await haproxy.restart()
        await clients[0].more(50)
        await haproxy.apply(other, routing({1: 100}, {1: "b"}), {"b": one.address}, 1)  # a port more is a reload
        await clients[0].more(50)
        for client in clients:
            client.stop = True
        await asyncio.gather(*running)
        await haproxy.catch_up()
        await haproxy.shutdown()
        report = haproxy._counts.totals.traffic(web.key), haproxy._counts.totals.counters(f"{web.key}/1")
        asked = sum(client.answers for client in clients)
        assert [report[0].total.requests, report[1].requests] == [asked, asked]
        assert report[0].failed == ()


async def test_only_what_is_safe_is_asked_for_again(haproxy: HaproxyBalancer) -> None:
    """A GET that dies unanswered is tried twice more and no further, a POST never."""
    web = service()
    async with Backend("a") as one, aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        for method, times in (("GET", 3), ("POST", 1)):
            one.seen.clear()
            assert (await fetch(http, url(web, "/die"), method)).status == 502
            assert one.seen == ["/die"] * times


async def test_a_dead_instance_costs_nobody_an_answer(haproxy: HaproxyBalancer, http: aiohttp.ClientSession) -> None:
    """Connections that fail are tried on the other, also for a POST."""
    web = service()
    async with Backend("a") as one, Backend("b") as two:
        await haproxy.apply(web, routing({1: 100}, {1: "a b"}), {"a": one.address, "b": two.address}, 1)
        one.kill()
        statuses = [(await fetch(http, url(web), method)).status for method in ("GET", "POST") for _ in range(20)]
        assert Counter(statuses) == {200: 40}
        assert (await haproxy.report(web.key)).groups[1].retried > 0


async def test_an_instance_that_fails_its_check_gets_nothing(
    haproxy: HaproxyBalancer, http: aiohttp.ClientSession
) -> None:
    """By HAProxy's own check, with the release's own numbers; it comes back when the check passes again."""
    web = service(health=HealthCheck(path="/health", interval=0.05, timeout=1, healthy=2, unhealthy=2))
    async with Backend("a") as one, Backend("b") as two:
        await haproxy.apply(web, routing({1: 100}, {1: "a b"}), {"a": one.address, "b": two.address}, 1)
        one.healthy = False
        await until(lambda: _answer(http, web, {"b"}))
        one.healthy = True
        await until(lambda: _answer(http, web, {"a", "b"}))


async def _answer(http: aiohttp.ClientSession, service: Service, names: set[str]) -> bool:
    """These answer twenty requests, and nobody else."""
    return {(await fetch(http, url(service))).body for _ in range(20)} == names


async def test_a_client_that_leaves_is_no_failure(haproxy: HaproxyBalancer) -> None:
    """It is counted apart."""
    web = service()
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        _, writer = await asyncio.open_connection("127.0.0.1", web.listener.http)
        writer.write(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n")
        await until(lambda: one.seen)
        writer.close()
        await until(lambda: _left(haproxy, web))
        assert (await haproxy.report(web.key)).traffic.failed == ()


async def _left(balancer: HaproxyBalancer, service: Service) -> bool:
    return (await balancer.report(service.key)).traffic.client_closed == 1


async def test_streams_are_told_from_requests(haproxy: HaproxyBalancer, http: aiohttp.ClientSession) -> None:
    """By their answer, and also when the worker that holds them was replaced."""
    web = service()
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        reader, writer = await stream(web, WEBSOCKET)
        await reader.readuntil(b"\r\n\r\n")
        held = asyncio.create_task(fetch(http, url(web, "/hold")))
        await until(lambda: _holds(haproxy, web, 1, 1))
        await haproxy.restart()
        assert await _holds(haproxy, web, 1, 1)
        one.gate.set()
        assert (await held).body == "a"
        writer.close()
        await until(lambda: _holds(haproxy, web, 0, 0))


async def _holds(balancer: HaproxyBalancer, service: Service, in_flight: int, streams: int) -> bool:
    target = (await balancer.report(service.key)).targets["a"]
    return (target.in_flight, target.streams) == (in_flight, streams)


@pytest.mark.parametrize("victim", ["master", "worker"])
async def test_a_killed_haproxy_is_started_again(
    haproxy: HaproxyBalancer, http: aiohttp.ClientSession, victim: str
) -> None:
    """Whichever of its processes died: routing and totals stay, and the death is on record."""
    web = service()
    async with Backend("a") as one, Backend("b") as two:
        addresses = {"a": one.address, "b": two.address}
        asked = routing({2: 100}, {1: "a", 2: "b"})
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
        await haproxy.apply(web, asked, addresses, 1)
        await fetch(http, url(web))
        await until(lambda: served(haproxy, web))  # it answers first and writes its line then
        old = master(haproxy)
        dies = old if victim == "master" else KnownProcess.of(next(iter(children(old.pid))))
        dies.signal(signal.SIGKILL)
        await until(lambda: not old.running)
        await haproxy.ensure()
        assert master(haproxy) != old
        assert (await fetch(http, url(web))).body == "b"
        await haproxy.catch_up()
        report = await haproxy.report(web.key)
        assert report.routing == asked
        assert report.traffic.total.requests == 2
        assert report.traffic.balancer_deaths == 1


@pytest.mark.parametrize("asked", ["map", "set_map", "servers", "act", "info"])
async def test_a_worker_that_ends_before_it_answers_is_an_error(
    haproxy: HaproxyBalancer, tmp_path: Path, asked: str
) -> None:
    """No answer is not an empty one: nothing is taken for done or for not there. Nor when it is gone already."""
    api = RuntimeApi(tmp_path / "haproxy")
    (worker,) = await api.workers()
    process = KnownProcess.of(worker.pid)
    process.signal(signal.SIGSTOP)  # it takes the question and never answers

    def ask() -> Awaitable[object]:
        match asked:
            case "map":
                return api.map(worker, "routes.map")
            case "set_map":
                return api.set_map(worker, "routes.map", "shop/web shop.web.0\n")
            case "act":
                return api.act(worker, "set map routes.map a b", "set map routes.map a c")
            case "info":
                return api.info(worker)
            case _:
                return api.servers(worker)

    waits = asyncio.ensure_future(ask())
    await asyncio.sleep(0)
    process.signal(signal.SIGKILL)
    with pytest.raises(PlatformError, match=r"HAProxy (ended before it answered|does not answer)"):
        await waits
    await until(lambda: not process.running)
    with pytest.raises(PlatformError):
        await ask()
    api.close()


async def test_a_deploy_reloads_nothing(haproxy: HaproxyBalancer, http: aiohttp.ClientSession) -> None:
    """Release after release goes through the same worker, more of them than it has backends for."""
    web = service()
    async with Backend("x") as one, Backend("y") as two:
        await haproxy.apply(web, routing({1: 100}, {1: "i1"}), {"i1": one.address}, 1)
        worker = children(master(haproxy).pid)
        for release in range(2, 14):
            backend = (two, one)[release % 2]
            addresses = {f"i{release - 1}": (one, two)[release % 2].address, f"i{release}": backend.address}
            both = {release - 1: f"i{release - 1}", release: f"i{release}"}
            asked = routing({release: 100}, both, draining=f"i{release - 1}")
            await haproxy.apply(web, asked, addresses, 1)
            assert (await fetch(http, url(web))).body == backend.name
            await haproxy.apply(web, routing({release: 100}, {release: f"i{release}"}), addresses, 1)
        assert children(master(haproxy).pid) == worker
        await haproxy.catch_up()
        assert (await haproxy.report(web.key)).groups[13].requests == 1


async def test_what_haproxy_refuses_is_said_in_its_words(haproxy: HaproxyBalancer, http: aiohttp.ClientSession) -> None:
    """A configuration it does not take leaves the one before."""
    web = service()
    bad = service("bad", health=HealthCheck(path="/health", codes=((900, 99),)))
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        with pytest.raises(PlatformError, match=r"HAProxy refused: .*http-check expect"):
            await haproxy.apply(bad, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        assert (await fetch(http, url(web))).body == "a"
        assert (await fetch(http, url(bad))).status == 0


async def test_without_haproxy_the_message_says_what_to_do(tmp_path: Path) -> None:
    """Install it, or use Envoy."""
    script = tmp_path / "old"
    script.write_text("#!/bin/sh\necho 'HAProxy version 2.4.22 2023/02/14 - https://haproxy.org/'\n")
    script.chmod(0o755)
    balancer = HaproxyBalancer(tmp_path / "haproxy", TokenFence(), binary=script)
    with pytest.raises(PlatformError, match=r"2\.6 or later is needed, here is: HAProxy version 2\.4\.22"):
        await balancer.ensure()


async def test_its_sockets_are_its_owners(haproxy: HaproxyBalancer, tmp_path: Path) -> None:
    """Nobody else may ask the master or the worker anything."""
    sockets = [path for path in (tmp_path / "haproxy").iterdir() if path.is_socket()]
    assert {path.name for path in sockets} == {"master.sock", "worker.sock"}
    assert {path.stat().st_mode & 0o777 for path in sockets} == {0o600}
    # Workers of root are nobody, and pass through it: above it lies the state directory, which nobody else enters.
    assert (tmp_path / "haproxy").stat().st_mode & 0o777 == (0o700 if os.geteuid() else 0o711)
    ours = [master(haproxy).pid, *children(master(haproxy).pid)]
    assert [name for name in abstract_sockets(ours) if name] == []


def abstract_sockets(pids: list[int]) -> list[str]:
    """Names of those that these processes have open: they have no owner, everybody can reach them."""
    held = {str(fd.readlink()) for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return [row[7] for row in rows if len(row) > 7 and f"socket:[{row[6]}]" in held and row[7].startswith("@")]


async def test_the_access_log_has_a_line_of_json_for_each_request(
    haproxy: HaproxyBalancer, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Whatever is in the path; and what was read of HAProxy's own log is given back to the disk."""
    web = service()
    web = service(listener=Listener(host="127.0.0.1", http=web.listener.http, access_log=True))
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        assert (await fetch(http, url(web, '/x?"y"=%7B'))).body == "a"
        assert (await haproxy.report(web.key)).traffic.total.requests == 1
        lines = [json.loads(line) for line in (tmp_path / "haproxy" / "access.log").read_text().splitlines()]
        assert [(line["method"], line["code"], line["instance"]) for line in lines] == [("GET", 200, "a")]
        assert lines[0]["path"].startswith("/x?")


async def test_a_path_is_passed_on_as_it_is_read(haproxy: HaproxyBalancer) -> None:
    """Dots and escapes are taken out, an escaped slash is not, and what has neither stays as it is."""
    web = service()
    read = {
        "/": "/",
        "/a/./b": "/a/b",
        "/a/../b": "/b",
        "/a/..": "/",
        "/../a": "/a",
        "/%61": "/a",
        "/%2e%2e/a": "/a",
        "/x%2Fy": "/x%2Fy",
        "//x": "//x",
        "/a.b": "/a.b",
    }
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        for path in read:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.http)
            writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
            assert b" 200 " in await reader.read()
            writer.close()
        assert one.seen == list(read.values())


async def test_a_preview_is_reached_by_any_name_of_its_header(haproxy: HaproxyBalancer) -> None:
    """However it is written, and by no longer one."""
    web = service(preview=Preview(header="X-Peek-1"))
    async with Backend("old") as one, Backend("new") as two, aiohttp.ClientSession() as http:
        addresses = {"a": one.address, "b": two.address}
        await haproxy.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
        _, headers = await haproxy.preview(web, 2)
        ((name, secret),) = headers.items()
        for written in (name, name.lower(), name.upper()):
            assert (await fetch(http, url(web), headers={written: secret})).body == "new"
        assert (await fetch(http, url(web), headers={"X-Peek-11": secret})).body == "old"
        await haproxy.catch_up()
        report = await haproxy.report(web.key)
        assert (report.traffic.total.requests, report.groups[2].requests) == (1, 3)


async def test_each_request_has_an_id_of_its_own(haproxy: HaproxyBalancer, http: aiohttp.ClientSession) -> None:
    """Also the second of a connection, and the one that something odd is about; who brings one keeps it."""
    web = service()
    async with Backend("a") as one:
        await haproxy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        found = []
        for headers in ({}, {}, {"Forwarded": "for=x"}, {"X-Request-Id": "mine"}):
            said = (await fetch(http, url(web, "/headers"), headers=headers)).body.lower().splitlines()
            found.append([line for line in said if line.startswith("x-request-id: ")])
        assert all(len(ids) == 1 for ids in found)
        assert len({ids[0] for ids in found}) == 4
        assert found[3] == ["x-request-id: mine"]


async def test_shutdown_leaves_no_process(tmp_path: Path) -> None:
    """Neither master nor workers, nor a port that is open."""
    balancer = HaproxyBalancer(tmp_path / "haproxy", TokenFence())
    web = service()
    try:
        async with Backend("a") as one:
            await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            everyone = [master(balancer), *map(KnownProcess.of, children(master(balancer).pid))]
            assert len(everyone) == 2
            await balancer.shutdown()
        assert not any(known.running for known in everyone)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", web.listener.http)
    finally:
        await balancer.shutdown()
        await balancer.close()
