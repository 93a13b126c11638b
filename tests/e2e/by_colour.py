"""What holds of two colours, be they services of ECS or Auto Scaling groups: each of both modules has these as its own.

`shop` is the module's, with a first release that serves.
"""

import asyncio

from tests.support.on_ecs import OnEcs

from crossfade.controller.order import Order
from crossfade.core.release import Outcome
from crossfade.core.rollout import State


async def test_blue_green_loses_nothing_and_keeps_the_old_fleet_warm(shop: OnEcs) -> None:
    """All weight goes to the other colour; the old one keeps its instances for a rollback, and gets no visitor.

    Visitors go by one change of weights, which alone is given time to arrive: the preview was told before, meanwhile.
    """
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service("blue-green"))
        await shop.until(lambda: shop.answer() == "blue-green")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert sorted(shop.weights().values()) == [0, 100]
    assert sorted(shop.sizes().values()) == [2, 2]
    await shop.until(lambda: shop.loop.knows_its_size)  # nothing moves any more
    assert [one.data["switched"] for one in shop.process.told if one.kind == "routed"][-1] is True


async def test_a_release_that_answers_500_is_taken_back(shop: OnEcs) -> None:
    """By what CloudWatch counts of its own target group, minute by minute; only its own share of clients saw it."""
    current, before = shop.loop.ledger.current, await shop.settled()
    service = shop.service("sick", "errors", name="canary", steps=(20, 100), bake=8.0, min_requests=5)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(service)
    report = traffic.report()
    assert rollout.state is State.ROLLED_BACK
    assert f"release {rollout.target} failed" in rollout.reason
    assert {one.detail.split()[0] for one in report.losses} == {"500"}
    assert report.failed < report.requests / 2
    assert shop.loop.ledger.current == current
    await shop.until(lambda: {shop.answer() for _ in range(10)} == {before})


async def test_a_release_that_is_never_healthy_gets_no_visitor(shop: OnEcs) -> None:
    """Why is what the load balancer heard of it."""
    async with shop.visited() as traffic:
        rollout = await shop.deploy(shop.service("never", "sick", **shop.patient))
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ROLLED_BACK, 0), report.losses
    assert "answered 503" in rollout.reason
    assert "never" not in report.releases


async def test_a_release_that_crashes_under_load_is_taken_back(shop: OnEcs) -> None:
    """Again and again, each instance some seconds after its start; all others serve, and go on to."""
    before = await shop.settled()
    service = shop.service("crashes", "dies=12", name="canary", steps=(20, 100), bake=600.0)
    async with shop.visited() as traffic:
        rollout = await shop.deploy(service)
    report = traffic.report()
    assert rollout.state is State.ROLLED_BACK
    assert report.failed < report.requests / 5, report.losses
    assert shop.loop.ledger.releases[-1].outcome is Outcome.BAD
    assert await shop.settled() == before


async def test_an_abort_in_the_middle_loses_nothing(shop: OnEcs) -> None:
    """Visitors of both releases end at the one of before, and nobody says that the other was bad."""
    before = await shop.settled()
    async with shop.visited() as traffic:
        await shop.order(shop.service("aborted", name="canary", steps=(50, 100), bake=600.0))
        await shop.until(lambda: "aborted" in traffic.snapshot().releases)
        await shop.process.orders.abort(f"{shop.app}@dev", "web", Order(by="kim"))
        rollout = await shop.over()
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.ABORTED, 0), (rollout.reason, report.losses)
    assert shop.loop.ledger.releases[-1].outcome is Outcome.ABORTED
    assert await shop.settled() == before


async def test_a_canary_goes_by_weights(shop: OnEcs) -> None:
    """Each step is a weight that was read back; nothing is lost at any."""
    seen: set[int] = set()
    service = shop.service("canary", name="canary", steps=(10, 50, 100), bake=1.0)
    async with shop.visited() as traffic:
        await shop.order(service)
        while shop.loop.ledger.active:
            seen.update(await asyncio.to_thread(lambda: shop.weights().values()))
            await asyncio.sleep(0.2)
    report = traffic.report()
    assert (shop.loop.ledger.rollout.state, report.failed) == (State.SUCCEEDED, 0), report.losses  # type: ignore[union-attr]
    assert {10, 90, 50, 100} <= seen


async def test_going_back_to_a_warm_release_starts_nothing(shop: OnEcs) -> None:
    """The same instances as before serve again, and nobody loses a request."""
    await shop.deploy(shop.service("warm"))
    before = {one.id for one in shop.loop.fleet.instances if one.release == shop.loop.ledger.current}
    await shop.deploy(shop.service("regretted"))
    async with shop.visited() as traffic:
        await shop.process.orders.rollback(shop.loop, "previous", Order(by="kim"))
        rollout = await shop.over()
        await shop.until(lambda: shop.answer() == "warm")
    report = traffic.report()
    assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
    assert {one.id for one in shop.loop.fleet.instances if one.release == shop.loop.ledger.current} == before
