"""What ECS tells EventBridge of tasks, as far as rules put it into log groups or tell topics of it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import contextlib
import json
import uuid
from datetime import datetime
from typing import Any

from tests.rig.calendar.pattern import matches
from tests.rig.ecs.task import Task, now
from tests.rig.emulator import Emulator
from tests.rig.logs import Logs
from tests.rig.wire import Json

_LOG_GROUP, _TOPIC = ":log-group:", ":sns:"


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
        for pattern, targets in await self._emulator.use("events", task.region, _rules):
            if matches(pattern, json.loads(text)):
                for target in targets:
                    await self._bring(task.region, target, text)

    async def _bring(self, region: str, target: Json, text: str) -> None:
        arn = target["Arn"]
        if _LOG_GROUP in arn:
            await self._put(region, arn.partition(_LOG_GROUP)[2].removesuffix(":*"), text)
        elif _TOPIC in arn:
            said = _transformed(target["InputTransformer"], json.loads(text)) if "InputTransformer" in target else text
            await self._emulator.use("sns", region, lambda client: client.publish(TopicArn=arn, Message=said))

    async def _put(self, region: str, group: str, text: str) -> None:
        """A stream of its own for each."""
        stream = str(uuid.uuid4())
        with contextlib.suppress(LookupError):
            await self._logs.open(region, group, stream, create=False)
            self._logs.write(region, group, stream, text)


def _rules(client: Any) -> list[tuple[Json, list[Json]]]:
    """Patterns with their targets."""
    return [
        (json.loads(rule["EventPattern"]), client.list_targets_by_rule(Rule=rule["Name"])["Targets"])
        for rule in client.list_rules()["Rules"]
        if rule.get("EventPattern") and rule.get("State") == "ENABLED"
    ]


def _transformed(asked: Json, event: Json) -> str:
    """The template with what lies at its paths."""
    said = str(asked["InputTemplate"])
    for name, path in asked["InputPathsMap"].items():
        found: Any = event
        for part in path.removeprefix("$.").split("."):
            found = found.get(part, "")
        said = said.replace(f"<{name}>", str(found))
    return said


def _said(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
