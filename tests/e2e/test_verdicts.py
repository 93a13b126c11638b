"""Too few requests for a verdict: never a silent pass, but what the file says."""

import asyncio
from dataclasses import replace
from typing import Literal

import pytest
from tests.support.crowd import Crowd, loses_nothing
from tests.support.machine import App

from crossfade.core.service import RollbackOn, Strategy
from crossfade.load import Mode

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _strategy(inconclusive: Literal["hold", "ask", "probe"]) -> Strategy:
    rules = RollbackOn(min_requests=50, inconclusive=inconclusive)
    return Strategy(name="canary", steps=(50, 100), bake=0.2, timeout=2.0, keep_previous=0.0, rollback_on=rules)


async def _ready(shop: App) -> None:
    await shop.deploy(shop.service(strategy=Strategy(keep_previous=0.0)))


async def test_hold_waits_for_clients(shop: App) -> None:
    """It goes on when enough of them came, and not before."""
    await _ready(shop)
    rollout = await shop.begin(shop.service(strategy=replace(_strategy("hold"), timeout=30.0), tag="2"))
    await shop.waits_for("of the 50 requests a verdict needs")
    await asyncio.sleep(0.5)
    assert (await shop.status())["rollout"]["step"] == 2
    async with Crowd(shop.url) as crowd:
        result = await shop.outcome(rollout)
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    loses_nothing(crowd.report, result)


async def test_hold_without_clients_takes_the_release_back(shop: App) -> None:
    """Nobody came in all its time: nobody knows if it is good."""
    await _ready(shop)
    result = await shop.deploy(shop.service(strategy=_strategy("hold"), tag="2"))
    await shop.settled(1)
    assert result["rollout"]["state"] == "rolled_back"
    assert "no verdict within 2 s" in result["rollout"]["reason"]
    assert (result["traffic"]["requests"], result["traffic"]["failed"]) == (0, 0)


async def test_ask_leaves_it_to_a_person(shop: App) -> None:
    """At each step that nobody came to."""
    await _ready(shop)
    rollout = await shop.begin(shop.service(strategy=_strategy("ask"), tag="2"))
    for step in (2, 3):
        await shop.until(lambda s, at=step: s["rollout"]["step"] == at)
        await shop.waits_for("only 0 of the 50 requests a verdict needs came: `crossfade promote`")
        await shop.order("promote")
    result = await shop.outcome(rollout)
    await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    assert result["traffic"]["requests"] == 0


async def test_probe_asks_itself_and_does_not_count_that_as_clients(shop: App) -> None:
    """Synthetic requests through the preview route make the sample full; the proof has only what clients sent."""
    await _ready(shop)
    async with Crowd(shop.url, Mode.DOWNLOAD) as crowd:
        result = await shop.deploy(shop.service(strategy=_strategy("probe"), tag="2"))
        await shop.settled(2)
    assert result["rollout"]["state"] == "succeeded", result
    assert len(await shop.events("done")) > 0
    assert result["traffic"]["requests"] < 50
    loses_nothing(crowd.report, result)
