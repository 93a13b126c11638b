"""What ECS tells EventBridge of tasks, as far as rules put it into log groups.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
"""

import contextlib
import json
import uuid
from datetime import datetime
from typing import Any

from moto.events.models import EventPattern
from tests.rig.ecs.task import Task, now
from tests.rig.emulator import Emulator
from tests.rig.logs import Logs
from tests.rig.wire import Json

_LOG_GROUP = ":log-group:"


class Events:
    """`await stopped(task)` once it has."""

    def __init__(self, emulator: Emulator, logs: Logs) -> None:
        self._emulator, self._logs = emulator, logs

    async def stopped(self, task: Task) -> None:
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "account": task.arn.split(":")[4],
            "time": _said(now()),
            "region": task.region,
            "resources": [task.arn],
            "detail": task.shown(),
        }
        text = json.dumps(event, default=_said)
        for pattern, groups in await self._emulator.use("events", task.region, _rules):
            if EventPattern.load(pattern).matches_event(json.loads(text)):
                for group in groups:
                    await self._put(task.region, group, text)

    async def _put(self, region: str, group: str, text: str) -> None:
        """A stream of its own for each."""
        stream = str(uuid.uuid4())
        with contextlib.suppress(LookupError):
            await self._logs.open(region, group, stream, create=False)
            self._logs.write(region, group, stream, text)


def _rules(client: Any) -> list[tuple[str, list[str]]]:
    found = []
    for rule in client.list_rules()["Rules"]:
        if rule.get("EventPattern") and rule.get("State") == "ENABLED":
            targets: list[Json] = client.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            arns = [one["Arn"] for one in targets if _LOG_GROUP in one["Arn"]]
            found.append((rule["EventPattern"], [arn.partition(_LOG_GROUP)[2].removesuffix(":*") for arn in arns]))
    return found


def _said(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
