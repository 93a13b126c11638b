"""Systems Manager's Run Command: a script that an instance's agent takes, runs to its end and tells of.

https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.rig.ec2.instances import Instances
from tests.rig.wire import AwsError, Call, Json

_KEPT = 24_000  # characters of what it wrote first, as GetCommandInvocation gives them
_DOCUMENT = "AWS-RunShellScript"
_INTO_A_FILE = 'f=$(mktemp) && printf "%s" "$1" > "$f" && chmod 700 "$f" && exec sh -c "$f"'  # as the agent does


@dataclass(eq=False)
class Sent:
    """One command on one instance."""

    instance: str
    comment: str
    asked: Json
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "InProgress"
    details: str = "InProgress"
    code: int = -1
    out: str = ""

    def shown(self) -> Json:
        """Command of the API."""
        return {
            "CommandId": self.id,
            "DocumentName": _DOCUMENT,
            "Comment": self.comment,
            "Parameters": self.asked,
            "InstanceIds": [self.instance],
            "RequestedDateTime": self.at,
            "Status": self.status,
            "StatusDetails": self.details,
        }

    def end(self, status: str, details: str, code: int, out: str) -> None:
        self.status, self.details, self.code, self.out = status, details, code, out


class RunCommand:
    """Each operation takes a call and returns its answer."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._sent: dict[str, Sent] = {}
        self._work: set[asyncio.Task[None]] = set()

    def operations(self) -> dict[tuple[str, str], Any]:
        mine = {
            "SendCommand": self.send,
            "ListCommands": self.list,
            "GetCommandInvocation": self.invocation,
            "DescribeInstanceInformation": self.describe,
        }
        return {("ssm", name): operation for name, operation in mine.items()}

    async def send(self, call: Call) -> Json:
        said = call.params
        if said["DocumentName"] != _DOCUMENT:
            raise AwsError("InvalidDocument", "The specified SSM document doesn't exist.")
        (instance,) = said["InstanceIds"]
        return {"Command": self.begin(instance, said.get("Comment") or "", said["Parameters"]).shown()}

    def begin(self, instance: str, comment: str, asked: Json) -> Sent:
        """On an instance that runs."""
        if not self._instances.running(instance):
            raise AwsError("InvalidInstanceId", f"Instances [[{instance}]] not in a valid state for account")
        sent = Sent(instance, comment, asked)
        self._sent[sent.id] = sent
        task = asyncio.create_task(self._run(sent))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return sent

    async def list(self, call: Call) -> Json:
        """The newest first."""
        return {"Commands": [one.shown() for one in reversed(self._sent.values())]}

    async def invocation(self, call: Call) -> Json:
        sent = self._sent.get(call.params["CommandId"])
        if sent is None or sent.instance != call.params["InstanceId"]:
            raise AwsError("InvocationDoesNotExist", "")
        return {
            "CommandId": sent.id,
            "InstanceId": sent.instance,
            "Comment": sent.comment,
            "DocumentName": _DOCUMENT,
            "ResponseCode": sent.code,
            "Status": sent.status,
            "StatusDetails": sent.details,
            "StandardOutputContent": sent.out[:_KEPT],
            "StandardErrorContent": "",
        }

    async def describe(self, call: Call) -> Json:
        """Those whose agent has told of itself."""
        filters = call.params.get("Filters") or []
        wanted = [id_ for one in filters if one["Key"] == "InstanceIds" for id_ in one["Values"]]
        found = [id_ for id_ in self._instances.machines if self._instances.running(id_)]
        return {
            "InstanceInformationList": [
                {"InstanceId": id_, "PingStatus": "Online", "PlatformType": "Linux"}
                for id_ in found
                if not wanted or id_ in wanted
            ]
        }

    async def _run(self, sent: Sent) -> None:
        """Who takes an instance away in the middle hears nothing more of it: it stays as it was."""
        script = "\n".join(sent.asked["commands"]) + "\n"
        limit = float(sent.asked.get("executionTimeout", ["3600"])[0])
        machine = self._instances.machines[sent.instance]
        code, out = await machine.run("sh", "-c", _INTO_A_FILE, "sh", script, limit=limit)
        if code is None and machine.running:
            sent.end("TimedOut", "Execution Timed Out", -1, out)
        elif code is not None:
            sent.end(*(("Success", "Success") if code == 0 else ("Failed", "Failed")), code, out)
