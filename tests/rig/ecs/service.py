"""One service with its deployments, as the API shows it."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tests.rig.ecs.task import Status, Task, now
from tests.rig.wire import Json

_EVENTS = 100  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
_DEFAULTS: Json = {"maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING", "bakeTimeInMinutes": 0}
_SHOWN = (
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "propagateTags",
    "placementConstraints",
    "placementStrategy",
    "availabilityZoneRebalancing",
)


class Rollout(StrEnum):
    """rolloutState of a deployment."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(eq=False)
class Deployment:
    """`definition` is the ARN of a task definition. `waits` is how long the next start is put off, in AWS's seconds."""

    definition: str
    id: str = field(default_factory=lambda: f"ecs-svc/{uuid.uuid4().int % 10**19:019}")
    rollout: Rollout = Rollout.IN_PROGRESS
    reason: str = ""
    back: bool = False  # it is the primary one again
    failed: int = 0
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    next_start: float = 0.0  # of the loop's clock
    waits: float = 0.0

    def go(self, rollout: Rollout, reason: str) -> None:
        self.rollout, self.reason, self.updated = rollout, reason, now()


@dataclass(eq=False)
class Service:
    """`spec` is what CreateService and each UpdateService said; the first deployment is the primary one."""

    region: str
    cluster: Json
    name: str
    spec: Json
    desired: int
    status: str = "ACTIVE"
    created: datetime = field(default_factory=now)
    deployments: list[Deployment] = field(default_factory=list)
    definitions: dict[str, Json] = field(default_factory=dict)  # by ARN, of its deployments
    tasks: list[Task] = field(default_factory=list)  # those that have not stopped
    events: list[Json] = field(default_factory=list)
    steady: bool = False

    @property
    def arn(self) -> str:
        before, _, _ = self.cluster["clusterArn"].rpartition(":")
        return f"{before}:service/{self.cluster['clusterName']}/{self.name}"

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def configuration(self) -> Json:
        said = self.spec.get("deploymentConfiguration") or {}
        return {**_DEFAULTS, **{name: value for name, value in said.items() if value is not None}}

    def deploy(self, definition: str) -> Deployment:
        """A new primary deployment, of a definition that is known; the others are on their way out."""
        self.deployments.insert(0, Deployment(definition))
        self.steady = False
        return self.primary

    def roll_back(self, good: Deployment, reason: str) -> None:
        """An earlier deployment is the primary one again, with those of its tasks that are left.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html: it "changes from a
        COMPLETED to IN_PROGRESS".
        """
        self.deployments.remove(good)
        self.deployments.insert(0, good)
        good.go(Rollout.IN_PROGRESS, reason)
        good.back = True
        self.steady = False
        self.say(f"rolling back to (deployment {good.id}).")

    def service_deployment(self, one: Deployment) -> Json:
        """ServiceDeploymentBrief of the API."""
        states = {Rollout.COMPLETED: "SUCCESSFUL", Rollout.FAILED: "STOPPED"}
        under_way = "ROLLBACK_IN_PROGRESS" if one.back else "IN_PROGRESS"
        return {
            "serviceDeploymentArn": f"{self.arn.replace(':service/', ':service-deployment/')}/{one.id.split('/')[1]}",
            "serviceArn": self.arn,
            "clusterArn": self.cluster["clusterArn"],
            "createdAt": one.created,
            "status": states.get(one.rollout, under_way),
        }

    def of(self, deployment: Deployment) -> list[Task]:
        return [task for task in self.tasks if task.deployment == deployment.id]

    def say(self, message: str) -> None:
        """An event; the newest is first."""
        said = {"id": str(uuid.uuid4()), "createdAt": now(), "message": f"(service {self.name}) {message}"}
        self.events[:] = [said, *self.events][:_EVENTS]

    def shown(self, *, tags: bool) -> Json:
        """Service of the API."""
        return {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster["clusterArn"],
            "status": self.status,
            "desiredCount": self.desired,
            "runningCount": _count(self.tasks, running=True),
            "pendingCount": _count(self.tasks, running=False),
            "taskDefinition": self.primary.definition,
            "deploymentConfiguration": self.configuration,
            "deploymentController": self.spec.get("deploymentController") or {"type": "ECS"},
            "deployments": [self._deployment(one) for one in self.deployments],
            "events": self.events,
            "healthCheckGracePeriodSeconds": self.spec.get("healthCheckGracePeriodSeconds") or 0,
            "schedulingStrategy": self.spec.get("schedulingStrategy") or "REPLICA",
            "createdAt": self.created,
            **{name: self.spec[name] for name in _SHOWN if self.spec.get(name) is not None},
            **({"tags": self.spec.get("tags") or []} if tags else {}),
        }

    def _deployment(self, one: Deployment) -> Json:
        tasks = self.of(one)
        primary = one is self.primary
        return {
            "id": one.id,
            "status": "PRIMARY" if primary else "ACTIVE",
            "taskDefinition": one.definition,
            "desiredCount": self.desired if primary else 0,
            "runningCount": _count(tasks, running=True),
            "pendingCount": _count(tasks, running=False),
            "failedTasks": one.failed,
            "rolloutState": one.rollout.value,
            "rolloutStateReason": one.reason
            or f"ECS deployment {one.id} {one.rollout.value.lower().replace('_', ' ')}.",
            "createdAt": one.created,
            "updatedAt": one.updated,
        }


def _count(tasks: list[Task], *, running: bool) -> int:
    wanted = (Status.RUNNING,) if running else (Status.PROVISIONING, Status.PENDING)
    return sum(task.last in wanted for task in tasks)
