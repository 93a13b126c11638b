"""Auto Scaling groups: instances that boot from their user data, replaced and refreshed as AWS does."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.rig import Rig
from tests.rig.ec2.machine import missing
from tests.rig.groups import empty, make
from tests.rig.tests.fleet import Fleet

from crossfade.load import LoadGenerator

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing())]

_NUMBERS = itertools.count(1)


@pytest_asyncio.fixture
async def fleet(rig: Rig, knobs: Rig) -> AsyncIterator[Fleet]:
    """Two instances of release 1 that serve."""
    fleet = Fleet(rig, await asyncio.to_thread(make, knobs, f"hosts{next(_NUMBERS)}"))
    await fleet.until_healthy(2)
    await fleet.until(lambda: fleet.answer() == "1")
    yield fleet
    await asyncio.to_thread(empty, rig, fleet.place)


async def test_an_instance_that_is_cut_off_is_replaced(fleet: Fleet) -> None:
    """The group finds out by itself; the other one serves on."""
    lost, stays = fleet.members()
    await asyncio.to_thread(fleet.rig.ask, "DELETE", f"/instances/{lost}")
    await fleet.until(lambda: lost not in fleet.members())
    await fleet.until_healthy(2)
    assert stays in fleet.members()


async def test_fewer_are_drained_before_they_end(fleet: Fleet) -> None:
    """Nothing is lost, although the app ends at once when it is told to."""
    async with LoadGenerator(f"{fleet.url}/slow?s=0.05", clients=4) as traffic:
        await fleet.until(lambda: traffic.snapshot().requests > 20)
        await asyncio.to_thread(fleet.scaling.set_desired_capacity, AutoScalingGroupName=fleet.name, DesiredCapacity=1)
        await fleet.until_healthy(1)
    assert not traffic.report().failed, traffic.report().losses


async def test_a_refresh_replaces_all_and_loses_nothing(fleet: Fleet) -> None:
    """With a warmup that outlasts the boot; the group's own version is the new one afterwards, and not before."""
    before, version = fleet.members(), await asyncio.to_thread(fleet.version, "2")
    async with LoadGenerator(f"{fleet.url}/slow?s=0.05", clients=4) as traffic:
        fleet.refresh(version, MinHealthyPercentage=100, MaxHealthyPercentage=150, InstanceWarmup=200)
        with pytest.raises(fleet.scaling.exceptions.InstanceRefreshInProgressFault):
            fleet.refresh(version)
        assert fleet.group()["LaunchTemplate"]["Version"] == "1"
        await fleet.until_refreshed("Successful")
        await fleet.until_healthy(2)
    assert not traffic.report().failed, traffic.report().losses
    assert fleet.group()["LaunchTemplate"]["Version"] == version
    assert not set(before) & set(fleet.members())
    assert fleet.answer() == "2"


async def test_a_refresh_that_ignores_warmup_loses_requests(fleet: Fleet) -> None:
    """The negative control: whoever is in service counts, and nobody waits until it serves."""
    slow = await asyncio.to_thread(fleet.version, "2", BOOT="8")
    async with LoadGenerator(f"{fleet.url}/slow?s=0.05", clients=4) as traffic:
        fleet.refresh(slow, MinHealthyPercentage=50, InstanceWarmup=0)
        await fleet.until_refreshed("Successful")
        await fleet.until(lambda: traffic.snapshot().failed > 0)
        await fleet.until_healthy(2)
    assert traffic.report().failed


async def test_a_refresh_waits_at_its_checkpoint_and_goes_back_when_it_is_told_to(fleet: Fleet) -> None:
    """What was replaced is replaced again by what the group had before; what was not stays."""
    before, version = fleet.members(), await asyncio.to_thread(fleet.version, "2")
    fleet.refresh(
        version, MinHealthyPercentage=50, InstanceWarmup=200, CheckpointPercentages=[50, 100], CheckpointDelay=7200
    )
    await fleet.until(lambda: "checkpoint" in fleet.refreshed().get("StatusReason", ""))
    assert fleet.refreshed()["PercentageComplete"] == 50
    (stays,) = set(before) & set(fleet.members())
    fleet.scaling.rollback_instance_refresh(AutoScalingGroupName=fleet.name)
    await fleet.until_refreshed("RollbackSuccessful")
    await fleet.until_healthy(2)
    assert stays in fleet.members()
    assert fleet.versions() == {"1"}
    assert fleet.group()["LaunchTemplate"]["Version"] == "1"


async def test_matching_instances_are_skipped(fleet: Fleet) -> None:
    """A refresh to what is there already has nothing to do."""
    before = fleet.members()
    fleet.refresh("1", SkipMatching=True)
    await fleet.until_refreshed("Successful")
    assert fleet.members() == before
    assert fleet.refreshed()["InstancesToUpdate"] == 0


async def test_one_that_is_never_healthy_is_replaced_after_its_grace(fleet: Fleet) -> None:
    """Again and again; the old ones serve on."""
    await asyncio.to_thread(
        fleet.scaling.update_auto_scaling_group, AutoScalingGroupName=fleet.name, HealthCheckGracePeriod=100
    )
    version = await asyncio.to_thread(fleet.version, "2", FAULT="sick")
    fleet.refresh(version, MinHealthyPercentage=100, MaxHealthyPercentage=150, InstanceWarmup=400)

    def replaced() -> bool:
        told = fleet.scaling.describe_scaling_activities(AutoScalingGroupName=fleet.name)["Activities"]
        return any("ELB system health check failure" in one["Cause"] for one in told)

    await fleet.until(replaced)
    assert fleet.answer() == "1"
    fleet.scaling.cancel_instance_refresh(AutoScalingGroupName=fleet.name)
    await fleet.until_refreshed("Cancelled")
    await fleet.until_healthy(2)


async def test_an_instance_that_is_attached_serves_and_was_launched_from_nothing(fleet: Fleet) -> None:
    """It counts among those desired; detached, it is no target any more and runs on."""
    asked = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    made = (await asyncio.to_thread(fleet.ec2.run_instances, **asked))["Instances"][0]["InstanceId"]
    which = {"AutoScalingGroupName": fleet.name, "InstanceIds": [made]}
    await asyncio.to_thread(fleet.scaling.attach_instances, **which)
    (attached,) = [one for one in fleet.group()["Instances"] if "LaunchTemplate" not in one]
    assert (attached["InstanceId"], fleet.group()["DesiredCapacity"], len(fleet.states())) == (made, 3, 3)
    await asyncio.to_thread(fleet.scaling.detach_instances, **which, ShouldDecrementDesiredCapacity=True)
    await fleet.until_healthy(2)
    running = fleet.ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]
    assert (running["State"]["Name"], fleet.group()["DesiredCapacity"]) == ("running", 2)
    await asyncio.to_thread(fleet.ec2.terminate_instances, InstanceIds=[made])


async def test_a_group_has_a_mix_or_a_template_of_its_own(fleet: Fleet) -> None:
    """Told the one it has the other no more; the mix says of which type new instances are."""
    template = {"LaunchTemplateId": fleet.place.template, "Version": "1"}
    chosen = {"LaunchTemplateSpecification": template, "Overrides": [{"InstanceType": "t3a.small"}]}
    update = fleet.scaling.update_auto_scaling_group
    mix = {"MixedInstancesPolicy": {"LaunchTemplate": chosen}}
    await asyncio.to_thread(update, AutoScalingGroupName=fleet.name, **mix, DesiredCapacity=3)
    await fleet.until_healthy(3)
    group = fleet.group()
    assert "LaunchTemplate" not in group
    assert group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == chosen["Overrides"]
    assert sorted(one["InstanceType"] for one in group["Instances"]) == ["t3.micro", "t3.micro", "t3a.small"]
    await asyncio.to_thread(update, AutoScalingGroupName=fleet.name, LaunchTemplate=template)
    assert "MixedInstancesPolicy" not in fleet.group()
    assert fleet.group()["LaunchTemplate"]["Version"] == "1"
