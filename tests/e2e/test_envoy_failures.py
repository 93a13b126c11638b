"""What Envoy does with real requests when things go wrong, and what it counts."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import fetch, routing, service
from tests.support.backend import Backend, process
from tests.support.edge import keep_asking, running_envoy, settled, target, url
from tests.support.wire import EVENTS, WEBSOCKET, stream

from crossfade.core.errors import PlatformError
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.ports.balancer import Target
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer
from crossfade.platforms.local.balancers.envoy.admin import Admin
from crossfade.platforms.local.balancers.envoy.process import EnvoyProcess, installed
from crossfade.platforms.local.balancers.known import ended


@pytest.fixture
async def envoy(tmp_path: Path) -> AsyncIterator[EnvoyBalancer]:
    async with running_envoy(tmp_path / "envoy") as balancer:
        yield balancer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def test_an_envoy_whose_controller_died_in_the_middle_of_its_start_is_led_on(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """It waits to be told what to run: no controller came up beside it any more, and `down --all` left it there."""
    admin = Admin(tmp_path)
    half = EnvoyProcess(tmp_path, admin, None, 4)
    start = asyncio.create_task(half.start())
    await until(lambda: half.running and admin.answers(1.0))
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    await admin.dispose()
    async with running_envoy(tmp_path) as envoy, Backend("a") as one:
        web = service()
        await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        assert (await fetch(http, url(web))).body == "a"
        assert half.running


class TestFailures:
    """What clients lose is what is counted, by cause."""

    async def test_each_way_to_fail_has_its_cause(self, envoy: EnvoyBalancer, http: aiohttp.ClientSession) -> None:
        """500s, deaths before and in the middle of an answer, of GET and POST: as many as clients saw."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            for path, times in (("/fail", 3), ("/die", 2), ("/cut", 2), ("/", 5)):
                for method in ("GET", "POST"):
                    answers = await asyncio.gather(*(fetch(http, url(web, path), method) for _ in range(times)))
                    assert {answer.status for answer in answers} == {
                        {"/fail": 500, "/die": 503, "/cut": 0, "/": 200}[path]
                    }
            traffic = await settled(envoy, web)
            assert dict(traffic.failed) == {"500 from instance": 6, "reset by instance": 4, "truncated answer": 4}
            assert traffic.total.errors == 14
            assert traffic.total.requests == 24
            assert (await envoy.report(web.key)).groups[1].errors == 14

    async def test_no_healthy_instance(self, envoy: EnvoyBalancer, http: aiohttp.ClientSession) -> None:
        """When the only instance fails its check, requests fail with that cause until it passes again."""
        web = service(health=HealthCheck(path="/health", interval=0.1, timeout=0.5, healthy=1, unhealthy=2))
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            answers = list[int]()

            async def answered(status: int) -> bool:
                answers.append((await fetch(http, url(web))).status)
                return answers[-1] == status

            one.healthy = False
            await until(lambda: answered(503))
            one.healthy = True
            await until(lambda: answered(200))
            traffic = await settled(envoy, web)
            assert traffic.failed == (("no healthy instance", answers.count(503)),)
            assert traffic.total.requests == len(answers)

    async def test_a_killed_instance_costs_only_what_cannot_be_repeated(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """SIGKILL under load: no GET is lost, and every POST that is lost is counted."""
        web = service()
        with process("a") as (doomed, address):
            async with Backend("b") as other:
                addresses = {"a": address, "b": other.address}
                await until(lambda: _answers(http, address))
                await envoy.apply(web, routing({1: 100}, {1: "a b"}), addresses, 1)
                statuses: dict[str, list[int]] = {"GET": [], "POST": []}
                tasks = [
                    asyncio.create_task(keep_asking(http, web, method, statuses[method]))
                    for method in ("GET", "GET", "GET", "POST", "POST")
                ]
                await asyncio.sleep(0.3)
                doomed.send_signal(signal.SIGKILL)
                await asyncio.sleep(0.5)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert len(statuses["GET"]) > 50
                assert set(statuses["GET"]) == {200}
                lost = sum(status != 200 for status in statuses["POST"])
                traffic = await settled(envoy, web)
                assert traffic.total.errors == lost
                assert (await fetch(http, url(web))).body == "b"

    async def test_a_release_that_dies_whole_is_stood_in_for(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """While the old release is warm it answers at once; no GET is lost and every lost POST is counted."""
        web = service()
        with process("b") as (doomed, address):
            async with Backend("a") as warm:
                addresses = {"a": warm.address, "b": address}
                await until(lambda: _answers(http, address))
                await envoy.apply(web, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1)
                assert {(await fetch(http, url(web))).body for _ in range(20)} == {"b"}
                statuses: dict[str, list[int]] = {"GET": [], "POST": []}
                tasks = [
                    asyncio.create_task(keep_asking(http, web, method, statuses[method]))
                    for method in ("GET", "GET", "GET", "POST")
                ]
                await asyncio.sleep(0.3)
                doomed.send_signal(signal.SIGKILL)
                await asyncio.sleep(0.5)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert len(statuses["GET"]) > 50
                assert set(statuses["GET"]) == {200}
                assert (await fetch(http, url(web))).body == "a"
                traffic = await settled(envoy, web)
                assert traffic.total.errors == sum(status != 200 for status in statuses["POST"])

    async def test_a_timeout_is_a_failure_and_a_stream_has_none(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """`timeout` ends a slow request with 504; an event stream may outlast it."""
        web = service(timeout=0.3)
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            assert (await fetch(http, url(web, "/slow"))).status == 504
            reader, writer = await stream(web, EVENTS)
            await reader.readuntil(b"data:")
            await asyncio.sleep(0.5)
            assert await reader.readuntil(b"data:")
            writer.close()
            assert (await settled(envoy, web)).failed == (("timeout", 1),)

    async def test_a_client_that_leaves_is_no_failure(self, envoy: EnvoyBalancer) -> None:
        """It is counted apart; the end of an event stream is not even that."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            for head in ("GET /slow HTTP/1.1\nhost: x\n", EVENTS):
                _, writer = await stream(web, head)
                await asyncio.sleep(0.2)
                writer.close()
            traffic = await settled(envoy, web)
            assert traffic.failed == ()
            assert traffic.client_closed == 1

    async def test_an_instance_that_never_passes_the_check_is_not_let_in(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """`apply` says which one and what was asked of it, and the old routing goes on."""
        web = service(health=HealthCheck(path="/health", interval=30, timeout=0.3))
        async with Backend("a") as one, Backend("b") as sick:
            sick.healthy = False
            addresses = {"a": one.address, "b": sick.address}
            first = routing({1: 100}, {1: "a"})
            await envoy.apply(web, first, addresses, 1)
            with pytest.raises(PlatformError, match=rf"check of b does not pass: GET /health at {sick.address}"):
                await envoy.apply(web, routing({2: 100}, {2: "b"}), addresses, 1)
            assert (await envoy.report(web.key)).routing == first
            assert {(await fetch(http, url(web))).body for _ in range(5)} == {"a"}
            sick.healthy = True
            await envoy.apply(web, routing({2: 100}, {2: "b"}), addresses, 1)
            assert (await fetch(http, url(web))).body == "b"

    async def test_what_envoy_refuses_is_said_in_its_words_and_undone(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """A configuration that Envoy rejects leaves the one before, and the next good one works."""
        web = service()
        bad = service(idle_timeout=-1.0)
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            with pytest.raises(PlatformError, match="Envoy refused"):
                await envoy.apply(bad, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            assert (await fetch(http, url(web))).body == "a"
            assert (await fetch(http, url(bad))).status == 0
            good = service("other")
            await envoy.apply(good, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            assert (await fetch(http, url(good))).body == "a"

    async def test_clients_cannot_tell_envoy_what_to_do(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Envoy's own headers are neither obeyed nor passed on."""
        web = service()
        orders = {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "3", "x-envoy-upstream-rq-timeout-ms": "1"}
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            assert (await fetch(http, url(web, "/fail"), headers=orders)).status == 500
            assert one.seen == ["/fail"]
            assert "x-envoy" not in (await fetch(http, url(web, "/headers"), headers=orders)).body.lower()


async def _answers(http: aiohttp.ClientSession, address: str) -> bool:
    return (await fetch(http, f"http://{address}/")).status == 200


class TestStreams:
    """WebSocket and SSE connections."""

    async def test_streams_are_no_requests_in_flight(self, envoy: EnvoyBalancer) -> None:
        """What ends by itself and what does not are counted apart."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            writers = []
            for head in (EVENTS, WEBSOCKET, "GET /hold HTTP/1.1\nhost: x\n"):
                _, writer = await stream(web, head)
                writers.append(writer)
            await until(lambda: _holds(envoy, web, in_flight=1, streams=2))
            one.gate.set()
            await until(lambda: _holds(envoy, web, in_flight=0, streams=2))
            for writer in writers:
                writer.close()
            await until(lambda: _holds(envoy, web, in_flight=0, streams=0))


async def _holds(balancer: EnvoyBalancer, service: Service, *, in_flight: int, streams: int) -> bool:
    return await target(balancer, service, "a") == Target(in_flight=in_flight, streams=streams)


TRACE = """\
[2026-11-22 04:42:50.152][5][critical][assert] [source/common/filesystem/inotify/watcher_impl.cc:25] assert failure: \
inotify_fd_ >= 0. Details: Consider increasing value of fs.inotify.max_user_instances via sysctl
[2026-11-22 04:42:50.166][5][error][envoy_bug] [./source/common/common/assert.h:66] #0 UNKNOWN [0x5594eb27e22c]
[2026-11-22 04:42:50.166][5][critical][backtrace] [./source/server/backtrace.h:157] Backtrace (use tools/stack_decode.py
"""


class TestStart:
    """An Envoy that does not come up is told of in one line, which says why."""

    @pytest.mark.parametrize(
        ("first", "why"),
        [
            ("ulimit -n 16", "Too many open files"),  # the real one, without files to open
            (f"[ $1 != -c ] || {{ echo '{TRACE}' >&2; exit 134; }}", "fs.inotify.max_user_instances via sysctl"),
        ],
    )
    async def test_its_own_words_say_why(self, tmp_path: Path, first: str, why: str) -> None:
        """The first thing that it calls critical, and not the end of the trace after it; else the last it said."""
        binary = tmp_path / "envoy.sh"
        binary.write_text(f'#!/bin/sh\n{first}\nexec {installed()} "$@"\n')
        binary.chmod(0o755)
        balancer = EnvoyBalancer(tmp_path / "state", TokenFence(), binary=binary)
        with pytest.raises(PlatformError, match="Envoy did not start") as raised:
            await balancer.ensure()
        await balancer.close()
        assert raised.value.cause.endswith(why)
        assert "backtrace" not in str(raised.value)
        assert "envoy.log" in raised.value.way_out

    async def test_one_that_died_is_started_without_asking_its_program_anything(self, tmp_path: Path) -> None:
        """Its version is known, also to another controller, until another program is installed."""
        binary, asked = tmp_path / "envoy.sh", tmp_path / "asked"
        binary.write_text(f'#!/bin/sh\necho $1 >> {asked}\nexec {installed()} "$@"\n')
        binary.chmod(0o755)
        starts = []
        for turn in range(3):
            if turn == 2:
                os.utime(binary, (1, 1))
            balancer = EnvoyBalancer(tmp_path / "state", TokenFence(), binary=binary)
            await balancer.ensure()
            record = balancer._process.record
            assert record is not None
            starts.append(asked.read_text().split())
            asked.unlink()
            await balancer.close()
            record.main.signal(signal.SIGKILL)
            await ended(record.main, 60.0)
        assert starts == [["--hot-restart-version", "-c"], ["-c"], ["--hot-restart-version", "-c"]]
        await balancer.shutdown()
