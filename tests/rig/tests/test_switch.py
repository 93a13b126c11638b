"""A switch from blue to green under load."""

import pytest
from tests.rig.tests.site import Site

from crossfade.load import LoadGenerator

pytestmark = pytest.mark.long


async def test_a_switch_done_right_loses_nothing(site: Site) -> None:
    """Healthy first, then the weights, then the old service's count: deregistered, drained, told to end."""
    await site.until_healthy("blue", 2)
    await site.until_answered_by("1")
    async with LoadGenerator(f"{site.url}/slow?s=0.05", clients=4) as traffic:
        site.update("green", desiredCount=2, taskDefinition=site.definition(RELEASE="2"))
        await site.until_healthy("green", 2)
        site.weigh(blue=0, green=100)
        await site.until(lambda: traffic.snapshot().releases.keys() >= {"1", "2"})
        site.update("blue", desiredCount=0)
        await site.until_gone("blue")
    report = traffic.report()
    assert not report.failed, report.losses
    ended = site.tasks("blue", "STOPPED")
    assert {one["stopCode"] for one in ended} == {"ServiceSchedulerInitiated"}
