"""One Auto Scaling group with its instances, as the API shows it.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from tests.rig.autoscaling.refresh import Refresh
from tests.rig.wire import Json

_ACTIVITIES = 100


def now() -> datetime:
    return datetime.now(UTC)


class Life(StrEnum):
    """LifecycleState of an instance."""

    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"  # a lifecycle hook holds it
    IN_SERVICE = "InService"
    TERMINATING = "Terminating"


@dataclass(eq=False)
class Member:
    """One instance. `template` is what it was launched from; times are of the loop's clock."""

    id: str
    template: Json | None  # LaunchTemplateId, LaunchTemplateName, Version; None of one that somebody attached
    zone: str
    kind: str  # of instance
    launched: float
    life: Life = Life.PENDING
    in_service: float = 0.0  # since when
    healthy: bool = True
    protected: bool = False

    @property
    def pending(self) -> bool:
        return self.life in (Life.PENDING, Life.PENDING_WAIT)

    @property
    def version(self) -> str:
        return str(self.template["Version"]) if self.template else ""

    def shown(self) -> Json:
        """Instance of the API."""
        return {
            "InstanceId": self.id,
            "InstanceType": self.kind,
            "AvailabilityZone": self.zone,
            "LifecycleState": self.life.value,
            "HealthStatus": "Healthy" if self.healthy else "Unhealthy",
            **({"LaunchTemplate": self.template} if self.template else {}),
            "ProtectedFromScaleIn": self.protected,
        }


@dataclass(eq=False)
class Group:
    """`said` is what was said of it; `template` what new instances are launched from.

    `mix` is its mixed instances policy, where it has one, which then names the template.
    """

    region: str
    name: str
    said: Json
    template: Json
    least: int
    most: int
    desired: int
    targets: list[str]  # ARNs of target groups
    mix: Json | None = None
    suspended: dict[str, str] = field(default_factory=dict)  # processes, and why
    members: list[Member] = field(default_factory=list)
    activities: list[Json] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)  # the newest first
    deleted: bool = False

    @property
    def living(self) -> list[Member]:
        """Those that nobody has decided to end."""
        return [one for one in self.members if one.life is not Life.TERMINATING]

    @property
    def overrides(self) -> Json:
        """Of its mix what is chosen of instance types: the first one.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateOverrides.html
        """
        chosen = (self.mix or {}).get("LaunchTemplate") or {}
        return {name: value for one in chosen.get("Overrides", [])[:1] for name, value in one.items() if value}

    @property
    def refresh(self) -> Refresh | None:
        """The one under way."""
        return next((one for one in self.refreshes if not one.over), None)

    def number(self, name: str, default: int) -> int:
        """A setting in AWS's seconds."""
        value = self.said.get(name)
        return default if value is None else int(value)

    def say(self, description: str, cause: str) -> None:
        """A scaling activity; the newest is first."""
        said = {
            "ActivityId": str(uuid.uuid4()),
            "AutoScalingGroupName": self.name,
            "Description": description,
            "Cause": f"At {now():%Y-%m-%dT%H:%M:%SZ} {cause}",
            "StartTime": now(),
            "EndTime": now(),
            "StatusCode": "Successful",
            "Progress": 100,
        }
        self.activities[:] = [said, *self.activities][:_ACTIVITIES]

    def shown(self, kept: Json) -> Json:
        """AutoScalingGroup of the API; `kept` is what the emulator says of it."""
        return {
            **{name: value for name, value in kept.items() if name != "LaunchTemplate"},
            **self._launches(),
            "MinSize": self.least,
            "MaxSize": self.most,
            "DesiredCapacity": self.desired,
            "HealthCheckType": self.said.get("HealthCheckType") or "EC2",
            "HealthCheckGracePeriod": self.number("HealthCheckGracePeriod", 0),
            **(
                {"DefaultInstanceWarmup": self.number("DefaultInstanceWarmup", 0)}
                if self.said.get("DefaultInstanceWarmup") is not None
                else {}
            ),
            "TargetGroupARNs": self.targets,
            "Instances": [one.shown() for one in self.members],
            "SuspendedProcesses": [
                {"ProcessName": name, "SuspensionReason": why} for name, why in sorted(self.suspended.items())
            ],
        }

    def _launches(self) -> Json:
        """It has one or the other.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html
        """
        if self.mix is None:
            return {"LaunchTemplate": self.template}
        chosen = {**(self.mix.get("LaunchTemplate") or {}), "LaunchTemplateSpecification": self.template}
        return {"MixedInstancesPolicy": {**self.mix, "LaunchTemplate": chosen}}
