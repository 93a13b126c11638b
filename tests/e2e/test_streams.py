"""Long-lived connections and slow answers across a release: let finish, told to close, and never all at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.support.crowd import Crowd, agree, loses_nothing
from tests.support.machine import App

from crossfade.core.service import Hooks, RollbackOn, Service, Strategy
from crossfade.load import LoadGenerator, Mode

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROLLING = Strategy(
    name="rolling",
    min_healthy=100,
    max_surge=50,
    timeout=15.0,
    keep_previous=0.0,
    rollback_on=RollbackOn(min_requests=5),
)


async def test_a_slow_download_survives_a_rolling_update(shop: App, live: Callable[..., Service]) -> None:
    """The drain waits for each of them, and not for its own end: that would be ten minutes."""
    service = live(shop, strategy=ROLLING, drain=600.0)
    await shop.deploy(service)
    downloads = LoadGenerator(shop.url, mode=Mode.DOWNLOAD, path="/download?seconds=1", clients=4)
    async with Crowd(shop.url, Mode.KEEPALIVE) as crowd, downloads:
        await until(lambda: downloads.report().requests)
        result = await shop.deploy(replace(service, env=(*service.env, ("TAG", "2"))))
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    assert downloads.report().failed == 0, downloads.report().losses
    assert set(downloads.report().releases) == {"1", "2"}
    assert result["traffic"]["drained"] >= 1
    assert result["traffic"]["cut"] == 0
    loses_nothing(crowd.report, result)


async def test_what_outlasts_delay_and_grace_is_cut_and_counted(shop: App) -> None:
    """Nobody waits for ever: these clients lose their download, and the proof says how many."""
    service = shop.service(strategy=ROLLING, drain=0.5, grace=0.3)
    await shop.deploy(service)
    downloads = LoadGenerator(shop.url, mode=Mode.DOWNLOAD, path="/download?seconds=20", clients=4, requests=4)
    async with Crowd(shop.url, Mode.KEEPALIVE) as crowd, downloads:
        await asyncio.sleep(0.3)
        result = await shop.deploy(shop.service(strategy=ROLLING, tag="2"))
        report = await downloads.wait()
    assert result["rollout"]["state"] == "succeeded", result
    assert crowd.report.failed == 0
    assert dict(report.causes) == {"truncated": 4}
    assert result["traffic"]["cut"] >= 4  # and a GET, where the machine is busy: the next release answers that
    agree(crowd.report + report, result)


async def test_a_get_without_an_answer_when_its_instance_ends_is_asked_of_the_next_release(shop: App) -> None:
    """It outlasts delay and grace, and no byte of its answer has come: the release that serves now can answer it."""
    strategy = replace(ROLLING, name="blue-green")
    await shop.deploy(shop.service(strategy=strategy, drain=0.5, grace=0.3, fault="late=600"))
    slow = LoadGenerator(shop.url, mode=Mode.KEEPALIVE, clients=1, requests=1, timeout=90.0)
    async with slow:
        await shop.until(lambda s: any(i["in_flight"] for i in s["instances"]))
        result = await shop.deploy(shop.service(strategy=strategy, tag="2"))
        report = await slow.wait()
    assert result["rollout"]["state"] == "succeeded", result
    assert (report.failed, set(report.releases)) == (0, {"2"}), report.losses
    await shop.settled(2)


@pytest.mark.long
async def test_streams_are_told_to_close_one_instance_after_the_other(shop: App, live: Callable[..., Service]) -> None:
    """Their clients come back spread over the delay, to the new release, and miss neither a message nor an event."""
    delay = 3.0
    strategy = replace(ROLLING, name="blue-green")
    service = live(shop, strategy=strategy, drain=delay, replicas=3)
    await shop.deploy(service)
    async with Crowd(shop.url, Mode.WEBSOCKET, Mode.SSE) as crowd:
        await asyncio.sleep(0.5)
        rollout = await shop.begin(replace(service, env=(*service.env, ("TAG", "2"))))
        result = await shop.outcome(rollout)
        closes = await _closes(crowd, since=time.monotonic())
        status = await shop.settled(2, replicas=3)
        await asyncio.sleep(0.3)
    assert result["rollout"]["state"] == "succeeded", result
    loses_nothing(crowd.report)
    assert result["traffic"]["failed"] == 0
    assert len(closes) == 6, "each of the six was told once"
    assert closes[-1] - closes[0] > delay / 3 - 0.3, "they came back in one moment"
    assert {i["release"] for i in status["instances"] if i["streams"]} == {2}


async def _closes(crowd: Crowd, since: float) -> list[float]:
    """When each of the streams was told to close, in seconds."""
    closes: list[float] = []
    while len(closes) < 6 and time.monotonic() - since < 30:
        told = crowd.report.told_to_close
        closes += [time.monotonic() - since] * (told - len(closes))
        await asyncio.sleep(0.02)
    return closes


@pytest.mark.long
async def test_the_drain_hook_may_say_goodbye_first(shop: App, live: Callable[..., Service]) -> None:
    """It runs for each instance that holds streams, before that is told to go, and knows which one."""
    said = shop.machine.root / f"{shop.name}-said"
    hooks = Hooks(drain=f"echo $CROSSFADE_INSTANCE of $CROSSFADE_RELEASE >> {said}")
    service = live(shop, strategy=ROLLING, hooks=hooks)
    await shop.deploy(service)
    first = {f"{i['id']} of 1" for i in (await shop.status())["instances"]}
    async with Crowd(shop.url, Mode.WEBSOCKET, Mode.SSE) as crowd:
        await asyncio.sleep(0.5)
        result = await shop.deploy(replace(service, env=(*service.env, ("TAG", "2"))))
        await shop.settled(2)
    assert result["traffic"]["streams_closed"] >= 6
    assert set(said.read_text().splitlines()) == first
    loses_nothing(crowd.report, result)
