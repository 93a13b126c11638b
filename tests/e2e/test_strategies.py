"""Every strategy ships a good release of a real application while every kind of client uses it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.adapters.until import until
from tests.support.crowd import Crowd, agree, loses_nothing
from tests.support.machine import App

from crossfade.core.service import RollbackOn, Service, Strategy
from crossfade.load import Mode

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(timeout=15.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))
PATHS = {Mode.POST: "/upload"}
STRATEGIES = {
    "blue-green": replace(QUICK, name="blue-green", bake=0.3),
    "canary": replace(QUICK, name="canary", steps=(10, 50, 100), bake=0.3),
    "linear": replace(QUICK, name="linear", steps=(33, 66, 100), bake=0.2),
    "rolling": replace(QUICK, name="rolling", min_healthy=100, max_surge=50, checkpoints=(50, 100)),
}


@pytest.mark.parametrize(
    "name", ["blue-green", "rolling", *(pytest.param(name, marks=pytest.mark.long) for name in ("canary", "linear"))]
)
async def test_a_good_release_takes_over_without_a_loss(shop: App, live: Callable[..., Service], name: str) -> None:
    """Requests, uploads, slow downloads, WebSockets and event streams all go on from one release to the next."""
    strategy = STRATEGIES[name]
    await shop.deploy(live(shop, strategy=strategy))
    async with Crowd(shop.url, *Mode, paths=PATHS) as crowd:
        result = await shop.deploy(live(shop, strategy=strategy, tag="2"))
        await shop.settled(2)
        switched = crowd.report
    assert result["rollout"]["state"] == "succeeded", result
    report = crowd.report
    loses_nothing(report, result)
    assert report.modes.keys() == set(Mode)
    assert report.told_to_close >= 6  # three WebSockets and three event streams, each at least once
    assert report.releases["1"].requests - switched.releases["1"].requests <= 1, "the old release was asked again"


async def test_recreate_loses_the_gap_and_nothing_else(shop: App) -> None:
    """What must not run twice is stopped before its successor starts: requests fail between, and only then."""
    strategy = replace(QUICK, name="recreate")
    await shop.deploy(shop.service(strategy=strategy, replicas=1))
    async with Crowd(shop.url) as crowd:
        result = await shop.deploy(shop.service(strategy=strategy, replicas=1, tag="2"))
    report = crowd.report
    assert result["rollout"]["state"] == "succeeded", result
    assert report.failed > 0
    assert set(result["traffic"]["causes"]) == {"no release serving"}
    agree(report, result)
    last, first = report.releases["1"].last_sent, report.releases["2"].first_seen
    assert all(last <= loss.at <= first for loss in report.losses)


async def test_a_rollback_to_a_warm_release_is_one_switch(shop: App, live: Callable[..., Service]) -> None:
    """The old fleet stands by: going back starts nothing, and nobody loses anything on the way there and back."""
    strategy = replace(QUICK, name="blue-green", keep_previous=60.0)
    await shop.deploy(live(shop, strategy=strategy))
    async with Crowd(shop.url, *Mode, paths=PATHS) as crowd:
        there = await shop.deploy(live(shop, strategy=strategy, tag="2"))
        warm = {i["id"] for i in (await shop.status())["instances"] if i["release"] == 1}
        back = await shop.rollback()
        status = await shop.settled(1)
    assert back["rollout"]["state"] == "succeeded", back
    assert {i["id"] for i in status["instances"]} == warm
    loses_nothing(crowd.report, there, back)


@pytest.mark.long
async def test_a_rollback_to_a_cold_release_starts_it_first(shop: App, live: Callable[..., Service]) -> None:
    """The old fleet is gone: it is started again, and takes the traffic only when it can."""
    strategy = replace(QUICK, name="blue-green")
    await shop.deploy(live(shop, strategy=strategy))
    await shop.deploy(live(shop, strategy=strategy, tag="2"))
    await shop.settled(2)
    async with Crowd(shop.url, *Mode, paths=PATHS) as crowd:
        back = await shop.rollback()
        await shop.settled(1)
    assert back["rollout"]["state"] == "succeeded", back
    assert (await shop.releases())[2]["outcome"] == "bad"
    loses_nothing(crowd.report, back)


async def test_a_first_deploy_opens_the_door(shop: App) -> None:
    """Before it nobody listens; after it nothing is lost."""
    result = await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url) as crowd:
        await shop.settled(1)
    assert result["rollout"]["from"] is None
    assert result["traffic"]["failed"] == 0
    loses_nothing(crowd.report)


async def test_the_proof_counts_exactly_what_came_while_the_rollout_ran(shop: App) -> None:
    """Requests before and after are none of its; of those within, each is in it, once."""
    strategy = replace(QUICK, name="canary", steps=(50, 100), approve=(50,), rollback_on=RollbackOn(error_rate=None))
    await shop.deploy(shop.service(strategy=QUICK))
    async with Crowd(shop.url):
        await shop.settled(1)
    rollout = await shop.begin(shop.service(strategy=strategy, fault="errors"))
    await shop.waits_for("promote")
    async with Crowd(shop.url) as within:
        await until(lambda: within.report.failed)
    await shop.order("promote")
    result = await shop.outcome(rollout)
    async with Crowd(shop.url):
        await shop.settled(2)
    assert result["traffic"]["requests"] == within.report.requests
    agree(within.report, result)
