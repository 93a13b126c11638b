"""What scaling makes of a size between rollouts, on a platform that scales by itself while somebody looks."""

from tests.unit.engine.in_cloud import InCloud
from tests.unit.engine.test_loop import SERVICE


def test_scaling_that_acts_while_somebody_looks_is_taken_over() -> None:
    """The size it made is the service's, it is on record once, and nobody works against it."""
    cloud = InCloud()

    async def peak() -> None:
        await cloud.loop.until(lambda loop: loop.knows_its_size)
        cloud.cloud.scale(SERVICE.key, 3)
        await cloud.loop.until(lambda loop: loop.ledger.wanted == 3)
        cloud.cloud.scale(SERVICE.key, 2)
        await cloud.loop.until(lambda loop: loop.ledger.wanted == 2)

    cloud.deploy(peak)
    told = [event for event in cloud.journal.events if event.kind == "service scaled"]
    assert [event.data for event in told] == [{"replicas": n, "by": "its scaling"} for n in (3, 2)]
    over = [event.kind for event in cloud.journal.events].index("service scaled")
    assert "intent" not in [event.kind for event in cloud.journal.events[over:]]


def test_an_order_is_not_taken_for_scaling() -> None:
    """The platform still keeps what it was left with when another size was ordered: it is told the new one."""
    cloud = InCloud()

    async def order() -> None:
        await cloud.loop.until(lambda loop: loop.knows_its_size)
        await cloud.loop.record("service scaled", {"replicas": 4, "by": "kim"})
        cloud.loop.wake()
        await cloud.loop.until(lambda _: len(cloud.ids()) == 4)

    cloud.deploy(order)
    assert cloud.loop.ledger.wanted == 4
    assert [e.data["by"] for e in cloud.journal.events if e.kind == "service scaled"] == ["kim"]
