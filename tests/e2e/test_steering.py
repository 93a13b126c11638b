"""People steer rollouts under load: hold, go on, give up, overtake, forbid, and change the size of the fleet."""

import asyncio
import time
from dataclasses import replace

import pytest
from tests.support.crowd import Crowd, loses_nothing
from tests.support.machine import App

from crossfade.core.service import RollbackOn, Service, Strategy

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(name="blue-green", timeout=10.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))
ASKS = replace(QUICK, name="canary", steps=(20, 100), approve=(20,))


async def _asks(shop: App) -> int:
    """A second release that waits at 20 % for `promote`; its rollout."""
    await shop.deploy(shop.service(strategy=QUICK))
    rollout = await shop.begin(shop.service(strategy=ASKS, tag="2"))
    await shop.waits_for("promote")
    return rollout


async def test_a_step_that_asks_waits_for_promote(shop: App) -> None:
    """It stays at its share until a person agrees, and then goes on without a loss."""
    rollout = await _asks(shop)
    async with Crowd(shop.url) as crowd:
        await asyncio.sleep(1.0)
        held = crowd.report.releases
        assert 0 < held["2"].requests < held["1"].requests
        await shop.order("promote")
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded"
    loses_nothing(crowd.report, result)


async def test_an_abort_takes_the_release_back_without_a_loss(shop: App) -> None:
    """It is on record who did it and why; the release is not called bad."""
    rollout = await _asks(shop)
    async with Crowd(shop.url) as crowd:
        await asyncio.sleep(0.3)
        await shop.order("abort", reason="wrong button")
        result = await shop.outcome(rollout)
        await shop.settled(1)
    assert (result["rollout"]["state"], result["rollout"]["reason"]) == ("aborted", "wrong button")
    assert (await shop.releases())[2]["outcome"] == "aborted"
    loses_nothing(crowd.report, result)


@pytest.mark.parametrize("name", ["rolling", pytest.param("blue-green", marks=pytest.mark.long)])
async def test_an_abort_in_the_middle_of_starting_loses_nothing(shop: App, name: str) -> None:
    """However far it came: the old fleet is whole again, and served all the time."""
    strategy = replace(QUICK, name=name, min_healthy=50, max_surge=50, warmup=0.5, checkpoints=(50, 100))
    await shop.deploy(shop.service(strategy=QUICK, replicas=3))
    async with Crowd(shop.url) as crowd:
        rollout = await shop.begin(shop.service(strategy=strategy, replicas=3, tag="2"))
        await shop.until(lambda s: any(i["release"] == 2 for i in s["instances"]))
        await shop.order("abort")
        result = await shop.outcome(rollout)
        await shop.settled(1, replicas=3)
    assert (result["rollout"]["state"], result["rollout"]["reason"]) == ("aborted", "aborted by tester")
    loses_nothing(crowd.report, result)


async def test_a_paused_rollout_stays_where_it_is(shop: App) -> None:
    """Paused in the middle of a rolling update: both releases serve, nothing moves, and `resume` finishes it."""
    strategy = replace(QUICK, name="rolling", min_healthy=100, max_surge=50, checkpoints=(50, 100), bake=0.5)
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url) as crowd:
        rollout = await shop.begin(shop.service(strategy=strategy, tag="2"))
        await shop.waits_for("baking")
        await shop.order("pause")
        paused = await shop.waits_for("resume")
        await asyncio.sleep(1.0)
        still = await shop.status()
        assert still["rollout"]["paused"] is True
        assert {i["id"] for i in still["instances"]} <= {i["id"] for i in paused["instances"]}, "something was started"
        assert {i["release"] for i in still["instances"] if i["weight"]} == {1, 2}
        await shop.order("resume")
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded"
    loses_nothing(crowd.report, result)


async def test_a_second_deploy_is_refused_with_who_and_since_when(shop: App) -> None:
    """The one that runs is not disturbed."""
    rollout = await _asks(shop)
    async with Crowd(shop.url) as crowd:
        error = await shop.refused(shop.service(strategy=QUICK, tag="3"), by="kim")
        since = (await shop.status())["rollout"]["since"]
        await shop.order("promote")
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert error["exit_code"] == 3
    assert "by tester" in error["cause"]
    assert _clock(since) in error["cause"]
    assert "--supersede" in error["way_out"]
    loses_nothing(crowd.report, result)


async def test_a_deploy_that_supersedes_takes_the_running_one_back_first(shop: App) -> None:
    """Three releases in a row under load, the middle one overtaken, and nothing lost."""
    first = await _asks(shop)
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(strategy=QUICK, tag="3"), by="kim", supersede=True)
        overtaken = await shop.outcome(first)
        await shop.settled(3)
    assert (overtaken["rollout"]["state"], overtaken["rollout"]["reason"]) == ("aborted", "superseded by kim")
    assert result["rollout"]["state"] == "succeeded"
    assert result["rollout"]["from"] == 1
    loses_nothing(crowd.report, overtaken, result)


async def test_a_locked_service_is_left_alone(shop: App) -> None:
    """Neither deploy nor rollback until it is unlocked; the refusal says who locked it and why."""
    service = shop.service(strategy=replace(QUICK, keep_previous=30.0))
    await shop.deploy(service)
    await shop.deploy(shop.service(strategy=service.strategy, tag="2"))
    async with Crowd(shop.url) as crowd:
        await shop.order("lock", reason="the big sale")
        for error in (await shop.refused(shop.service(tag="3")), await shop.rollback_refused()):
            assert error["exit_code"] == 3
            assert "locked by tester since" in error["cause"]
            assert "the big sale" in error["cause"]
        await shop.order("unlock")
        result = await shop.rollback()
    assert result["rollout"]["state"] == "succeeded"
    loses_nothing(crowd.report, result)


async def test_scaling_up_and_down_loses_nothing(shop: App) -> None:
    """New instances serve once they are healthy; those that go finish what they hold."""
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url) as crowd:
        for replicas in (4, 1, 3):
            await shop.scale(replicas)
            await shop.settled(1, replicas)
        again = await shop.deploy(shop.service(strategy=QUICK, tag="2"))
        await shop.settled(2, replicas=3)
    assert again["rollout"]["state"] == "succeeded"
    loses_nothing(crowd.report, again)
    assert len(shop.processes()) == 3


async def test_the_same_again_is_refused_unless_forced(shop: App) -> None:
    """Nothing changed: there is nothing to ship."""
    service: Service = shop.service(strategy=QUICK)
    await shop.deploy(service)
    async with Crowd(shop.url) as crowd:
        error = await shop.refused(service)
        assert (error["exit_code"], error["kind"]) == (3, "unchanged")
        result = await shop.deploy(service, force=True)
    assert result["rollout"]["state"] == "succeeded"
    loses_nothing(crowd.report, result)


async def test_down_in_the_middle_of_a_rollout_ends_everything(shop: App) -> None:
    """Refused unless forced; then nothing runs, and the port is closed again."""
    await _asks(shop)
    async with Crowd(shop.url) as crowd:
        status, answer = await shop.machine.ask("POST", "/v1/down", {"app": shop.name, "by": "tester"})
        assert (status, answer["error"]["exit_code"]) == (409, 3)
    loses_nothing(crowd.report)
    await shop.down()
    assert shop.processes() == []
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", shop.port)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
