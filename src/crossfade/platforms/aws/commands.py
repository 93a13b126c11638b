"""Systems Manager's Run Command: a script that a host runs as root, known by a name for whoever goes on.

https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.refusals import AwsError

DOCUMENT = "AWS-RunShellScript"
UNDER_WAY = {"Pending", "InProgress", "Delayed", "Cancelling"}
NEVER_BEGAN = {"Delivery Timed Out", "DeliveryTimedOut", "Undeliverable", "InvalidPlatform", "AccessDenied"}
_TAKEN_WITHIN = 60  # seconds for a host to take it
_COMMENT = 100  # characters: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
_LONGEST = 172_800  # seconds that Run Command lets anything take
_REMEMBERED = timedelta(days=1)  # who comes later than that finds it on the host itself, or nowhere


@dataclass(frozen=True, slots=True)
class Sent:
    """One command on one host."""

    command: str  # its id
    host: str


class _SentError(Exception):
    """It was sent although nobody said so."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(sent.command)
        self.sent = sent


class Commands:
    """`once` is what a command is called: a name for it, by which it is found again."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    async def send(  # noqa: PLR0917
        self, host: str, once: str, script: str, seconds: float, before: Check = unfenced, known: Sent | None = None
    ) -> Sent:
        """For bash. Ended after so many seconds. `known` is the one of that name that there was before.

        AWS takes it as often as it is told: where an answer was lost, it is looked whether the command is there.
        """
        tries = count()

        async def unsent() -> None:
            await before()
            if next(tries):
                there = await self.find(once)
                if there and there != known:
                    raise _SentError(there)

        text = base64.b64encode(script.encode()).decode()
        asked = {
            "DocumentName": DOCUMENT,
            "InstanceIds": [host],
            "Comment": _comment(once),
            "TimeoutSeconds": _TAKEN_WITHIN,
            "Parameters": {
                # Encoded, for AWS would take what stands in double braces for a parameter's name.
                "commands": [f"#!/bin/bash\nexec bash <(base64 -d <<< {text})"],
                "executionTimeout": [str(min(_LONGEST, round(seconds)))],
            },
        }
        try:
            answer = await self._clients.call("ssm", "send_command", unsent, **asked)
        except _SentError as error:
            return error.sent
        return Sent(answer["Command"]["CommandId"], host)

    async def find(self, once: str) -> Sent | None:
        """What a process before us began, and a host took."""
        since = datetime.fromtimestamp(self._clock.now(), UTC) - _REMEMBERED
        filters = [
            {"key": "DocumentName", "value": DOCUMENT},
            {"key": "InvokedAfter", "value": f"{since:%Y-%m-%dT%H:%M:%SZ}"},
        ]
        found = [
            one
            for one in await self._clients.all("ssm", "list_commands", "Commands", Filters=filters)
            if one.get("Comment") == _comment(once) and one.get("StatusDetails") not in NEVER_BEGAN
        ]
        newest = max(found, key=lambda one: one["RequestedDateTime"], default=None)
        return newest and Sent(newest["CommandId"], newest["InstanceIds"][0])

    async def told(self, sent: Sent) -> Answer:
        asked = {"CommandId": sent.command, "InstanceId": sent.host}
        try:
            return await self._clients.call("ssm", "get_command_invocation", **asked)
        except AwsError as error:
            if error.code == "InvocationDoesNotExist":  # not yet: what is sent is seen a little later
                return {"Status": "Pending"}
            raise


def _comment(once: str) -> str:
    """What is longer than AWS takes is known by its digest."""
    said = f"crossfade {once}"
    return said if len(said) <= _COMMENT else f"crossfade {hashlib.sha256(once.encode()).hexdigest()}"
