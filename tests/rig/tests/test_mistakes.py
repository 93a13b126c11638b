"""What loses requests on AWS loses them here: a rig that forgave an engine's mistakes would prove nothing.

Each begins with blue healthy and all weight on it, makes one mistake under load, and puts things right again. The app
ends at once on SIGTERM, and the data plane follows a second late.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.rig import Rig
from tests.rig.tests.site import Site

from crossfade.load import Cause, LoadGenerator

pytestmark = pytest.mark.long


@pytest_asyncio.fixture(autouse=True)
async def _as_it_was(site: Site, knobs: Rig) -> AsyncIterator[None]:
    knobs.knobs.set(lag=20)  # a second of this machine
    await site.until_healthy("blue", 2)
    await site.until_answered_by("1")
    yield
    site.update("blue", desiredCount=2)
    await site.until_healthy("blue", 2)
    site.weigh(blue=100, green=0)
    site.update("green", desiredCount=0)
    await site.until_gone("green")


def load(site: Site) -> LoadGenerator:
    return LoadGenerator(f"{site.url}/slow?s=0.05", clients=4)


async def test_nothing_done_loses_nothing(site: Site) -> None:
    async with load(site) as traffic:
        await site.until(lambda: traffic.snapshot().requests > 100)
    assert not traffic.report().failed


async def test_a_task_that_is_stopped_by_hand_loses_what_it_holds_and_what_still_comes(site: Site) -> None:
    async with load(site) as traffic:
        await site.until(lambda: traffic.snapshot().requests > 20)
        site.stop_tasks("blue", 1)
        await site.until(lambda: traffic.snapshot().failed > 0)
        await site.until_healthy("blue", 2)
    assert traffic.report().causes.keys() == {Cause.STATUS}
    assert traffic.report().statuses.keys() == {200, 502}
    assert [one["stopCode"] for one in site.tasks("blue", "STOPPED") if one["stopCode"] == "UserInitiated"]


async def test_all_weight_on_a_group_without_targets_loses_everything(site: Site) -> None:
    async with load(site) as traffic:
        await site.until(lambda: traffic.snapshot().requests > 20)
        site.weigh(blue=0, green=100)
        await site.until(lambda: traffic.snapshot().failed > 20)
        site.weigh(blue=100, green=0)
        await site.until_answered_by("1")
    assert traffic.report().statuses.keys() == {200, 503}


async def test_weight_on_targets_that_are_initial_loses_until_one_is_healthy(site: Site) -> None:
    async with load(site) as traffic:
        site.update("green", desiredCount=2, taskDefinition=site.definition(RELEASE="2", BOOT="8"))
        await site.until(lambda: "initial" in site.states("green"))
        site.weigh(blue=0, green=100)
        await site.until(lambda: traffic.snapshot().failed > 0)
        await site.until_answered_by("2")
    assert traffic.report().failed


async def test_old_tasks_stopped_as_soon_as_the_weights_are_moved_lose_what_still_comes(site: Site) -> None:
    site.update("green", desiredCount=2, taskDefinition=site.definition(RELEASE="2"))
    await site.until_healthy("green", 2)
    async with load(site) as traffic:
        await site.until(lambda: traffic.snapshot().requests > 20)
        site.weigh(blue=0, green=100)
        site.stop_tasks("blue", 2)
        await site.until(lambda: "2" in traffic.snapshot().releases)
    assert traffic.report().failed


async def test_old_service_scaled_to_nothing_before_the_weights_are_moved_loses_everything(site: Site) -> None:
    site.update("green", desiredCount=2, taskDefinition=site.definition(RELEASE="2"))
    await site.until_healthy("green", 2)
    async with load(site) as traffic:
        await site.until(lambda: traffic.snapshot().requests > 20)
        site.update("blue", desiredCount=0)
        await site.until(lambda: traffic.snapshot().failed > 0)
        site.weigh(blue=0, green=100)
        await site.until_answered_by("2")
    assert 503 in traffic.report().statuses


async def test_a_drain_shorter_than_the_data_plane_is_late_loses_what_still_comes(site: Site) -> None:
    site.set_delay("blue", 0)
    try:
        async with load(site) as traffic:
            await site.until(lambda: traffic.snapshot().requests > 20)
            site.update("blue", desiredCount=1)
            await site.until(lambda: len(site.states("blue")) == 1 and traffic.snapshot().failed > 0)
    finally:
        site.set_delay("blue", 30)
    assert traffic.report().failed


async def test_done_right_loses_nothing_with_the_same_lag(site: Site) -> None:
    """And back again."""
    site.update("green", desiredCount=2, taskDefinition=site.definition(RELEASE="2"))
    async with load(site) as traffic:
        await site.until_healthy("green", 2)
        site.weigh(blue=0, green=100)
        await site.until_answered_by("2")
        site.update("blue", desiredCount=0)
        await site.until_gone("blue")
        site.update("blue", desiredCount=2)
        await site.until_healthy("blue", 2)
        site.weigh(blue=100, green=0)
        await site.until_answered_by("1")
        site.update("green", desiredCount=0)
        await site.until_gone("green")
    assert not traffic.report().failed, traffic.report().losses
