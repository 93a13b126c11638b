"""Applications, deployment groups and deployments of CodeDeploy, as its API shows them.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Types.html
"""

import math
import secrets
import string
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from tests.rig.wire import Json

# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html: "Server
# deployments", in place and without a load balancer of its own.
EVENTS = (
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
)
# With one: https://docs.aws.amazon.com/codedeploy/latest/userguide/integrations-aws-elastic-load-balancing.html
BEFORE = ("BeforeBlockTraffic", "BlockTraffic", "AfterBlockTraffic")
AFTER = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
_LETTERS = string.ascii_uppercase + string.digits


def now() -> datetime:
    return datetime.now(UTC)


class Status(StrEnum):
    """Of a deployment, of a target and of an event, as far as they share it."""

    CREATED = "Created"
    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    SKIPPED = "Skipped"


OVER = {Status.SUCCEEDED, Status.FAILED, Status.STOPPED}


@dataclass(eq=False)
class Event:
    """One lifecycle event on one instance."""

    name: str
    status: Status = Status.PENDING
    began: datetime | None = None
    ended: datetime | None = None
    diagnostics: Json | None = None

    def shown(self) -> Json:
        return {
            "lifecycleEventName": self.name,
            "status": self.status.value,
            **({"startTime": self.began} if self.began else {}),
            **({"endTime": self.ended} if self.ended else {}),
            **({"diagnostics": self.diagnostics} if self.diagnostics else {}),
        }


@dataclass(eq=False)
class Target:
    """An instance that a deployment goes to."""

    instance: str
    events: list[Event]
    status: Status = Status.PENDING
    updated: datetime = field(default_factory=now)

    def go(self, status: Status) -> None:
        self.status, self.updated = status, now()

    def give_up(self) -> None:
        """What was not begun will not be."""
        for event in self.events:
            if event.status is Status.PENDING:
                event.status = Status.SKIPPED

    def shown(self, deployment: str, region: str, account: str) -> Json:
        """DeploymentTarget of the API."""
        told = {
            "deploymentId": deployment,
            "targetId": self.instance,
            "targetArn": f"arn:aws:ec2:{region}:{account}:instance/{self.instance}",
            "status": self.status.value,
            "lastUpdatedAt": self.updated,
            "lifecycleEvents": [event.shown() for event in self.events],
        }
        return {"deploymentTargetType": "InstanceTarget", "instanceTarget": told}


@dataclass(eq=False)
class Group:
    """A deployment group. `said` is what was said of it; `hooks` are by Auto Scaling group that it is attached to."""

    application: str
    name: str
    said: Json
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    hooks: dict[str, str] = field(default_factory=dict)
    revision: Json | None = None  # of the last deployment that succeeded
    succeeded: "Deployment | None" = None
    attempted: "Deployment | None" = None

    @property
    def scaling(self) -> list[str]:
        return list(self.said.get("autoScalingGroups") or [])

    @property
    def traffic(self) -> bool:
        """Instances leave the load balancer while they change."""
        return (self.said.get("deploymentStyle") or {}).get("deploymentOption") == "WITH_TRAFFIC_CONTROL"

    @property
    def events(self) -> tuple[str, ...]:
        return (*BEFORE, *EVENTS, *AFTER) if self.traffic else EVENTS

    def shown(self) -> Json:
        """DeploymentGroupInfo of the API."""
        told = {name: value for name, value in self.said.items() if name not in ("tags", "currentDeploymentGroupName")}
        told |= {
            "deploymentGroupId": self.id,
            "deploymentGroupName": self.name,
            "computePlatform": "Server",
            "deploymentConfigName": self.said.get("deploymentConfigName") or "CodeDeployDefault.OneAtATime",
            "deploymentStyle": self.said.get("deploymentStyle")
            or {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
            "autoScalingGroups": [{"name": name, "hook": self.hooks.get(name, "")} for name in self.scaling],
        }
        if self.revision:
            told["targetRevision"] = self.revision
        if self.succeeded:
            told["lastSuccessfulDeployment"] = self.succeeded.last()
        if self.attempted:
            told["lastAttemptedDeployment"] = self.attempted.last()
        return told


@dataclass(eq=False)
class Deployment:
    """One deployment. `creator` is as the API says it: user, autoscaling."""

    group: Group
    revision: Json
    configuration: str
    description: str = ""
    creator: str = "user"
    id: str = field(default_factory=lambda: "d-" + "".join(secrets.choice(_LETTERS) for _ in range(9)))
    status: Status = Status.CREATED
    targets: list[Target] = field(default_factory=list)
    created: datetime = field(default_factory=now)
    began: datetime | None = None
    completed: datetime | None = None
    error: Json | None = None
    stopping: bool = False

    @property
    def over(self) -> bool:
        return self.status in OVER

    def end(self, status: Status, code: str = "", message: str = "") -> None:
        self.status, self.completed = status, now()
        if code:
            self.error = {"code": code, "message": message}

    def batches(self) -> Iterator[list[Target]]:
        """Who is changed at the same time; it ends where more would leave fewer healthy than there have to be.

        https://docs.aws.amazon.com/codedeploy/latest/userguide/instances-health.html
        """
        waiting = list(self.targets)
        while waiting:
            failed = sum(one.status is Status.FAILED for one in self.targets)
            room = len(self.targets) - failed - self.floor
            if room <= 0 or self.stopping:
                return
            batch, waiting = waiting[:room], waiting[room:]
            yield batch

    @property
    def floor(self) -> int:
        """How many stay healthy at least.

        https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
        """
        whole = len(self.targets)
        kinds = {"AllAtOnce": 0, "HalfAtATime": math.ceil(whole / 2), "OneAtATime": whole - 1}
        return kinds[self.configuration.rpartition(".")[2]]

    def last(self) -> Json:
        """LastDeploymentInfo of the API."""
        ended = {"endTime": self.completed} if self.completed else {}
        return {"deploymentId": self.id, "status": self.status.value, "createTime": self.created, **ended}

    def shown(self) -> Json:
        """DeploymentInfo of the API."""
        counted = {status: sum(one.status is status for one in self.targets) for status in Status}
        return {
            "applicationName": self.group.application,
            "deploymentGroupName": self.group.name,
            "deploymentConfigName": self.configuration,
            "deploymentId": self.id,
            "revision": self.revision,
            "status": self.status.value,
            "createTime": self.created,
            **({"startTime": self.began} if self.began else {}),
            **({"completeTime": self.completed} if self.completed else {}),
            **({"errorInformation": self.error} if self.error else {}),
            "deploymentOverview": {
                name: counted[Status(name)] for name in ("Pending", "InProgress", "Succeeded", "Failed", "Skipped")
            },
            "description": self.description,
            "creator": self.creator,
            "computePlatform": "Server",
        }
