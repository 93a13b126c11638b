"""What hosts of a group boot: its own template, that of its mix of instance types, or nothing of ours at all."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.places import NOWHERE

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.autoscaling.boot import boots, require_ours, template_of
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.lookout import GroupLookout
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.place import Colour, Place

GROUP = "shop-dev-web-blue"
OWN: Answer = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "shop-dev-releases", "Version": "7"}
SPOT = {"SpotAllocationStrategy": "price-capacity-optimized"}
TYPES = [{"InstanceType": "t3.micro"}, {"InstanceType": "t3a.micro"}]
WEIGHTED = [{"InstanceType": "m5.large", "WeightedCapacity": "2"}]
MIX: Answer = {
    "LaunchTemplate": {"LaunchTemplateSpecification": OWN, "Overrides": TYPES},
    "InstancesDistribution": SPOT,
}


def member(name: str, **more: Any) -> Answer:
    """Only what AWS always says of one."""
    zone = {"AvailabilityZone": "us-east-1a", "ProtectedFromScaleIn": False}
    return {"InstanceId": name, **zone, "LifecycleState": "InService", "HealthStatus": "Healthy", **more}


def group(*members: Answer, name: str = GROUP, **more: Any) -> Answer:
    """Only what AWS always says of one, and `more`."""
    sizes = {"MinSize": 0, "MaxSize": 4, "DesiredCapacity": len(members), "DefaultCooldown": 300}
    rest = {
        "AvailabilityZones": ["us-east-1a"],
        "HealthCheckType": "ELB",
        "CreatedTime": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return {"AutoScalingGroupName": name, **sizes, **rest, "Instances": list(members), **more}


def test_a_template_is_the_groups_own_or_that_of_its_mix() -> None:
    """AWS says it at one place or at the other; a version that nobody ever named is the default one."""
    assert template_of(group(LaunchTemplate=OWN)) == {"LaunchTemplateId": "lt-1", "Version": "7"}
    assert template_of(group(MixedInstancesPolicy=MIX)) == {"LaunchTemplateId": "lt-1", "Version": "7"}
    unnamed = {name: value for name, value in OWN.items() if name != "Version"}
    assert template_of(group(LaunchTemplate=unnamed))["Version"] == "$Default"


def test_a_group_of_old_is_refused() -> None:
    """A launch configuration has no versions."""
    with pytest.raises(PlatformError, match=rf"group {GROUP} has no launch template"):
        template_of(group(LaunchConfigurationName="shop"))


def test_a_mix_stays_what_it_is_but_for_its_template() -> None:
    """Told a template of its own, the group would lose its instance types and its spot capacity."""
    new = {"LaunchTemplateId": "lt-1", "Version": "8"}
    assert boots(group(LaunchTemplate=OWN), new) == {"LaunchTemplate": new}
    chosen = {"LaunchTemplateSpecification": new, "Overrides": TYPES}
    told = {"LaunchTemplate": chosen, "InstancesDistribution": SPOT}
    assert boots(group(MixedInstancesPolicy=MIX), new) == {"MixedInstancesPolicy": told}


def test_a_host_that_somebody_attached_is_named_before_a_deploy_begins() -> None:
    """It would end with its group, and whoever put it there may not want that."""
    ours = member("i-1", LaunchTemplate=OWN)
    require_ours([group(ours, LaunchTemplate=OWN)])
    with pytest.raises(RefusedError, match=rf"somebody else attached i-2 to group {GROUP}(.|\n)*--instance-ids i-2 "):
        require_ours([group(ours, member("i-2"), LaunchTemplate=OWN)])


def test_a_mix_with_templates_of_its_own_is_refused() -> None:
    """Some hosts would boot another release, or none."""
    arm = {"InstanceType": "t4g.micro", "LaunchTemplateSpecification": OWN}
    mix = {"LaunchTemplate": {"LaunchTemplateSpecification": OWN, "Overrides": [*TYPES, arm]}}
    with pytest.raises(RefusedError, match=rf"group {GROUP} has a launch template of its own for t4g\.micro"):
        require_ours([group(MixedInstancesPolicy=mix)])


@pytest.mark.parametrize(
    "own",
    [
        {"LaunchConfigurationName": "shop"},  # its group had one, before it had a launch template
        {"LifecycleState": "Detaching"},
    ],
)
def test_a_host_of_the_groups_own_or_on_its_way_out_keeps_nothing_out(own: Answer) -> None:
    """The first was launched by the group, and of the second it is rid in a moment."""
    require_ours([group(member("i-1", **own), LaunchTemplate=OWN)])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"MixedInstancesPolicy": {"LaunchTemplate": {**MIX["LaunchTemplate"], "Overrides": WEIGHTED}}}, "weights"),
        ({"MixedInstancesPolicy": MIX, "DesiredCapacityType": "vcpu"}, "vcpu"),
    ],
)
def test_a_group_that_does_not_count_instances_is_refused(more: Answer, said: str) -> None:
    """Two of its units may be one host, and a release asks for two hosts."""
    with pytest.raises(RefusedError, match=f"group {GROUP} has a size in {said}, and a release counts instances"):
        require_ours([group(**more)])
    require_ours([group(MixedInstancesPolicy=MIX, DesiredCapacityType="units")])


class Found(GroupFinder):
    """A place that is known."""

    async def place(self, key: str) -> Place:
        blue, green = (
            Colour(name=name, service=f"shop-dev-web-{name}", group=f"arn:x:targetgroup/web-{name}/1")
            for name in ("blue", "green")
        )
        return replace(NOWHERE, key=key, colours=(blue, green), rules=("rule",))


class Amazon(Clients):
    """An Auto Scaling of two groups behind one rule; of a launch template every version that is asked for is there."""

    def __init__(self, *groups: Answer) -> None:
        super().__init__("us-east-1")
        self._groups, self.read = list(groups), list[str]()

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        match operation:
            case "describe_auto_scaling_groups":
                return {"AutoScalingGroups": self._groups}
            case "describe_rules":
                forward = {"Type": "forward", "TargetGroupArn": "arn:x:targetgroup/web-blue/1"}
                return {"Rules": [{"RuleArn": "rule", "Actions": [forward]}]}
            case "describe_target_health":
                return {"TargetHealthDescriptions": []}
            case "describe_launch_template_versions":
                (version,) = parameters["Versions"]
                self.read.append(version)
                number = 3 if version == "$Default" else int(version)
                return {
                    "LaunchTemplateVersions": [
                        {"LaunchTemplateId": "lt-1", "VersionNumber": number, "LaunchTemplateData": {}}
                    ]
                }
            case _:
                return {}


def looking(*groups: Answer) -> tuple[Amazon, GroupLookout]:
    clients, places = Amazon(*groups), Places("shop", "dev")
    finder = Found(clients, places)
    return clients, GroupLookout(clients, finder, Templates(clients, places), SystemClock(), "")


async def test_a_look_goes_on_beside_a_host_that_somebody_attached() -> None:
    """It belongs to no release, whatever its group boots."""
    mixed = group(member("i-1", LaunchTemplate=OWN), member("i-2"), MixedInstancesPolicy=MIX)
    _, lookout = looking(mixed, group(name="shop-dev-web-green", LaunchTemplate={**OWN, "Version": "6"}))
    sight = await lookout.look("shop@dev/web")
    assert {side.colour: side.definition for side in sight.sides.values()} == {"blue": "lt-1:7", "green": "lt-1:6"}
    assert [(task.id, task.release) for task in sight.tasks] == [("i-1", 0), ("i-2", 0)]
    assert sight.sides["blue"].wanted == 2


async def test_a_version_by_another_name_is_looked_up_each_time() -> None:
    """Which one is the default may be changed at any moment; a number means the same for ever."""
    unnamed = {name: value for name, value in OWN.items() if name != "Version"}
    clients, lookout = looking(
        group(LaunchTemplate=unnamed), group(name="shop-dev-web-green", LaunchTemplate={**OWN, "Version": "6"})
    )
    for _ in range(2):
        sight = await lookout.look("shop@dev/web", fresh=True)
        assert sight.sides["blue"].definition == "lt-1:3"
    assert sorted(clients.read) == ["$Default", "$Default", "6"]
