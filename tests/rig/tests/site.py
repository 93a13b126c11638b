"""A place, as a test works on it: what an engine would ask and do, with plain calls."""

import asyncio
import time
import urllib.request
from collections.abc import Callable

from tests.rig import Rig
from tests.rig.place import Place, task_definition, weights
from tests.rig.wire import Json

_LIMIT = 60.0  # seconds that a busy machine may take for anything


class Site:
    """Waits for events, never for a time."""

    def __init__(self, rig: Rig, place: Place) -> None:
        self.rig, self.place = rig, place
        self.elb, self.ecs = rig.client("elbv2"), rig.client("ecs")

    @property
    def url(self) -> str:
        return f"http://{self.rig.address_of(self.place.load_balancer)}"

    def health(self, colour: str) -> list[Json]:
        """State and reason of each target of a colour."""
        told = self.elb.describe_target_health(TargetGroupArn=self.place.target_groups[colour])
        return [one["TargetHealth"] for one in told["TargetHealthDescriptions"]]

    def states(self, colour: str) -> list[str]:
        return [one["State"] for one in self.health(colour)]

    def service(self, colour: str) -> Json:
        told = self.ecs.describe_services(cluster=self.place.cluster, services=[self.place.services[colour]])
        found: Json = told["services"][0]
        return found

    def definition(self, **environment: str) -> str:
        """A task definition of the app as its environment makes it."""
        said = task_definition(self.place.family, self.place.service, self.place.image, **environment)
        return str(self.ecs.register_task_definition(**said)["taskDefinition"]["taskDefinitionArn"])

    def update(self, colour: str, **changes: object) -> None:
        self.ecs.update_service(cluster=self.place.cluster, service=self.place.services[colour], **changes)

    def weigh(self, *, blue: int, green: int, sticky: int = 0) -> None:
        """`sticky`: seconds for which a client stays with its group."""
        actions = weights(self.place.target_groups, blue=blue, green=green)
        if sticky:
            kept = {"Enabled": True, "DurationSeconds": sticky}
            actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = kept
        self.elb.modify_rule(RuleArn=self.place.rule, Actions=actions)

    def tasks(self, colour: str, status: str = "RUNNING") -> list[Json]:
        name = self.place.services[colour]
        arns = self.ecs.list_tasks(cluster=self.place.cluster, serviceName=name, desiredStatus=status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster=self.place.cluster, tasks=arns)["tasks"]) if arns else []

    def looks(self) -> int:
        """How often scaling has looked at its services."""
        return int(self.rig.ask("GET", "/scaling")["looks"])

    def stop_tasks(self, colour: str, number: int) -> None:
        """As somebody would by hand."""
        for task in self.tasks(colour)[:number]:
            self.ecs.stop_task(cluster=self.place.cluster, task=task["taskArn"])

    def set_delay(self, colour: str, seconds: int) -> None:
        """Of deregistration."""
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
        self.elb.modify_target_group_attributes(TargetGroupArn=self.place.target_groups[colour], Attributes=[attribute])

    def answer(self, **headers: str) -> str:
        """The release that answers; empty when none does."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, headers=headers), timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    async def until(self, what: Callable[[], bool]) -> None:
        """AssertionError when it does not come true."""
        end = time.monotonic() + _LIMIT
        while not await asyncio.to_thread(what):
            assert time.monotonic() < end, "this did not come true in a minute"
            await asyncio.sleep(0.05)

    async def until_healthy(self, colour: str, number: int) -> None:
        await self.until(lambda: self.states(colour) == ["healthy"] * number)

    async def until_answered_by(self, release: str) -> None:
        """The data plane does what the API was told: nobody else answers twenty requests in a row."""
        await self.until(lambda: all(self.answer() == release for _ in range(20)))

    async def until_gone(self, colour: str) -> None:
        """No target is left, and no task."""
        await self.until(lambda: not self.states(colour) and not self.service(colour)["runningCount"])
