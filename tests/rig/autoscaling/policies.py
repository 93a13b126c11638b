"""Scaling policies of groups, which the emulator only keeps, acted on; and a group that is suspended is left alone.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

import asyncio
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.rig.autoscaling.group import Group, Life
from tests.rig.cloudwatch.minutes import MINUTE
from tests.rig.cloudwatch.operations import CloudWatch
from tests.rig.knobs import Knobs
from tests.rig.wire import Json
from tests.rig.working import Working

if TYPE_CHECKING:  # all of moto
    from tests.rig.emulator import Emulator

_log = logging.getLogger(__name__)
_MINUTES_OUT = 3  # of the alarm that target tracking makes
_ACTS = "AlarmNotification"  # the process that acts on alarms
_CPU = "ASGAverageCPUUtilization"
_BELOW = ("LessThanThreshold", "LessThanOrEqualToThreshold")


class Policies(Working):
    """Looks once a minute at every group."""

    def __init__(
        self, emulator: "Emulator", knobs: Knobs, cloudwatch: CloudWatch, groups: Mapping[tuple[str, str], Group]
    ) -> None:
        self._emulator, self._knobs, self._cloudwatch, self._groups = emulator, knobs, cloudwatch, groups

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._knobs.real(MINUTE))
            for group in list(self._groups.values()):
                if not group.deleted and _ACTS not in group.suspended:
                    try:
                        await self._scale(group)
                    except Exception:  # noqa: BLE001  a policy that is not understood must not stop the others
                        _log.exception("scaling of %s", group.name)

    async def _scale(self, group: Group) -> None:
        def read(client: Any) -> list[Json]:
            found: list[Json] = client.describe_policies(AutoScalingGroupName=group.name)["ScalingPolicies"]
            return found

        def alarms(client: Any) -> list[Json]:
            found: list[Json] = client.describe_alarms()["MetricAlarms"]
            return found

        policies = await self._emulator.use("autoscaling", group.region, read)
        told = await self._emulator.use("cloudwatch", group.region, alarms) if policies else []
        if _ACTS in group.suspended:  # while we read, somebody said how many there are to be
            return
        wanted = [group.desired]
        for policy in policies:
            if policy["PolicyType"] == "TargetTrackingScaling":
                wanted.append(tracked(group.desired, self._serving(group, policy), self._recent(group, policy), policy))
            elif any(policy["PolicyARN"] in one["AlarmActions"] and self._is_low(one) for one in told):
                wanted.append(group.desired + int(policy["StepAdjustments"][0]["ScalingAdjustment"]))
        # More when one policy wants it, fewer when none wants more.
        to = max(wanted) if max(wanted) > group.desired else min(wanted)
        group.desired = min(max(to, group.least), group.most)

    def _serving(self, group: Group, policy: Json) -> int:
        """Those that are warm: a busy group is not grown again before what it launched can help."""
        warmup = self._knobs.real(float(policy.get("EstimatedInstanceWarmup") or 0))
        now = asyncio.get_running_loop().time()
        return sum(one.life is Life.IN_SERVICE and now - one.in_service >= warmup for one in group.members)

    def _recent(self, group: Group, policy: Json) -> list[float]:
        """The metric of the last minutes, oldest first; none of another kind than the average CPU."""
        said = policy["TargetTrackingConfiguration"].get("PredefinedMetricSpecification") or {}
        if said.get("PredefinedMetricType") != _CPU:
            return []
        of = [{"Name": "AutoScalingGroupName", "Value": group.name}]
        metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": of}
        return self._values(metric, "Average", MINUTE, _MINUTES_OUT)

    def _is_low(self, alarm: Json) -> bool:
        metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}
        periods = int(alarm["EvaluationPeriods"])
        values = self._values(metric, alarm["Statistic"], int(alarm["Period"]), periods)
        low = alarm["ComparisonOperator"] in _BELOW and len(values) == periods
        return low and max(values) < float(alarm["Threshold"])

    def _values(self, metric: Json, statistic: str, period: int, number: int) -> list[float]:
        """Of the last periods that are told, as many as there are."""
        end = datetime.now(UTC)
        start = end - timedelta(seconds=self._knobs.real((number + 3) * period))
        asked = [{"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}]
        points = self._cloudwatch.points(asked, start, end)["m"]
        return [value for _, value in sorted(points.items())][-number:]


def tracked(desired: int, warm: int, recent: list[float], policy: Json) -> int:
    """How many a policy of target tracking wants; fewer never, as Terraform has it shrink by an alarm."""
    goal = float(policy["TargetTrackingConfiguration"]["TargetValue"])
    if len(recent) < _MINUTES_OUT or min(recent) <= goal:
        return desired
    return max(desired, math.ceil(warm * recent[-1] / goal))
