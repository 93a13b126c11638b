"""What begins by the clock: EventBridge's schedules of tasks, and scheduled actions of Application Auto Scaling."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from tests.rig.calendar.expression import comes
from tests.rig.ecs.service import Service
from tests.rig.emulator import Emulator
from tests.rig.wire import Call, Json
from tests.rig.working import Working

_log = logging.getLogger(__name__)
_LOOK = 1.0  # seconds of this machine
_MAKES = ("CreateSchedule", "UpdateSchedule", "PutScheduledAction")


class Calendar(Working):
    """The time is the machine's own until somebody sets it: then it goes on from there."""

    def __init__(
        self,
        emulator: Emulator,
        services: dict[tuple[str, str], Service],
        run_task: Callable[[Call], Awaitable[Json]],
    ) -> None:
        self._emulator, self._services, self._run_task = emulator, services, run_task
        self._ahead, self._until = 0.0, _now()
        self._looking = asyncio.Lock()
        self._regions: set[str] = set()  # where there is something by the clock

    async def follow(self, call: Call) -> None:
        """A call that the emulator has answered."""
        if call.operation in _MAKES:
            self._regions.add(call.region)

    async def set(self, at: float) -> None:
        """It is `at`; returns once all that is due then was begun, and nothing that was due on the way."""
        async with self._looking:
            self._ahead, self._until = at - _now(), at - 1
        await self._look()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            await self._look()

    async def _look(self) -> None:
        async with self._looking:
            since, until = self._until, _now() + self._ahead
            self._until = until
            for region in sorted(self._regions):
                for work in (self._schedules, self._actions):
                    try:
                        await work(region, since, until)
                    except Exception:  # noqa: BLE001  one that is not understood must not stop the others
                        _log.exception("what begins by the clock in %s", region)

    async def _schedules(self, region: str, since: float, until: float) -> None:
        for one in await self._emulator.use("scheduler", region, _read_schedules):
            due = comes(one["ScheduleExpression"], one["ScheduleExpressionTimezone"], since, until)
            if due and one["State"] == "ENABLED":
                await self._begin(region, one)

    async def _begin(self, region: str, schedule: Json) -> None:
        """RunTask by the schedule's role, which has to be there.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
        """
        target = schedule["Target"]
        role = target["RoleArn"].rpartition("/")[2]
        await self._emulator.use("iam", region, lambda client: client.get_role(RoleName=role))
        asked = {f"{name[0].lower()}{name[1:]}": value for name, value in target["EcsParameters"].items()}
        network = asked.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        spelt = {f"{name[0].lower()}{name[1:]}": value for name, value in network.items()}
        params = {
            **{name: value for name, value in asked.items() if name not in ("taskDefinitionArn", "taskCount")},
            "cluster": target["Arn"],
            "taskDefinition": asked["taskDefinitionArn"],
            "count": asked.get("taskCount", 1),
            "networkConfiguration": {"awsvpcConfiguration": spelt},
            "overrides": json.loads(target.get("Input") or "{}"),
            "startedBy": f"chronos-schedule/{schedule['Name']}"[:128],
        }
        await self._run_task(Call("ecs", "RunTask", region, "json", params))

    async def _actions(self, region: str, since: float, until: float) -> None:
        """https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-overview.html"""
        for one in await self._emulator.use("application-autoscaling", region, _read_actions):
            if comes(one["Schedule"], one.get("Timezone", ""), since, until):
                await self._emulator.use("application-autoscaling", region, lambda client, one=one: _act(client, one))
                self._bring_within(await self._emulator.use("application-autoscaling", region, _reader(one)))

    def _bring_within(self, target: Json) -> None:
        """The count follows at once where the new bounds leave it out."""
        service = next((s for s in self._services.values() if s.arn.endswith(f":{target['ResourceId']}")), None)
        if service is None or (target.get("SuspendedState") or {}).get("ScheduledScalingSuspended"):
            return
        to = min(max(service.desired, target["MinCapacity"]), target["MaxCapacity"])
        if to != service.desired:
            service.desired, service.steady = to, False


def _read_schedules(client: Any) -> list[Json]:
    listed = client.list_schedules()["Schedules"]
    return [client.get_schedule(GroupName=one["GroupName"], Name=one["Name"]) for one in listed]


def _read_actions(client: Any) -> list[Json]:
    found: list[Json] = client.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    return found


def _named(action: Json) -> Json:
    return {name: action[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}


def _reader(action: Json) -> Callable[[Any], Json]:
    def read(client: Any) -> Json:
        named = {"ServiceNamespace": action["ServiceNamespace"], "ResourceIds": [action["ResourceId"]]}
        found: list[Json] = client.describe_scalable_targets(**named)["ScalableTargets"]
        return found[0]

    return read


def _act(client: Any, action: Json) -> None:
    """New bounds, where scheduled scaling is not suspended."""
    target = _reader(action)(client)
    if (target.get("SuspendedState") or {}).get("ScheduledScalingSuspended"):
        return
    client.register_scalable_target(**_named(action), **action["ScalableTargetAction"])


def _now() -> float:
    return datetime.now(UTC).timestamp()
