"""A service gets another name under load: nobody notices."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.support.crowd import Crowd, loses_nothing
from tests.support.machine import App

from crossfade.core.service import RollbackOn, Strategy
from crossfade.core.wire import encode

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Strategy(timeout=10.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=5))


@pytest.mark.slow
async def test_a_renamed_service_loses_no_request(shop: App) -> None:
    """A bad release under the new name leaves the old service as it was; a good one takes its place, and it ends.

    A rollback brings the old name back in the same way.
    """
    machine = shop.machine
    web = shop.service(strategy=QUICK)
    await shop.deploy(web)
    renamed = replace(web, name="site", was="web")
    async with Crowd(shop.url) as crowd:
        for made, state in ((_sick(renamed), "failed"), (renamed, "succeeded")):
            begun = await machine.call("POST", "/v1/deploy", {"service": encode(made), "by": "tester"})
            ended = await machine.call("GET", f"/v1/rollouts/{begun['id']}?app={shop.name}&service=site&wait=1")
            assert ended["rollout"]["state"] == state, ended
        async with asyncio.timeout(60):
            while await _names(shop) != ["site"]:  # noqa: ASYNC110  another process takes it down
                await asyncio.sleep(0.05)
        begun = await machine.call("POST", "/v1/rollback", {"app": shop.name, "service": "site", "by": "tester"})
        assert (begun["service"], begun["to_version"]) == (f"{shop.name}/web", "r1")
        ended = await shop.outcome(begun["id"])
        assert ended["rollout"]["state"] == "succeeded", ended
        async with asyncio.timeout(120):
            while await _names(shop) != ["web"]:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
    loses_nothing(crowd.report)
    assert len(shop.processes()) == 2


def _sick(service: Any) -> Any:
    return replace(service, env=(("FAULT", "sick"),), strategy=replace(service.strategy, timeout=1.0))


async def _names(shop: App) -> list[str]:
    found = await shop.machine.call("GET", f"/v1/status?app={shop.name}")
    return sorted(service["name"] for service in found["services"])
