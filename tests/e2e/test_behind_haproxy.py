"""The same deploys behind HAProxy: its connections stay open through them, and nothing is lost."""

import pytest
from tests.contract.balancer_kits import HAPROXY
from tests.support.crowd import Crowd
from tests.support.machine import Machine

from crossfade.core.service import RollbackOn, Strategy
from crossfade.load import Mode

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed"),
]

DEPLOYS = 10


@pytest.mark.long
async def test_twenty_switches_behind_haproxy_lose_nothing() -> None:
    """Each deploy is rolled back at once: clients that keep their connections, POSTs, and new connections."""
    machine = Machine("haproxy")
    strategy = Strategy(name="blue-green", timeout=20.0, keep_previous=60.0, rollback_on=RollbackOn(min_requests=5))
    try:
        await machine.up()
        shop = machine.app()
        await shop.deploy(shop.service(strategy=strategy))
        async with Crowd(shop.url, Mode.KEEPALIVE, Mode.POST, Mode.CONNECTION) as crowd:
            for number in range(DEPLOYS):
                ended = [await shop.deploy(shop.service(strategy=strategy, tag=f"{number}")), await shop.rollback()]
                assert {result["rollout"]["state"] for result in ended} == {"succeeded"}
                assert [result["traffic"]["failed"] for result in ended] == [0, 0]
    finally:
        await machine.close()
    assert crowd.report.failed == 0, crowd.report.losses
    assert len(crowd.report.releases) > DEPLOYS
