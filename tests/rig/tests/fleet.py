"""An Auto Scaling group with its targets, as a test works on it."""

import asyncio
import time
import urllib.request
from collections.abc import Callable

from tests.rig import Rig
from tests.rig.groups import Groups, template_data
from tests.rig.wire import Json

_LIMIT = 90.0  # seconds that a busy machine may take for anything


class Fleet:
    """The blue group of a place. Waits for events, never for a time."""

    def __init__(self, rig: Rig, place: Groups) -> None:
        self.rig, self.place = rig, place
        self.name, self.targets = place.groups["blue"], place.target_groups["blue"]
        self.scaling, self.elb, self.ec2 = (rig.client(one) for one in ("autoscaling", "elbv2", "ec2"))

    @property
    def url(self) -> str:
        return f"http://{self.rig.address_of(self.place.load_balancer)}"

    def group(self) -> Json:
        told = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        found: Json = told[0]
        return found

    def members(self) -> list[str]:
        """Ids of those in service."""
        return [one["InstanceId"] for one in self.group()["Instances"] if one["LifecycleState"] == "InService"]

    def versions(self) -> set[str]:
        """Of the launch template, of those in service: one that ends stays on the list until its machine is gone."""
        there = self.group()["Instances"]
        return {one["LaunchTemplate"]["Version"] for one in there if one["LifecycleState"] == "InService"}

    def states(self) -> list[str]:
        told = self.elb.describe_target_health(TargetGroupArn=self.targets)["TargetHealthDescriptions"]
        return [one["TargetHealth"]["State"] for one in told]

    def version(self, release: str, **settings: str) -> str:
        """A new version of the launch template with the app as its settings make it."""
        said = template_data(f"{self.place.repository}:1", self.place.log_group, "sg-1", RELEASE=release, **settings)
        made = self.ec2.create_launch_template_version(LaunchTemplateId=self.place.template, LaunchTemplateData=said)
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def refresh(self, version: str, **preferences: object) -> str:
        """Begin one; its id."""
        wanted = {"LaunchTemplate": {"LaunchTemplateId": self.place.template, "Version": version}}
        made = self.scaling.start_instance_refresh(
            AutoScalingGroupName=self.name, DesiredConfiguration=wanted, Preferences=preferences
        )
        return str(made["InstanceRefreshId"])

    def refreshed(self) -> Json:
        """The newest refresh."""
        told = self.scaling.describe_instance_refreshes(AutoScalingGroupName=self.name)["InstanceRefreshes"]
        found: Json = told[0]
        return found

    def answer(self) -> str:
        """The release that answers; empty when none does."""
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    async def until(self, what: Callable[[], bool]) -> None:
        """AssertionError when it does not come true."""
        end = time.monotonic() + _LIMIT
        while not await asyncio.to_thread(what):
            assert time.monotonic() < end, f"this did not come true: {self.group()}, {self.states()}"
            await asyncio.sleep(0.1)

    async def until_healthy(self, number: int) -> None:
        await self.until(lambda: self.states() == ["healthy"] * number and len(self.members()) == number)

    async def until_refreshed(self, status: str) -> None:
        await self.until(lambda: self.refreshed()["Status"] == status)
