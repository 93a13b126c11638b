"""One web service on two Auto Scaling groups of the rig, and what crossfade deploys to it with."""

from typing import Any

import pytest
from tests.rig.ec2.machine import missing
from tests.rig.groups import Groups, empty, make
from tests.support.on_ecs import OnEcs

ON_HOSTS = [
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]


class OnGroups(OnEcs):
    """`async with OnGroups(rig, "shop") as shop`: as on ECS, with hosts that boot for real."""

    compute = "autoscaling"
    patient = {"timeout": 90.0}  # noqa: RUF012  hosts boot first
    place: Groups

    def made(self) -> Groups:
        return make(self.rig, self.app)

    def emptied(self) -> None:
        empty(self.rig, self.place)

    def sizes(self) -> dict[str, int]:
        """Desired sizes by colour."""
        return {one["AutoScalingGroupName"].rpartition("-")[2]: one["DesiredCapacity"] for one in self.groups()}

    def groups(self) -> list[Any]:
        asked = {"AutoScalingGroupNames": list(self.place.groups.values())}
        found: list[Any] = self.rig.client("autoscaling").describe_auto_scaling_groups(**asked)["AutoScalingGroups"]
        return found

    def instances(self) -> set[str]:
        """Ids of all that nobody has decided to end."""
        return {
            one["InstanceId"]
            for group in self.groups()
            for one in group["Instances"]
            if one["LifecycleState"] != "Terminating"
        }
