"""Nights, weekends and sales: bounds of scaling that change by the clock, for the colour that serves alone."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from tests.rig import Rig
from tests.support.on_ecs import PACE, OnEcs, reached

from crossfade.controller.order import Order
from crossfade.core.job import Moment, Scale
from crossfade.core.rollout import State

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]
ALL_DAY = Scale(
    least=2,
    most=4,
    moments=(
        Moment(name="night", least=1, most=4, schedule="0 1 * * *", timezone="Asia/Seoul"),
        Moment(name="day", least=3, most=4, schedule="0 7 * * *", timezone="Asia/Seoul"),
    ),
)
RESTS = dict.fromkeys(("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), True)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=1) as rig, reached(rig):
        yield rig


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(rig: Rig) -> AsyncIterator[OnEcs]:
    async with OnEcs(rig, "nights") as shop:
        for colour in shop.place.services:
            rig.client("application-autoscaling").register_scalable_target(
                ServiceNamespace="ecs",
                ResourceId=_resource(colour),
                ScalableDimension="ecs:service:DesiredCount",
                MinCapacity=2,
                MaxCapacity=4,
                SuspendedState=RESTS if colour == "green" else dict.fromkeys(RESTS, False),
            )
        yield shop


def _resource(colour: str) -> str:
    return f"service/nights-dev/nights-dev-web-{colour}"


def actions(rig: Rig) -> dict[str, set[str]]:
    """Names of scheduled actions by colour."""
    found = rig.client("application-autoscaling").describe_scheduled_actions(ServiceNamespace="ecs")
    mine: dict[str, set[str]] = {"blue": set(), "green": set()}
    for one in found["ScheduledActions"]:
        mine[one["ResourceId"].rpartition("-")[2]].add(one["ScheduledActionName"])
    return mine


def target(rig: Rig, colour: str) -> Any:
    asked = {"ServiceNamespace": "ecs", "ResourceIds": [_resource(colour)]}
    return rig.client("application-autoscaling").describe_scalable_targets(**asked)["ScalableTargets"][0]


def serving(shop: OnEcs) -> tuple[str, str]:
    """The colour that has the visitors, and the other."""
    weights = shop.weights()
    one = max(weights, key=lambda colour: weights[colour])
    return one, next(colour for colour in weights if colour != one)


async def test_the_colour_that_serves_has_the_schedule_and_a_switch_moves_it(rig: Rig, shop: OnEcs) -> None:
    """It shrinks at night and grows in the morning whoever is there; the warm one has nothing but its way home."""
    first = replace(shop.service("first"), scale=ALL_DAY)
    rollout = await shop.deploy(first)
    assert rollout.state is State.SUCCEEDED, rollout.reason
    await shop.until(lambda: shop.loop.knows_its_size)
    served, other = serving(shop)
    assert actions(rig)[served] == {"crossfade.night", "crossfade.day"}
    bounds = target(rig, served)
    assert (bounds["MinCapacity"], bounds["MaxCapacity"]) in {(1, 4), (3, 4)}  # of what came last, wherever it is now
    assert not any(bounds["SuspendedState"].values())
    await shop.process.close()  # nobody of ours is there
    rig.it_is("2027-05-01T07:00+09:00")
    await shop.until(lambda: shop.sizes()[served] == 3)
    rig.it_is("2027-05-02T01:00+09:00")
    await shop.until(lambda: target(rig, served)["MinCapacity"] == 1)
    assert shop.sizes()[other] == 0

    await shop.begin()
    async with shop.visited() as traffic:
        rollout = await shop.deploy(replace(shop.service("second"), scale=ALL_DAY))
        await shop.until(lambda: shop.loop.knows_its_size)
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    now, before = serving(shop)
    assert now != served
    assert actions(rig) == {now: {"crossfade.night", "crossfade.day"}, before: {"crossfade-retires"}}
    rig.it_is("2027-05-03T07:00+09:00")
    await shop.until(lambda: shop.sizes()[now] == 3)
    assert shop.sizes()[before] <= 3  # it is kept warm as it was, and no morning brings it more

    await shop.process.orders.rollback(shop.loop, "previous", Order(by="kim"))
    rollout = await shop.over()
    await shop.until(lambda: shop.loop.knows_its_size)
    assert rollout.state is State.SUCCEEDED, rollout.reason
    assert actions(rig)[before] == {"crossfade.night", "crossfade.day"}
    assert actions(rig)[now] <= {"crossfade-retires"}


async def test_a_release_without_a_schedule_has_none(rig: Rig, shop: OnEcs) -> None:
    """What was there of it goes, and the bounds are the file's own."""
    rollout = await shop.deploy(replace(shop.service("plain", keep_previous=0.0), scale=Scale(least=2, most=4)))
    await shop.until(lambda: shop.loop.knows_its_size and not shop.sizes()[serving(shop)[1]])
    assert rollout.state is State.SUCCEEDED, rollout.reason
    assert actions(rig) == {"blue": set(), "green": set()}
    bounds = target(rig, serving(shop)[0])
    assert (bounds["MinCapacity"], bounds["MaxCapacity"]) == (2, 4)
