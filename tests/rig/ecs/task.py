"""One task: what it is, and where it stands.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tests.rig.ecs.container import Container
from tests.rig.wire import Json


class Status(StrEnum):
    """As DescribeTasks says it."""

    PROVISIONING = "PROVISIONING"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DEACTIVATING = "DEACTIVATING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


class StopCode(StrEnum):
    """Who or what ended it: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html"""

    FAILED_TO_START = "TaskFailedToStart"
    EXITED = "EssentialContainerExited"
    BY_USER = "UserInitiated"
    BY_SERVICE = "ServiceSchedulerInitiated"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(eq=False)
class Task:
    """`spec` is what RunTask or the service said of it; `deployment` the service's, if it is a service's."""

    region: str
    cluster: Json
    definition: Json
    group: str
    started_by: str
    spec: Json
    deployment: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    last: Status = Status.PROVISIONING
    stop_code: StopCode | None = None
    stopped_reason: str = ""
    sick_in: str = ""  # the target group whose checks it fails: another one is started in its place, and then it goes
    drains: bool = False  # its targets are deregistered and drained before it is told to end
    address: str = ""
    subnet: str = ""
    containers: list[Container] = field(default_factory=list)
    ports: dict[int, int] = field(default_factory=dict)  # where each container port really is
    times: dict[str, datetime] = field(default_factory=lambda: {"createdAt": now()})
    ending: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    life: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def arn(self) -> str:
        before, _, _ = self.cluster["clusterArn"].rpartition(":")
        return f"{before}:task/{self.cluster['clusterName']}/{self.id}"

    @property
    def wanted(self) -> bool:
        """Nobody has decided that it shall end."""
        return self.stop_code is None

    @property
    def stopped(self) -> bool:
        return self.last is Status.STOPPED

    @property
    def targets(self) -> list[tuple[str, int]]:
        """Target group and container port of each target that it is."""
        return [
            (one["targetGroupArn"], int(one["containerPort"]))
            for one in self.spec.get("loadBalancers") or []
            if one.get("targetGroupArn")
        ]

    def stop(self, code: StopCode, reason: str, *, drains: bool = False) -> None:
        """Decide that it ends; the first to say so says why."""
        if self.stop_code is None:
            self.stop_code, self.stopped_reason, self.drains = code, reason, drains
            self.ending.set()

    def go(self, status: Status) -> None:
        self.last = status
        stamp = {Status.RUNNING: "startedAt", Status.STOPPING: "stoppingAt", Status.STOPPED: "stoppedAt"}.get(status)
        if stamp:
            self.times[stamp] = now()

    def shown(self) -> Json:
        """Task of the API."""
        details = {
            "privateIPv4Address": self.address,
            "subnetId": self.subnet,
            "networkInterfaceId": f"eni-{self.id[:17]}",
        }
        network = {
            "id": self.id,
            "type": "ElasticNetworkInterface",
            "status": "DELETED" if self.stopped else "ATTACHED",
            "details": [{"name": name, "value": value} for name, value in details.items() if value],
        }
        shown: Json = {
            "taskArn": self.arn,
            "clusterArn": self.cluster["clusterArn"],
            "taskDefinitionArn": self.definition["taskDefinitionArn"],
            "group": self.group,
            "startedBy": self.started_by,
            "launchType": self.spec.get("launchType", "FARGATE"),
            "cpu": self.definition.get("cpu", "256"),
            "memory": self.definition.get("memory", "512"),
            "lastStatus": self.last.value,
            "desiredStatus": "RUNNING" if self.wanted else "STOPPED",
            "overrides": self.spec.get("overrides") or {},
            "tags": self.spec.get("tags") or [],
            "attachments": [network] if self.address else [],
            "containers": [self._container(one) for one in self.definition["containerDefinitions"]],
            "healthStatus": "UNKNOWN",
            **self.times,
        }
        if self.stop_code:
            shown |= {"stopCode": self.stop_code.value, "stoppedReason": self.stopped_reason}
        return shown

    def _container(self, definition: Json) -> Json:
        found = next((one for one in self.containers if one.name == definition["name"]), None)
        status = "STOPPED" if self.stopped else "RUNNING" if found and found.running else self.last.value
        shown: dict[str, Any] = {
            "containerArn": f"{self.arn}/{definition['name']}",
            "taskArn": self.arn,
            "name": definition["name"],
            "image": definition["image"],
            "lastStatus": status,
        }
        if "@" in definition["image"]:
            shown["imageDigest"] = definition["image"].rpartition("@")[2]
        if found and found.exit_code is not None:
            shown["exitCode"] = found.exit_code
        if found and found.out_of_memory:
            shown["reason"] = "OutOfMemoryError: Container killed due to memory usage"
        return shown
