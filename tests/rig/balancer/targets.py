"""Target groups with their targets, and the state that AWS would show for each.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tests.rig.wire import Json

Key = tuple[str, int]  # a target's id and port


class State(StrEnum):
    """As DescribeTargetHealth says it."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNUSED = "unused"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Health:
    """A state with AWS's reason for it; a healthy target needs none."""

    state: State
    reason: str = ""
    description: str = ""

    def shown(self) -> Json:
        """TargetHealth of the API."""
        said = {"State": self.state.value, "Reason": self.reason, "Description": self.description}
        return {name: text for name, text in said.items() if text}


REGISTERING = Health(State.INITIAL, "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health(State.INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = Health(State.HEALTHY)
DRAINING = Health(State.DRAINING, "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_IN_USE = Health(
    State.UNUSED, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
NOT_REGISTERED = Health(State.UNUSED, "Target.NotRegistered", "Target is not registered to the target group")


@dataclass(eq=False)
class Target:
    """One registered target. `passed` and `failed` are checks in a row."""

    id: str
    port: int
    health: Health = REGISTERING
    passed: int = 0
    failed: int = 0
    life: asyncio.Task[None] | None = field(default=None, repr=False)  # its checks, or the end of its drain

    @property
    def key(self) -> Key:
        return self.id, self.port

    def judge(self, complaint: Health | None, *, healthy: int, unhealthy: int) -> bool:
        """Count one check; true when the state changed. A new target is healthy at its first pass.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html: "After your
        target is registered, it must pass one health check to be considered healthy."
        """
        before = self.health.state
        if complaint is None:
            self.passed, self.failed = self.passed + 1, 0
            if before is State.INITIAL or (before is State.UNHEALTHY and self.passed >= healthy):
                self.health = HEALTHY
        else:
            self.passed, self.failed = 0, self.failed + 1
            if self.failed >= unhealthy:
                self.health = complaint
            elif before is State.INITIAL:
                self.health = CHECKING
        return self.health.state is not before


@dataclass(eq=False)
class Group:
    """A target group: `spec` and `attributes` as the API shows them, `used` when a listener or rule names it."""

    arn: str
    spec: Json
    attributes: dict[str, str]
    targets: dict[Key, Target] = field(default_factory=dict)
    used: bool = False

    @property
    def id(self) -> str:
        """`targetgroup/NAME/0123456789abcdef`, which is also the dimension in CloudWatch."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def deregistration_delay(self) -> float:
        """AWS's seconds; 300 where nobody says otherwise."""
        return float(self.attributes.get("deregistration_delay.timeout_seconds", 300))

    def number(self, name: str) -> int:
        return int(self.spec[name])

    def find(self, id_: str, port: int | None) -> list[Target]:
        """Targets with this id; with each port where none is given."""
        return [target for key, target in self.targets.items() if key[0] == id_ and port in (None, key[1])]

    def health_of(self, target: Target) -> Health:
        if self.used or target.health is DRAINING:
            return target.health
        return NOT_IN_USE

    def serving(self) -> list[Target]:
        """Who gets new requests: the healthy ones, or all unhealthy ones when there is no other.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html: "If a
        target group contains only unhealthy registered targets, the load balancer routes requests to all those
        targets, regardless of their health status."
        """
        healthy = [target for target in self.targets.values() if target.health is HEALTHY]
        return healthy or [t for t in self.targets.values() if t.health.state is State.UNHEALTHY]

    def shown(self, wanted: list[Json]) -> Iterator[Json]:
        """TargetHealthDescriptions of the API, of those that are asked for or of all."""
        asked = [(one["Id"], one.get("Port")) for one in wanted]
        for _, target in sorted(self.targets.items()):
            if not asked or any(target.id == id_ and port in (None, target.port) for id_, port in asked):
                yield self._described(target.id, target.port, self.health_of(target))
        for id_, port in asked:
            if not self.find(id_, port):
                yield self._described(id_, port or self.number("Port"), NOT_REGISTERED)

    def _described(self, id_: str, port: int, health: Health) -> Json:
        asked = self.spec.get("HealthCheckPort", "traffic-port")
        return {
            "Target": {"Id": id_, "Port": port},
            "HealthCheckPort": str(port) if asked == "traffic-port" else asked,
            "TargetHealth": health.shown(),
        }
