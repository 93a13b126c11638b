"""The same deploy behind nginx, with the loss that its reloads have."""

import shutil

import pytest
from tests.support.crowd import CLIENTS, Crowd
from tests.support.machine import Machine

from crossfade.core.service import RollbackOn, Strategy
from crossfade.load import Mode

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]

RELOADS = 6  # of one blue-green rollout and what is cleared away after it, at most


@pytest.mark.long
async def test_a_deploy_behind_nginx_loses_only_what_its_reloads_cost() -> None:
    """Whoever asks just when nginx closes the kept connection is lost; nothing with a connection of its own is.

    nginx never saw those requests: they are in no log of its, so the proof cannot have them.
    """
    machine = Machine("nginx")
    strategy = Strategy(name="blue-green", timeout=10.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))
    try:
        await machine.up()
        shop = machine.app()
        await shop.deploy(shop.service(strategy=strategy))
        async with Crowd(shop.url, Mode.CONNECTION) as fresh, Crowd(shop.url, Mode.KEEPALIVE, Mode.POST) as kept:
            result = await shop.deploy(shop.service(strategy=strategy, tag="2"))
            await shop.settled(2)
    finally:
        await machine.close()
    assert result["rollout"]["state"] == "succeeded", result
    assert set(fresh.report.releases) == {"1", "2"}
    assert result["traffic"]["failed"] == fresh.report.failed == 0
    assert kept.report.failed <= 2 * CLIENTS * RELOADS
    assert set(kept.report.causes) <= {"closed", "reset"}
