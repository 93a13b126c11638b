"""Processes that change counts of a group by themselves: at rest while a release goes out, at work once it is out."""

from collections.abc import Mapping

from crossfade.aws.places import LEAST
from crossfade.platforms.aws.clients import Answer, Check, Clients

# Launches, terminations and the replacement of what is sick go on: only who decides how many there are rests.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
PROCESSES = ("AZRebalance", "AlarmNotification", "ScheduledActions")


class Processes:
    """The processes of Auto Scaling groups.

    It suspends and resumes them, and keeps the least size of the group that serves.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def suspend(self, groups: Mapping[str, Answer], before: Check) -> None:
        """Nobody but us changes counts from now on."""
        for group in groups.values():
            if _running(group):
                asked = {"AutoScalingGroupName": group["AutoScalingGroupName"], "ScalingProcesses": list(PROCESSES)}
                await self._clients.call("autoscaling", "suspend_processes", before, **asked)

    async def resume(self, group: Answer, before: Check) -> int | None:
        """The group that serves scales again, never below its least size; its size where it did so before."""
        name, least = group["AutoScalingGroupName"], min(_least(group), group["DesiredCapacity"])
        if group["MinSize"] != least:
            asked = {"AutoScalingGroupName": name, "MinSize": least}
            await self._clients.call("autoscaling", "update_auto_scaling_group", before, **asked)
        if len(_running(group)) == len(PROCESSES):
            return int(group["DesiredCapacity"])
        asked = {"AutoScalingGroupName": name, "ScalingProcesses": list(PROCESSES)}
        await self._clients.call("autoscaling", "resume_processes", before, **asked)
        return None


def _running(group: Answer) -> list[str]:
    """Those that are not suspended."""
    still = {one["ProcessName"] for one in group.get("SuspendedProcesses", ())}
    return [name for name in PROCESSES if name not in still]


def _least(group: Answer) -> int:
    """As Terraform wrote it on the group: an idle one has nobody, so its own least size is nothing."""
    tags = {one["Key"]: one["Value"] for one in group.get("Tags", ())}
    said = tags.get(LEAST, "")
    return int(said) if said.isdigit() else 0
