"""Auto Scaling's API, as far as groups, their instances and refreshes go; policies are the emulator's."""

import asyncio
from typing import Any

from tests.rig.autoscaling import templates
from tests.rig.autoscaling.group import Group, Member
from tests.rig.autoscaling.refresh import Refresh, Status, require_preferences
from tests.rig.autoscaling.scheduler import Scheduler
from tests.rig.emulator import Emulator
from tests.rig.wire import AwsError, Call, Json

_SIZES = ("MinSize", "MaxSize", "DesiredCapacity", "TargetGroupARNs", "LaunchTemplate", "MixedInstancesPolicy")


class AutoScaling:
    """Each operation takes a call and returns its answer; None: this one is the emulator's, too."""

    def __init__(self, emulator: Emulator, scheduler: Scheduler) -> None:
        self._emulator, self._scheduler = emulator, scheduler
        self._groups = scheduler.groups
        self._kept: dict[str, dict[str, Json]] = {}  # by region and name: what the emulator says of them

    def operations(self) -> dict[tuple[str, str], Any]:
        mine = {
            "CreateAutoScalingGroup": self.create,
            "UpdateAutoScalingGroup": self.update,
            "DeleteAutoScalingGroup": self.delete,
            "DescribeAutoScalingGroups": self.describe,
            "DescribeAutoScalingInstances": self.describe_instances,
            "SetDesiredCapacity": self.set_desired,
            "SetInstanceHealth": self.set_health,
            "TerminateInstanceInAutoScalingGroup": self.terminate,
            "AttachInstances": self.attach_instances,
            "DetachInstances": self.detach_instances,
            "AttachLoadBalancerTargetGroups": self.attach,
            "DetachLoadBalancerTargetGroups": self.detach,
            "DescribeLoadBalancerTargetGroups": self.describe_targets,
            "SuspendProcesses": self.suspend,
            "ResumeProcesses": self.resume,
            "DescribeScalingActivities": self.describe_activities,
            "StartInstanceRefresh": self.start_refresh,
            "DescribeInstanceRefreshes": self.describe_refreshes,
            "CancelInstanceRefresh": self.cancel_refresh,
            "RollbackInstanceRefresh": self.roll_back,
        }
        return {("autoscaling", name): operation for name, operation in mine.items()}

    async def create(self, call: Call) -> Json:
        """The emulator has it too, without an instance: for its tags, its policies and who asks by them."""
        said = call.params
        template = await templates.chosen(self._emulator, call, templates.specified(said))
        least, most = int(said["MinSize"]), int(said["MaxSize"])
        desired = int(said["DesiredCapacity"]) if said.get("DesiredCapacity") is not None else least
        _require_between(least, most, desired)
        kept = {name: value for name, value in said.items() if name not in _SIZES and value is not None}
        kept |= {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0, "LaunchTemplate": templates.named(template)}
        await self._emulator.use("autoscaling", call.region, lambda client: client.create_auto_scaling_group(**kept))
        await self.follow(call)
        group = Group(
            region=call.region,
            name=said["AutoScalingGroupName"],
            said=said,
            template=template,
            least=least,
            most=most,
            desired=desired,
            targets=list(said.get("TargetGroupARNs") or []),
            mix=said.get("MixedInstancesPolicy"),
        )
        self._groups[call.region, group.name] = group
        return {}

    async def follow(self, call: Call) -> None:
        """The emulator was told something, such as tags: what it has is read again by who asks next."""
        self._kept.pop(call.region, None)

    async def update(self, call: Call) -> Json:
        """One that is told a launch template of its own loses its mix, and the other way round."""
        group, said = self._group(call), call.params
        specified = templates.specified(said)
        template = await templates.chosen(self._emulator, call, specified) if specified else group.template
        if specified:
            group.mix = said.get("MixedInstancesPolicy")
        least = group.least if said.get("MinSize") is None else int(said["MinSize"])
        most = group.most if said.get("MaxSize") is None else int(said["MaxSize"])
        wanted = said.get("DesiredCapacity")
        # "If a new value for MinSize is specified without setting a value for DesiredCapacity, and the new MinSize is
        # larger than the current size of the group, this sets the group's DesiredCapacity to the new MinSize value."
        # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
        desired = int(wanted) if wanted is not None else min(max(group.desired, least), most)
        _require_between(least, most, desired)
        group.least, group.most, group.desired, group.template = least, most, desired, template
        group.said |= {name: value for name, value in said.items() if name not in _SIZES and value is not None}
        return {}

    async def delete(self, call: Call) -> Json:
        group = self._group(call)
        if group.members and not call.params.get("ForceDelete"):
            raise AwsError(
                "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances still in the group."
            )
        group.deleted = True
        name = group.name
        await self._emulator.use(
            "autoscaling",
            call.region,
            lambda client: client.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True),
        )
        await self.follow(call)
        return {}

    async def describe(self, call: Call) -> Json:
        names, filters = call.params.get("AutoScalingGroupNames") or [], call.params.get("Filters") or []

        def read(client: Any) -> list[Json]:
            found: list[Json] = client.describe_auto_scaling_groups(MaxRecords=100)["AutoScalingGroups"]
            return found

        if call.region not in self._kept:
            found = await self._emulator.use("autoscaling", call.region, read)
            self._kept[call.region] = {one["AutoScalingGroupName"]: one for one in found}
        kept = self._kept[call.region]
        shown = [
            {
                **group.shown(kept.get(name, {"AutoScalingGroupName": name})),
                **({"Status": "Delete in progress"} if group.deleted else {}),
            }
            for (region, name), group in sorted(self._groups.items())
            if region == call.region and (not names or name in names)
        ]
        return {"AutoScalingGroups": [one for one in shown if _fits(one.get("Tags") or [], filters)]}

    async def describe_instances(self, call: Call) -> Json:
        wanted = call.params.get("InstanceIds") or []
        return {
            "AutoScalingInstances": [
                {**one.shown(), "AutoScalingGroupName": group.name, "HealthStatus": one.shown()["HealthStatus"].upper()}
                for (region, _), group in self._groups.items()
                for one in group.members
                if region == call.region and (not wanted or one.id in wanted)
            ]
        }

    async def set_desired(self, call: Call) -> Json:
        group = self._group(call)
        desired = int(call.params["DesiredCapacity"])
        _require_between(group.least, group.most, desired)
        group.desired = desired
        return {}

    async def set_health(self, call: Call) -> Json:
        for group in self._groups.values():
            for one in group.members:
                if one.id == call.params["InstanceId"]:
                    one.healthy = call.params["HealthStatus"] == "Healthy"
        return {}

    async def terminate(self, call: Call) -> Json:
        for group in self._groups.values():
            for one in group.members:
                if one.id == call.params["InstanceId"]:
                    if call.params["ShouldDecrementDesiredCapacity"]:
                        group.desired = max(group.least, group.desired - 1)
                    self._scheduler.end(
                        group, one, "an instance was taken out of service in response to a user request."
                    )
                    return {"Activity": group.activities[0]}
        raise AwsError(
            "ValidationError",
            f"Instance Id not found - No managed instance found for instance ID: {call.params['InstanceId']}",
        )

    async def attach_instances(self, call: Call) -> Json:
        """They count among those desired, serve at once, and were launched from no template of the group's.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachInstances.html
        """
        group, new = self._group(call), list(call.params["InstanceIds"])
        if group.desired + len(new) > group.most:
            raise AwsError("ValidationError", f"New SetDesiredCapacity value is above max value {group.most}.")

        def read(client: Any) -> list[Json]:
            held: list[Json] = client.describe_instances(InstanceIds=new)["Reservations"]
            return [one for some in held for one in some["Instances"]]

        for one in await self._emulator.use("ec2", call.region, read):
            zone, kind = one["Placement"]["AvailabilityZone"], one["InstanceType"]
            group.desired += 1
            self._scheduler.attach(
                group, Member(one["InstanceId"], None, zone, kind, asyncio.get_running_loop().time())
            )
        return {}

    async def detach_instances(self, call: Call) -> Json:
        """They leave their target groups and run on.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachInstances.html
        """
        group = self._group(call)
        gone = [one for one in group.living if one.id in call.params["InstanceIds"]]
        if call.params["ShouldDecrementDesiredCapacity"]:
            if group.desired - len(gone) < group.least:
                raise AwsError("ValidationError", f"The group would have fewer than its min size {group.least}.")
            group.desired -= len(gone)
        for one in gone:
            self._scheduler.deregister(one, group.targets)
            group.members.remove(one)
        return {"Activities": []}

    async def attach(self, call: Call) -> Json:
        group = self._group(call)
        new = [arn for arn in call.params["TargetGroupARNs"] if arn not in group.targets]
        group.targets += new
        for one in group.living:
            if one.in_service:
                self._scheduler.register(group, one, new)
        return {}

    async def detach(self, call: Call) -> Json:
        group = self._group(call)
        gone = list(call.params["TargetGroupARNs"])
        group.targets = [arn for arn in group.targets if arn not in gone]
        for one in group.members:
            self._scheduler.deregister(one, gone)
        return {}

    async def describe_targets(self, call: Call) -> Json:
        group = self._group(call)
        return {
            "LoadBalancerTargetGroups": [
                {"LoadBalancerTargetGroupARN": arn, "State": "InService" if group.members else "Added"}
                for arn in group.targets
            ]
        }

    async def suspend(self, call: Call) -> Json:
        """All processes where none is named. https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html"""
        group = self._group(call)
        for name in call.params.get("ScalingProcesses") or _PROCESSES:
            group.suspended[name] = "User suspended"
        return {}

    async def resume(self, call: Call) -> Json:
        group = self._group(call)
        for name in call.params.get("ScalingProcesses") or list(group.suspended):
            group.suspended.pop(name, None)
        return {}

    async def describe_activities(self, call: Call) -> Json:
        wanted = call.params.get("AutoScalingGroupName")
        found = [
            one
            for (region, name), group in self._groups.items()
            if region == call.region and wanted in (None, name)
            for one in group.activities
        ]
        return {"Activities": found[: int(call.params.get("MaxRecords") or 100)]}

    # Refreshes: https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-instance-refresh.html

    async def start_refresh(self, call: Call) -> Json:
        group, said = self._group(call), call.params
        if group.refresh:
            raise AwsError(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh "
                f"({group.refresh.id}).",
            )
        asked = said.get("Preferences") or {}
        require_preferences(asked, configured=bool(said.get("DesiredConfiguration")), before=group.template)
        wanted = (said.get("DesiredConfiguration") or {}).get("LaunchTemplate")
        to = await templates.chosen(self._emulator, call, wanted) if wanted else group.template
        skips = bool(asked.get("SkipMatching"))
        warmup = asked.get("InstanceWarmup")
        if warmup is None:
            warmup = group.said.get("DefaultInstanceWarmup")
        if warmup is None:
            warmup = group.number("HealthCheckGracePeriod", 0)
        refresh = Refresh(
            asked=asked,
            to=to,
            back=group.template,
            configured=bool(wanted),
            total=len(group.living),
            old={one.id for one in group.living if not (skips and one.version == str(to["Version"]))},
            warmup=int(warmup),
        )
        group.refreshes.insert(0, refresh)
        return {"InstanceRefreshId": refresh.id}

    async def describe_refreshes(self, call: Call) -> Json:
        group = self._group(call)
        wanted = call.params.get("InstanceRefreshIds") or []
        found = [one.shown(group.name) for one in group.refreshes if not wanted or one.id in wanted]
        return {"InstanceRefreshes": found[: int(call.params.get("MaxRecords") or 50)]}

    async def cancel_refresh(self, call: Call) -> Json:
        refresh = self._active(call)
        refresh.go(Status.CANCELLING, "Cancel requested by user.")
        return {"InstanceRefreshId": refresh.id}

    async def roll_back(self, call: Call) -> Json:
        """https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html"""
        group, refresh = self._group(call), self._active(call)
        if not refresh.configured or str(refresh.back["Version"]) in ("$Latest", "$Default"):
            raise AwsError("IrreversibleInstanceRefresh", "The instance refresh has no configuration to go back to.")
        if await self._by_parameter(call, refresh.back):
            raise AwsError(
                "IrreversibleInstanceRefresh",
                "The launch template uses an AWS Systems Manager parameter instead of an AMI ID.",
            )
        self._scheduler.roll_back(group, refresh, "Rollback requested by user.")
        return {"InstanceRefreshId": refresh.id}

    def _active(self, call: Call) -> Refresh:
        refresh = self._group(call).refresh
        if refresh is None or refresh.status not in (Status.PENDING, Status.IN_PROGRESS, Status.BAKING):
            raise AwsError("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found.")
        return refresh

    async def _by_parameter(self, call: Call, template: Json) -> bool:
        data = await templates.data(self._emulator, call, template)
        return str(data["LaunchTemplateData"].get("ImageId", "")).startswith("resolve:")

    def _group(self, call: Call) -> Group:
        name = call.params["AutoScalingGroupName"]
        group = self._groups.get((call.region, name))
        if group is None or group.deleted:
            raise AwsError("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup not found")
        return group


_PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


def _require_between(least: int, most: int, desired: int) -> None:
    if least > most:
        raise AwsError("ValidationError", f"Max bound, {most}, must be greater than or equal to min bound, {least}")
    if not least <= desired <= most:
        raise AwsError(
            "ValidationError",
            f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}",
        )


def _fits(tags: list[Json], filters: list[Json]) -> bool:
    """`tag:NAME` filters: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Filter.html"""
    known = {one["Key"]: one["Value"] for one in tags}
    return all(known.get(one["Name"].removeprefix("tag:")) in one["Values"] for one in filters)
