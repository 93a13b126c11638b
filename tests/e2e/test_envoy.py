"""Envoy's process: killed, replaced, adopted, and its logs."""

import asyncio
import json
import os
import signal
import socket
import stat
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import fetch, routing, service
from tests.support.backend import Backend
from tests.support.edge import keep_asking, running_envoy, settled, target, url
from tests.support.ports import binds, free_port
from tests.support.wire import WEBSOCKET, stream

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.service import HealthCheck, Listener, Service
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer


@pytest.fixture
async def envoy(tmp_path: Path) -> AsyncIterator[EnvoyBalancer]:
    async with running_envoy(tmp_path / "envoy") as balancer:
        yield balancer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


def memory(base_id: int) -> Path:
    """Where Envoy keeps what a successor takes over."""
    return Path(f"/dev/shm/envoy_shared_memory_{base_id * 10}")


def abstract_sockets(base_id: int) -> list[str]:
    """Those of Envoy that belong to nobody: their names begin with @ and end with ten times the base id."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return [line for line in lines if "@envoy" in line and f"_{base_id}" in line]


def held_by(pid: int) -> list[str]:
    """What the process has open."""
    return [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]


def envoy_pid(balancer: EnvoyBalancer) -> int:
    assert balancer._process.record is not None
    return balancer._process.record.main.pid


class TestProcess:
    """Envoy killed, replaced, adopted."""

    async def test_a_killed_envoy_is_started_again_with_what_it_was_told(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """SIGKILL: `ensure` brings the same routing back, and totals go on growing."""
        web = service()
        async with Backend("a") as one:
            asked = routing({1: 100}, {1: "a"})
            await envoy.apply(web, asked, {"a": one.address}, 1)
            for path in ("/", "/fail"):
                await fetch(http, url(web, path))
            before = await settled(envoy, web)
            os.kill(envoy_pid(envoy), signal.SIGKILL)
            await until(lambda: _refuses(http, web))
            await envoy.ensure()
            assert (await fetch(http, url(web))).body == "a"
            report = await envoy.report(web.key)
            assert report.routing == asked
            assert report.traffic.total.requests == before.total.requests + 1
            assert report.traffic.failed == before.failed

    @pytest.mark.parametrize("name", ["discovery.sock", "admin.sock"])
    async def test_a_socket_that_was_deleted_keeps_no_envoy_from_coming_back(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path, name: str
    ) -> None:
        """It serves on and is told of changes, and one that dies afterwards is started again with what it was told."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await envoy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            (tmp_path / "envoy" / name).unlink()
            await envoy.ensure()
            await envoy.apply(web, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1)
            assert (await fetch(http, url(web))).body == "b"
            os.kill(envoy_pid(envoy), signal.SIGKILL)

            async def answers() -> bool:
                with suppress(PlatformError, aiohttp.ClientError):
                    await envoy.ensure()
                    return (await fetch(http, url(web))).body == "b"
                return False

            assert await until(answers)

    async def test_a_restart_loses_nothing_and_keeps_what_is_under_way(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Keep-alive and new connections, a slow answer and a WebSocket across the change of process."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            old = envoy_pid(envoy)
            held = asyncio.create_task(fetch(http, url(web, "/hold")))
            await until(lambda: one.seen)
            reader, writer = await stream(web, WEBSOCKET)
            await reader.readuntil(b"\r\n\r\n")
            statuses: list[int] = []
            tasks = [asyncio.create_task(keep_asking(http, web, m, statuses)) for m in ("GET", "GET", "POST", "POST")]
            tasks += [asyncio.create_task(_keep_connecting(web, statuses)) for _ in range(2)]
            await asyncio.sleep(0.3)
            await envoy.restart()
            assert envoy_pid(envoy) != old
            await asyncio.sleep(0.5)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert len(statuses) > 100
            assert Counter(statuses) == {200: len(statuses)}
            one.gate.set()
            assert (await held).body == "a"
            writer.write(b"still here")
            assert await reader.readexactly(10) == b"still here"
            with pytest.raises(RefusedError, match="still answers"):
                await envoy.restart()
            writer.close()
            await until(lambda: _gone(old))
            await envoy.restart()
            assert (await fetch(http, url(web))).body == "a"
            report = await envoy.report(web.key)
            # One request of each client may be under way while the totals change hands.
            assert abs(report.traffic.total.requests - (len(statuses) + 3)) <= 12
            assert report.traffic.failed == ()

    async def test_what_a_predecessor_still_holds_keeps_an_instance_in_flight(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """An instance is not called idle because the request it answers is with the old process."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await envoy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            held = asyncio.create_task(fetch(http, url(web, "/hold")))
            await until(lambda: one.seen)
            await envoy.restart()
            await envoy.apply(web, routing({2: 100}, {1: "a", 2: "b"}, draining="a"), addresses, 1)
            assert (await target(envoy, web, "a")).in_flight == 1
            one.gate.set()
            assert (await held).body == "a"
            assert (await target(envoy, web, "a")).in_flight == 0

    async def test_what_a_preview_still_holds_keeps_an_instance_in_flight(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Also when the preview is over, and the release is about to go."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await envoy.apply(web, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            _, headers = await envoy.preview(web, 2)
            held = asyncio.create_task(fetch(http, url(web, "/hold"), headers=headers))
            await until(lambda: two.seen)
            await envoy.apply(web, routing({1: 100}, {1: "a", 2: "b"}, draining="b"), addresses, 1)
            assert (await target(envoy, web, "b")).in_flight == 1
            two.gate.set()
            assert (await held).body == "b"
            assert (await target(envoy, web, "b")).in_flight == 0

    async def test_an_envoy_that_comes_back_makes_only_what_somebody_is_led_to(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """A preview that is over costs it nothing; one that goes on is there, and counts on."""
        over, on = service("over"), service("on")
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            for each in (over, on):
                await envoy.apply(each, routing({1: 100}, {1: "a", 2: "b"}, preview=2), addresses, 1)
            await envoy.apply(over, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1)
            _, headers = await envoy.preview(on, 2)
            assert (await fetch(http, url(on), headers=headers)).body == "b"
            assert (await envoy.report(on.key)).groups[2].requests == 1
            assert "shop/over/2/preview" in await _clusters(envoy)
            os.kill(envoy_pid(envoy), signal.SIGKILL)
            await until(lambda: _refuses(http, on))
            await envoy.ensure()
            assert {name for name in await _clusters(envoy) if "/preview" in name} == {
                "shop/on/2/preview",
                "shop/on/2/preview/streams",
            }
            assert (await fetch(http, url(on), headers=headers)).body == "b"
            assert (await envoy.report(on.key)).groups[2].requests == 2

    async def test_a_version_that_cannot_take_over_is_started_beside(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Both share the ports until the old one is drained."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            record = envoy._process.record
            assert record is not None
            object.__setattr__(record, "version", "10.1")
            statuses: list[int] = []
            tasks = [asyncio.create_task(keep_asking(http, web, method, statuses)) for method in ("GET", "POST")]
            await asyncio.sleep(0.2)
            await envoy.restart()
            await asyncio.sleep(0.3)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert Counter(statuses) == {200: len(statuses)}
            assert envoy_pid(envoy) != record.main.pid
            await until(lambda: _tidied(envoy, record.main.pid), seconds=8)
            assert (await fetch(http, url(web))).body == "a"

    async def test_a_change_that_was_not_finished_is_taken_back_by_the_next_controller(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """Killed between Envoy's confirmation and its own record, the old routing holds again."""
        web = service()
        record = tmp_path / "envoy" / "book.json"
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            first = routing({1: 100}, {1: "a"})
            await envoy.apply(web, first, addresses, 1)
            before = record.read_text()
            await envoy.apply(web, routing({2: 100}, {2: "b"}), addresses, 1)
            await envoy.close()
            record.write_text(before)
            second = EnvoyBalancer(tmp_path / "envoy", TokenFence())
            await second.ensure()
            assert (await second.report(web.key)).routing == first
            assert {(await fetch(http, url(web))).body for _ in range(5)} == {"a"}
            await second.close()

    async def test_a_port_lost_while_envoy_was_down_costs_nobody_else_theirs(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """A complaint names who took it, the others are served, and it is opened once it is free again."""
        web, api = service(), service("api")
        async with Backend("a") as one:
            for made in (web, api):
                await envoy.apply(made, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            os.kill(envoy_pid(envoy), signal.SIGKILL)
            await until(lambda: _gone(envoy_pid(envoy)))
            with socket.socket() as thief:
                thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                await until(lambda: binds(thief, web.listener.http or 0))
                thief.listen()
                for _ in range(2):
                    await envoy.ensure()
                    assert f"pid {os.getpid()}" in "".join(envoy.complaints())
                assert (await fetch(http, url(api))).body == "a"
            await envoy.ensure()
            assert not envoy.complaints()
            assert (await fetch(http, url(web))).body == "a"

    async def test_services_that_change_together_are_told_of_together_and_refused_alone(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Of ten Envoy hears not ten times as often as of one; where it refuses one of them, the others are served."""
        async with Backend("a") as one:
            addresses, asked = {"a": one.address}, routing({1: 100}, {1: "a"})

            def heard() -> int:
                said = envoy._discovery.with_process(envoy._process.node)
                return said._nonce if said else 0

            before = heard()
            await envoy.apply(service(), asked, addresses, 1)
            alone, before = heard() - before, heard()
            ten = [service(f"s{n}") for n in range(10)]
            with socket.socket() as thief:
                thief.bind(("127.0.0.1", 0))
                thief.listen()
                taken = service("taken", port=thief.getsockname()[1])
                wave = [envoy.apply(made, asked, addresses, 1) for made in (*ten, taken)]
                *fine, refused = await asyncio.gather(*wave, return_exceptions=True)
            assert all(isinstance(took, float) for took in fine), fine
            assert isinstance(refused, PlatformError)
            assert f"pid {os.getpid()}" in str(refused)
            assert [(await fetch(http, url(made))).body for made in ten] == ["a"] * 10
            before = heard()
            await asyncio.gather(*(envoy.apply(m, routing({1: 1}, {1: "a", 2: "a"}), addresses, 1) for m in ten))
            assert heard() - before < 5 * alone

    async def test_a_removal_that_is_broken_off_keeps_nobody_from_coming_back(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Cancelled when Envoy has no routes of it any more and the book still has it: the next apply brings them."""
        web = service()
        async with Backend("a") as one:
            asked = routing({1: 100}, {1: "a"})
            await envoy.apply(web, asked, {"a": one.address}, 1)
            removal = asyncio.create_task(envoy.remove(web.key, 1))
            while web.key in envoy._live:  # noqa: ASYNC110  it has to be cancelled in that very moment
                await asyncio.sleep(0)
            removal.cancel()
            await asyncio.gather(removal, return_exceptions=True)
            assert web.key in await envoy.known()
            await envoy.apply(web, asked, {"a": one.address}, 2)
            assert (await fetch(http, url(web))).body == "a"

    async def test_what_a_group_counted_outlives_it(self, envoy: EnvoyBalancer, http: aiohttp.ClientSession) -> None:
        """Envoy forgets a release that is gone; the service's total does not, and its next counts come on top."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await envoy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            assert {(await fetch(http, url(web))).body for _ in range(5)} == {"a"}
            await envoy.apply(web, routing({2: 100}, {2: "b"}), addresses, 1)
            assert (await envoy.report(web.key)).traffic.total.requests == 5
            assert {(await fetch(http, url(web))).body for _ in range(3)} == {"b"}
            report = await envoy.report(web.key)
            assert (report.traffic.total.requests, report.groups[2].requests) == (8, 3)

    async def test_a_health_check_may_take_as_long_as_its_timeout_says(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """1.3 s of 5: a new instance is accepted, and one that becomes so slow keeps its traffic."""
        web = service(health=HealthCheck(path="/health", interval=0.1, timeout=5, unhealthy=1))
        async with Backend("a") as one:
            one.health_takes = 1.3
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            checks = one.checks
            for _ in range(3):
                assert (await fetch(http, url(web))).body == "a"
                await until(lambda so_far=one.checks: one.checks > so_far)
            assert (await fetch(http, url(web))).body == "a"
            assert one.checks > checks + 2

    async def test_a_slow_release_is_waited_for_by_its_own_check(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """The service that leads is checked for a second, the release that comes for ten: four are in time."""
        web = service(health=HealthCheck(path="/health", interval=30, timeout=1))
        checks = {1: web.health, 2: HealthCheck(path="/health", interval=30, timeout=10)}
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            two.health_takes = 4.0
            await envoy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1, checks)
            await envoy.apply(web, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1, checks)
            assert (await fetch(http, url(web))).body == "b"

    async def test_a_successor_is_asked_for_by_nobody_else(self, envoy: EnvoyBalancer, tmp_path: Path) -> None:
        """The sockets on which Envoy hands over its ports are files of its owner alone, none of them abstract."""
        record = envoy._process.record
        assert record is not None
        assert not abstract_sockets(record.base_id)
        sockets = [path for path in (tmp_path / "envoy").iterdir() if path.is_socket()]
        assert {path.name.split("_")[0] for path in sockets} >= {"handover"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in sockets} == {0o600}
        await envoy.restart()
        handed = [path for path in (tmp_path / "envoy").glob("handover*") if path.is_socket()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in handed} == {0o600}

    async def test_an_envoy_whose_sockets_anybody_could_ask_for_is_replaced_beside_it(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """One that an earlier crossfade started has its sockets elsewhere: the next one opens the same ports itself."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            assert envoy._process.record is not None
            envoy._process.record = replace(envoy._process.record, handover="")
            old = envoy_pid(envoy)
            await envoy.restart()
            assert envoy_pid(envoy) != old
            assert envoy._process.record.handover == "handover"
            assert (await fetch(http, url(web))).body == "a"

    async def test_an_envoy_whose_sockets_somebody_deleted_is_replaced_beside_it(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """A successor could not ask for its ports; it is the new one that is told what comes next."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            old = envoy_pid(envoy)
            for path in (tmp_path / "envoy").glob("handover_*"):
                path.unlink()
            await envoy.restart()
            assert envoy_pid(envoy) != old
            assert envoy._process.record is not None
            assert await envoy._admin.alive(envoy._process.record.base_id, 0)
            async with asyncio.timeout(30):
                await envoy.apply(web, routing({2: 100}, {2: "b"}), {"b": two.address}, 2)
            assert (await fetch(http, url(web))).body == "b"

    async def test_one_that_was_stopped_leaves_no_socket(self, envoy: EnvoyBalancer, tmp_path: Path) -> None:
        """Neither its own, nor those of the ones before it and of one that was killed."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            os.kill(envoy_pid(envoy), signal.SIGKILL)
            await envoy.died(10)
            await envoy.ensure()
            await envoy.restart()
            await envoy.shutdown()
            assert [path.name for path in (tmp_path / "envoy").iterdir() if path.is_socket()] == []

    async def test_an_envoy_that_hangs_is_replaced(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """By the controller that knows it, and by one that has just begun; what it held is on record as unknown."""
        web = service()
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await _hang_until_replaced(envoy, envoy)
            assert (await fetch(http, url(web))).body == "a"
            await envoy.close()
            second = EnvoyBalancer(tmp_path / "envoy", TokenFence())
            await _hang_until_replaced(envoy, second)
            assert (await fetch(http, url(web))).body == "a"
            assert (await second.report(web.key)).traffic.balancer_deaths == 2
            await second.shutdown()
            await second.close()

    async def test_an_envoy_that_dies_while_it_is_told_ends_the_apply(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """With a PlatformError, whatever it waits for; the old routing is the one that comes back."""
        web = service(health=HealthCheck(path="/health", interval=30, timeout=20))
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await envoy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            two.health_takes = 20.0
            applying = asyncio.create_task(envoy.apply(web, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1))
            await until(lambda: two.checks)
            os.kill(envoy_pid(envoy), signal.SIGKILL)
            with pytest.raises(PlatformError):
                await applying
            await envoy.ensure()
            assert (await fetch(http, url(web))).body == "a"

    async def test_a_service_that_hangs_delays_nobody_elses_return(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession
    ) -> None:
        """Envoy is back before it knows who is healthy: others are served while one check is still open."""
        web = service()
        slow = service("slow", health=HealthCheck(path="/health", interval=30, timeout=60))
        async with Backend("a") as one, Backend("b") as two:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await envoy.apply(slow, routing({1: 100}, {1: "b"}), {"b": two.address}, 1)
            two.health_takes = 60.0
            os.kill(envoy_pid(envoy), signal.SIGKILL)
            await until(lambda: _refuses(http, web))
            await envoy.ensure()
            await until(lambda: _served(http, web))
            assert (await fetch(http, url(slow))).status == 503

    async def test_services_and_releases_take_nothing_that_a_user_has_few_of(self, envoy: EnvoyBalancer) -> None:
        """No inotify instance, of which Debian gives a user 128: Envoy aborts, for all apps, when it gets none."""
        async with Backend("a") as one:
            for name in ("one", "two", "three"):
                made = service(name)
                await envoy.apply(made, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
                await envoy.apply(made, routing({2: 100}, {1: "a", 2: "b"}), {"a": one.address, "b": one.address}, 1)
            assert not [held for held in held_by(envoy_pid(envoy)) if "inotify" in held]

    async def test_an_envoy_that_was_started_otherwise_is_replaced(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """An earlier crossfade started it: the next controller has it finish what it holds, and counts go on."""
        web = service()
        record = tmp_path / "envoy" / "process.json"
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            held = asyncio.create_task(fetch(http, url(web, "/hold")))
            await until(lambda: one.seen)
            old = envoy_pid(envoy)
            await envoy.close()
            record.write_text(json.dumps(json.loads(record.read_text()) | {"bootstrap": ""}))
            second = EnvoyBalancer(tmp_path / "envoy", TokenFence(), parent_shutdown=4)
            await second.ensure()
            assert envoy_pid(second) != old
            assert (await fetch(http, url(web))).body == "a"
            one.gate.set()
            assert (await held).body == "a"
            await second.shutdown()
            await second.close()

    async def test_an_envoy_serves_on_while_no_controller_is_there(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """And the next one, which finds it as it should be, is told at once of what it has."""
        web = service()
        async with Backend("a") as one, Backend("b") as two:
            addresses = {"a": one.address, "b": two.address}
            await envoy.apply(web, routing({1: 100}, {1: "a"}), addresses, 1)
            await envoy.close()
            assert {(await fetch(http, url(web))).body for _ in range(5)} == {"a"}
            second = EnvoyBalancer(tmp_path / "envoy", TokenFence())
            await second.ensure()
            await second.apply(web, routing({2: 100}, {1: "a", 2: "b"}), addresses, 1)
            assert {(await fetch(http, url(web))).body for _ in range(5)} == {"b"}
            await second.close()

    async def test_shutdown_leaves_nothing_behind(self, tmp_path: Path) -> None:
        """No process, no shared memory; and a directory whose name is long is no obstacle."""
        directory = tmp_path / ("long" * 30) / "envoy"
        balancer = EnvoyBalancer(directory, TokenFence())
        try:
            await balancer.ensure()
            record = balancer._process.record
            assert record is not None
            assert memory(record.base_id).exists()
            assert directory.stat().st_mode & 0o777 == 0o700
        finally:
            await balancer.shutdown()
            await balancer.close()
        assert not record.main.running
        assert not memory(record.base_id).exists()

    async def test_a_log_that_is_begun_anew_loses_no_failure(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        """Logs stay small, and every failure is counted whichever file it is in."""
        balancer = EnvoyBalancer(tmp_path / "small", TokenFence(), log_limit=2000)
        web = service()
        try:
            async with Backend("a") as one:
                await balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
                for number in range(60):
                    await fetch(http, url(web, "/fail"))
                    if number % 20 == 0:
                        balancer._counting._saved_at -= 60  # a minute later
                        await settled(balancer, web)
                assert (await settled(balancer, web)).failed == (("500 from instance", 60),)
                assert sum(path.stat().st_size for path in (tmp_path / "small").glob("failures.log*")) < 10_000
        finally:
            await balancer.shutdown()
            await balancer.close()

    async def test_an_access_log_is_written_when_asked_for(
        self, envoy: EnvoyBalancer, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        """One JSON line a request."""
        web = service(listener=Listener(host="127.0.0.1", http=free_port(), access_log=True))
        log = tmp_path / "envoy" / "access.log"
        async with Backend("a") as one:
            await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
            await fetch(http, url(web, "/x?y=1"))
            await until(lambda: _written(log))
            line = json.loads(log.read_text().splitlines()[0])
            assert (line["method"], line["path"], line["code"], line["cluster"]) == ("GET", "/x?y=1", 200, "shop/web/1")


async def _clusters(envoy: EnvoyBalancer) -> set[str]:
    said = json.loads(await envoy._admin.get("/clusters", format="json"))
    return {cluster["name"] for cluster in said["cluster_statuses"]}


async def _refuses(http: aiohttp.ClientSession, service: Service) -> bool:
    return (await fetch(http, url(service))).status == 0


async def _served(http: aiohttp.ClientSession, service: Service) -> bool:
    return (await fetch(http, url(service))).status == 200


async def _keep_connecting(service: Service, statuses: list[int]) -> None:
    while True:
        status = 0
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await stream(service, "GET / HTTP/1.1\nhost: x\nconnection: close\n")
            status = int((await reader.readuntil(b"\r\n\r\n")).split()[1])
            writer.close()
        statuses.append(status)
        await asyncio.sleep(0.002)


def _gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


async def _tidied(balancer: EnvoyBalancer, pid: int) -> bool:
    await balancer.ensure()
    return _gone(pid)


async def _hang_until_replaced(envoy: EnvoyBalancer, by: EnvoyBalancer) -> None:
    old = envoy_pid(envoy)
    os.kill(old, signal.SIGSTOP)
    await until(lambda: _replaces(by, old), seconds=15)
    await until(lambda: _gone(old))


async def _replaces(balancer: EnvoyBalancer, old: int) -> bool:
    with suppress(PlatformError):  # it may be asked while it is being found out
        await balancer.ensure()
    return envoy_pid(balancer) != old


def _written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())
