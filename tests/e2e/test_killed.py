"""What dies under load: instances, the controller, Envoy. What clients lose by it, and how soon all is whole again."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from tests.adapters.until import until
from tests.support.crowd import Crowd, agree, loses_nothing
from tests.support.machine import App, Machine

from crossfade.core.service import RollbackOn, Service, Strategy
from crossfade.load import Mode
from crossfade.platforms.local.balancers.known import KnownProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(name="blue-green", timeout=10.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))
ASKS = replace(QUICK, name="canary", steps=(50, 100), approve=(50,))
GETS = (Mode.KEEPALIVE, Mode.CONNECTION)


async def _instances(shop: App, release: int) -> list[str]:
    return [i["id"] for i in (await shop.status())["instances"] if i["release"] == release]


async def test_an_instance_killed_in_a_rollout_is_replaced_and_its_losses_are_counted(shop: App) -> None:
    """An old instance dies while the canary is watched: GETs are asked again elsewhere, and the proof has the rest."""
    await shop.deploy(shop.service(strategy=QUICK))
    rollout = await shop.begin(shop.service(strategy=ASKS, tag="2"))
    await shop.waits_for("promote")
    doomed, _ = await _instances(shop, 1)
    async with Crowd(shop.url, *GETS) as gets, Crowd(shop.url, Mode.POST, Mode.DOWNLOAD) as others:
        await asyncio.sleep(0.5)
        os.kill(shop.pid_of(doomed), signal.SIGKILL)
        await shop.until(lambda s: doomed not in {i["id"] for i in s["instances"]})
        await shop.until(lambda s: sum(i["state"] == "healthy" for i in s["instances"]) == 4)
        await asyncio.sleep(0.5)
        await shop.order("promote")
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    loses_nothing(gets.report)
    assert others.report.failed <= 6  # three clients of each kind had one request under way
    agree(gets.report + others.report, result)


async def test_an_instance_killed_in_steady_state_is_replaced(shop: App) -> None:
    """No GET is lost; of the rest, at most what the instance was answering."""
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url, *GETS) as gets, Crowd(shop.url, Mode.POST, Mode.DOWNLOAD) as others:
        for _ in range(3):
            await asyncio.sleep(0.3)
            doomed, _ = before = await _instances(shop, 1)
            os.kill(shop.pid_of(doomed), signal.SIGKILL)
            await shop.until(lambda s, gone=doomed: all(i["id"] != gone for i in s["instances"]))
            await shop.settled(1)
            assert len(set(await _instances(shop, 1)) & set(before)) == 1
    loses_nothing(gets.report)
    assert others.report.failed <= 3 * 6


async def test_a_crash_loop_in_steady_state_goes_on_and_says_why(shop: App) -> None:
    """A service that dies of its requests is started again, each end has its reason; it serves when they stop."""

    async def ends() -> list[Any]:
        found = await shop.events("instance exited")
        return found if len(found) >= 3 else []

    await shop.deploy(shop.service(strategy=QUICK, replicas=1, fault="dies=30"))
    async with Crowd(shop.url, *GETS) as crowd:
        exits = [event["data"] for event in await until(ends, 60.0)]
    assert len({each["instance"] for each in exits}) == len(exits)
    assert {(each["detail"], each["was_healthy"]) for each in exits} == {("exited with code 3", True)}
    assert crowd.report.failed > 0
    await shop.settled(1, replicas=1)


async def test_a_crash_loop_beside_a_warm_release_costs_no_get(shop: App) -> None:
    """The old release stands in whenever nothing of the new one can answer, which is told; and gives it back."""

    async def stood_in() -> list[Any]:
        found = [event["data"].get("stands_in_for") for event in await shop.events("routed")]
        return found if found.count(2) >= 2 else []  # the second time after it had the traffic back

    warm = replace(QUICK, keep_previous=600.0)
    await shop.deploy(shop.service(strategy=warm, replicas=1))
    await shop.deploy(shop.service(strategy=warm, replicas=1, tag="2", fault="dies=30"))
    async with Crowd(shop.url, *GETS) as gets:
        await until(stood_in, 60.0)
        await shop.until(lambda s: s["stands_in"] is not None and s["stands_in"]["release"] == 1)
    loses_nothing(gets.report)
    assert set(gets.report.releases) == {"1", "2"}
    status = await shop.until(lambda s: s["stands_in"] is None)
    assert status["release"] == 2


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL])
async def test_a_controller_that_goes_and_comes_back_is_noticed_by_nobody(
    own_machine: Machine, live: Callable[..., Service], number: signal.Signals
) -> None:
    """Everything goes on serving without it; its successor finds the same instances, and steers them."""
    shop = own_machine.app()
    await shop.deploy(live(shop, strategy=QUICK))
    before, envoy = await shop.settled(1), own_machine.balancer_pid()
    async with Crowd(shop.url, *Mode, paths={Mode.POST: "/upload"}) as crowd:
        own_machine.kill(number)
        await asyncio.sleep(0.5)
        await own_machine.up()
        after = await shop.settled(1)
        await shop.scale(3)
    assert {i["id"] for i in before["instances"]} == {i["id"] for i in after["instances"]}
    assert own_machine.balancer_pid() == envoy
    assert crowd.report.told_to_close == 0
    loses_nothing(crowd.report)


@pytest.mark.long  # tests/crash has one killed at journal writes, and the test above one whose clients notice nothing
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_rollout_goes_on_under_the_next_controller(own_machine: Machine, number: signal.Signals) -> None:
    """Killed in the middle of a canary: the successor finishes it, and its proof has both halves."""
    shop = own_machine.app()
    strategy = replace(QUICK, name="canary", steps=(50, 100), bake=1.0)
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url) as crowd:
        rollout = await shop.begin(shop.service(strategy=strategy, tag="2"))
        await shop.waits_for("baking")
        own_machine.kill(number)
        halfway = crowd.report.requests
        await asyncio.sleep(0.5)
        await own_machine.up()
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    assert result["traffic"]["requests"] > halfway
    loses_nothing(crowd.report, result)


@pytest.mark.long
async def test_damaged_files_of_the_balancer_keep_no_controller_from_going_on(own_machine: Machine) -> None:
    """They are set aside, which `status` says, and clients lose nothing: not even when the next release goes out."""
    shop, folder = own_machine.app(), own_machine.state / "balancer"
    for tag in ("1", "2"):
        await shop.deploy(shop.service(strategy=QUICK, tag=tag))
    await shop.settled(2)
    async with Crowd(shop.url, *GETS) as crowd:
        own_machine.kill()
        for name in ("book.json", "counts.json"):
            (folder / name).write_bytes(b'{"entries": \0')
        await own_machine.up()
        told = (await own_machine.call("GET", "/v1/status"))["trouble"]
        result = await shop.deploy(shop.service(strategy=QUICK, tag="3"))
        await shop.settled(3)
    assert [one for one in told if "book.json.damaged" in one], told
    assert result["rollout"]["state"] == "succeeded", result
    loses_nothing(crowd.report, result)


@pytest.mark.long  # that of a killed one shows more
async def test_a_restart_of_envoy_loses_nothing(own_machine: Machine) -> None:
    """In the middle of a canary: the successor takes the ports and the routing over, and the proof goes on counting."""
    shop = own_machine.app()
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url) as crowd:
        rollout = await shop.begin(shop.service(strategy=ASKS, tag="2"))
        await shop.waits_for("promote")
        first, before = own_machine.balancer_pid(), crowd.report.requests
        await own_machine.restart_balancer()
        assert own_machine.balancer_pid() != first
        await asyncio.sleep(0.5)
        await shop.order("promote")
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    assert result["traffic"]["failed"] == 0
    # One request of each client may be under way while the totals change hands, and be in neither or in both.
    assert before - 12 <= result["traffic"]["requests"] <= crowd.report.requests + 12
    loses_nothing(crowd.report)


async def test_envoy_killed_is_back_with_the_same_routing(own_machine: Machine) -> None:
    """Clients lose the gap and nothing after it: the routing, here a canary at 50 %, is the one that was."""
    shop = own_machine.app()
    await shop.deploy(shop.service(strategy=QUICK))
    rollout = await shop.begin(shop.service(strategy=ASKS, tag="2"))
    await shop.waits_for("promote")
    async with Crowd(shop.url) as crowd:
        await asyncio.sleep(0.5)
        killed = time.monotonic()
        os.kill(own_machine.balancer_pid(), signal.SIGKILL)
        back = await _answers_again(shop)
        told = await until(lambda: _trouble(own_machine))
        await asyncio.sleep(0.3)
        before = crowd.report
        await asyncio.sleep(1.0)
        after = crowd.report
        await shop.order("promote")
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    report = crowd.report
    assert 0 < report.failed == before.failed  # nothing was lost after the gap
    assert all(killed <= loss.at <= back + 0.3 for loss in report.losses)
    assert set(report.causes) <= {"refused", "reset", "closed", "truncated"}
    # Who is dead counts nothing: what the gap cost is known to the clients alone, and the proof says so.
    assert (result["traffic"]["failed"], result["traffic"]["balancer_deaths"]) == (0, 1)
    assert told == ["the balancer: its process ended, and another one was started"]
    old, new = (after.releases[r].requests - before.releases[r].requests for r in ("1", "2"))
    assert 0.3 < new / (old + new) < 0.7


async def _trouble(machine: Machine) -> list[str]:
    return list((await machine.call("GET", "/v1/status"))["trouble"])


@pytest.mark.long
async def test_a_controller_whose_socket_was_deleted_can_be_given_orders_again(own_machine: Machine) -> None:
    """By the same controller: nobody else may become it while it runs."""
    machine = own_machine
    shop = machine.app()
    await shop.deploy(shop.service(strategy=QUICK))
    (machine.state / "api.sock").unlink()

    async def answers() -> bool:
        with suppress(aiohttp.ClientError):
            return bool((await shop.status())["release"] == 1)
        return False

    assert await until(answers)
    assert (machine.state / "api.sock").stat().st_mode & 0o777 == 0o600
    assert machine.process is not None
    assert machine.process.poll() is None


@pytest.mark.long
async def test_an_envoy_that_hangs_is_replaced(own_machine: Machine) -> None:
    """Stopped in the middle of everything: it would never end by itself, and its clients would wait for ever."""
    shop = own_machine.app()
    await shop.deploy(shop.service(strategy=QUICK))
    stopped = own_machine.balancer_pid()
    os.kill(stopped, signal.SIGSTOP)
    await _answers_again(shop)
    assert own_machine.balancer_pid() != stopped
    await shop.settled(1)
    # It keeps its ports until the new one has them, and whoever reaps it may take a while.
    await until(lambda: not KnownProcess.of(stopped).running)


async def _answers_again(shop: App) -> float:
    """When a first connection is answered."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            line = await reader.readline()
            writer.close()
        except OSError:
            line = b""
        if line.startswith(b"HTTP/1.1 200"):
            return time.monotonic()
        await asyncio.sleep(0.01)
