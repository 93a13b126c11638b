"""One instance refresh: what is to be replaced, how fast, and how it stands.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
"""

import math
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from tests.rig.wire import AwsError, Json


class Status(StrEnum):
    """As DescribeInstanceRefreshes says it."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    BAKING = "Baking"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"
    ROLLBACK_IN_PROGRESS = "RollbackInProgress"
    ROLLBACK_SUCCESSFUL = "RollbackSuccessful"
    ROLLBACK_FAILED = "RollbackFailed"


_OVER = {Status.SUCCESSFUL, Status.FAILED, Status.CANCELLED, Status.ROLLBACK_SUCCESSFUL, Status.ROLLBACK_FAILED}
_PLAIN_DEFAULTS: Json = {  # https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-instance-refresh-default-values.html
    "MinHealthyPercentage": 90,
    "MaxHealthyPercentage": 100,
    "SkipMatching": False,
    "AutoRollback": False,
    "ScaleInProtectedInstances": "Wait",
    "StandbyInstances": "Wait",
}
_DELAY = 3600  # of a checkpoint


@dataclass(eq=False)
class Refresh:
    """`to` is the launch template of the desired configuration, `back` the group's before; `old` are the instances
    that it is to replace. Times are of the loop's clock.
    """

    asked: Json  # Preferences
    to: Json
    back: Json
    configured: bool  # a desired configuration was given
    total: int  # instances that there were
    old: set[str]
    warmup: int  # AWS's seconds
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: Status = Status.PENDING
    reason: str = ""
    replaced: int = 0
    passed: int = 0  # checkpoints
    waits_until: float = 0.0
    moved: float = 0.0  # when it last got on
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    undone: Json | None = None  # how far it had come when it was rolled back

    @property
    def over(self) -> bool:
        return self.status in _OVER

    @property
    def preferences(self) -> Json:
        return {**_PLAIN_DEFAULTS, **{name: value for name, value in self.asked.items() if value is not None}}

    @property
    def template(self) -> Json:
        """What it has new instances launched from."""
        return self.back if self.status is Status.ROLLBACK_IN_PROGRESS else self.to

    def floor(self, desired: int) -> int:
        """How many stay healthy: "rounded up to the nearest integer"."""
        return math.ceil(desired * int(self.preferences["MinHealthyPercentage"]) / 100)

    def ceiling(self, desired: int) -> int:
        """With 100 percent healthy at least, one comes before one goes: there is no other way."""
        most = math.floor(desired * int(self.preferences["MaxHealthyPercentage"]) / 100)
        return max(most, desired + 1) if self.floor(desired) >= desired else max(most, desired)

    @property
    def checkpoints(self) -> list[int]:
        return [int(one) for one in self.preferences.get("CheckpointPercentages") or []]

    @property
    def delay(self) -> int:
        return int(self.preferences.get("CheckpointDelay", _DELAY))

    @property
    def allowed(self) -> int:
        """How many may be replaced before the next checkpoint.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-adding-checkpoints-instance-refresh.html
        """
        left = self.checkpoints[self.passed :]
        if self.status is Status.ROLLBACK_IN_PROGRESS or not self.checkpoints:
            return self.total
        return math.ceil(self.total * left[0] / 100) if left else math.ceil(self.total * self.checkpoints[-1] / 100)

    @property
    def percent(self) -> int:
        return 100 if not self.total else self.replaced * 100 // self.total

    def go(self, status: Status, reason: str = "") -> None:
        self.status, self.reason = status, reason or self.reason
        if self.over:
            self.ended = datetime.now(UTC)

    def shown(self, group: str) -> Json:
        """InstanceRefresh of the API."""
        told: Json = {
            "InstanceRefreshId": self.id,
            "AutoScalingGroupName": group,
            "Status": self.status.value,
            "StartTime": self.began,
            "PercentageComplete": self.percent,
            "InstancesToUpdate": len(self.old),
            "Preferences": {**self.preferences, "InstanceWarmup": self.warmup},
        }
        if self.configured:
            told["DesiredConfiguration"] = {"LaunchTemplate": self.to}
        if self.reason:
            told["StatusReason"] = self.reason
        if self.ended:
            told["EndTime"] = self.ended
        if self.undone:
            told["RollbackDetails"] = self.undone
        return told


def require_preferences(asked: Json, *, configured: bool, before: Json) -> None:
    """`before` is the launch template that the group has.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
    """
    least, most = asked.get("MinHealthyPercentage"), asked.get("MaxHealthyPercentage")
    if most is not None and (least is None or not 100 <= int(most) <= 200 or int(most) - int(least) > 100):
        raise AwsError(
            "ValidationError",
            "MaxHealthyPercentage must be 100 to 200, with MinHealthyPercentage and at most 100 above it.",
        )
    marks = [int(one) for one in asked.get("CheckpointPercentages") or []]
    if marks != sorted(set(marks)):
        raise AwsError("ValidationError", "CheckpointPercentages must be unique and in ascending order.")
    if asked.get("CheckpointDelay") is not None and not marks:
        raise AwsError("ValidationError", "CheckpointDelay needs CheckpointPercentages.")
    if asked.get("AutoRollback") and (not configured or before["Version"] in ("$Latest", "$Default")):
        raise AwsError(
            "ValidationError",
            "AutoRollback needs a desired configuration, and a group with a numbered version of its launch template.",
        )
