"""A command run once on a host, beside what serves there: a migration, a smoke test. Systems Manager brings it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.aws.autoscaling.errand_script import TIMED_OUT, script
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import Sight, Task

DOCUMENT = "AWS-RunShellScript"
LOOK = 5.0  # seconds between two looks at what runs
SPARE = 120.0  # seconds beyond its limit: the image is pulled first, and the script itself sees to the limit
_TAKEN_WITHIN = 60  # seconds for a host to take it
_LONGEST = 172_800  # seconds that Run Command lets anything take
_UNDER_WAY = {"Pending", "InProgress", "Delayed", "Cancelling"}
_NEVER_BEGAN = {"Delivery Timed Out", "DeliveryTimedOut", "Undeliverable", "InvalidPlatform", "AccessDenied"}
_REMEMBERED = timedelta(days=1)  # who comes later than that finds it on the host itself

Look = Callable[[], Awaitable[Sight]]


class _NobodyError(Exception):
    """Nothing was begun: no host takes it now, and another one may later."""


@dataclass(frozen=True, slots=True)
class _Sent:
    command: str  # its id
    host: str


class HostErrands:
    """Runs commands on hosts. What takes long is looked at every `look` seconds."""

    def __init__(self, clients: Clients, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._clock, self._look = clients, clock, look

    async def run(  # noqa: PLR0917
        self, look: Look, release: Release, user_data: str, command: str, env: Mapping[str, str], limit: float
    ) -> HookResult:
        """Begin it, or find it again: the same command of the same release is run once, whoever asks.

        So a process that dies while a migration runs does not make the next one run it twice. Left alone, it runs on.
        Where no host takes it within `limit` seconds it has failed.
        """
        said = f"{release.service.key} {release.number} {release.digest} {command} {sorted(env.items())}"
        once = hashlib.sha256(said.encode()).hexdigest()
        until = self._clock.now() + limit
        while True:
            try:
                sent = await self._sent(once)
                if sent is None:
                    sent = await self._send(await look(), release, user_data, once, command, env, limit)
                return await self._followed(sent, limit)
            except _NobodyError as nobody:
                if self._clock.now() > until:
                    return HookResult(code=1, output=str(nobody))
            await self._clock.sleep(self._look)

    async def _followed(self, sent: _Sent, limit: float) -> HookResult:
        until = self._clock.now() + limit + SPARE
        while (told := await self._told(sent))["Status"] in _UNDER_WAY:
            if await self._is_gone(sent.host):
                return HookResult(code=None, output=f"its host {sent.host} went away")
            if self._clock.now() > until:
                return HookResult(code=TIMED_OUT, output=f"timed out after {limit:g} s, and {sent.host} did not end it")
            await self._clock.sleep(self._look)
        digest, _, output = told.get("StandardOutputContent", "").partition("\n")
        code = told.get("ResponseCode", -1)
        if told["Status"] in {"Success", "Failed"} and code >= 0:
            return HookResult(code=code, output=output.rstrip("\n"), digest=digest)
        how = told.get("StatusDetails") or told["Status"]
        if how in _NEVER_BEGAN:
            raise _NobodyError(f"host {sent.host} did not take it: {how}")
        return HookResult(code=None, output=f"{output}\nSystems Manager says of it on {sent.host}: {how}".lstrip())

    async def _send(  # noqa: PLR0917
        self,
        sight: Sight,
        release: Release,
        user_data: str,
        once: str,
        command: str,
        env: Mapping[str, str],
        limit: float,
    ) -> _Sent:
        host = await self._host(sight, release)
        text = base64.b64encode(script(user_data, host, once, command, env, limit).encode()).decode()
        answer = await self._clients.call(
            "ssm",
            "send_command",
            DocumentName=DOCUMENT,
            InstanceIds=[host],
            Comment=_comment(once),
            TimeoutSeconds=_TAKEN_WITHIN,
            Parameters={
                # Encoded, for AWS would take what stands in double braces for a parameter's name.
                "commands": [f"#!/bin/bash\nexec bash <(base64 -d <<< {text})"],
                "executionTimeout": [str(min(_LONGEST, round(limit + SPARE)))],
            },
        )
        return _Sent(answer["Command"]["CommandId"], host)

    async def _sent(self, once: str) -> _Sent | None:
        """What a process before us began."""
        since = datetime.fromtimestamp(self._clock.now(), UTC) - _REMEMBERED
        filters = [
            {"key": "DocumentName", "value": DOCUMENT},
            {"key": "InvokedAfter", "value": f"{since:%Y-%m-%dT%H:%M:%SZ}"},
        ]
        found = [
            one
            for one in await self._clients.all("ssm", "list_commands", "Commands", Filters=filters)
            if one.get("Comment") == _comment(once) and one.get("StatusDetails") not in _NEVER_BEGAN
        ]
        newest = max(found, key=lambda one: one["RequestedDateTime"], default=None)
        return newest and _Sent(newest["CommandId"], newest["InstanceIds"][0])

    async def _told(self, sent: _Sent) -> Answer:
        asked = {"CommandId": sent.command, "InstanceId": sent.host}
        try:
            return await self._clients.call("ssm", "get_command_invocation", **asked)
        except AwsError as error:
            if error.code == "InvocationDoesNotExist":  # not yet: what is sent is seen a little later
                return {"Status": "Pending"}
            raise

    async def _host(self, sight: Sight, release: Release) -> str:
        """Rather one of the release itself, rather one that visitors get to, rather a healthy one.

        Others may be on their way home. Of healthy ones it is the oldest, and of sick ones the youngest.
        """
        there = [one for one in sight.tasks if not (one.stopping or one.exited)]
        if not there:
            raise _NobodyError(f"no host of {sight.place.key} is there to run it on")
        known = await self._connected([one.id for one in there])
        able = [one for one in there if one.id in known]
        if not able:
            raise _NobodyError(
                f"Systems Manager reaches no host of {sight.place.key}: {', '.join(one.id for one in there)}; their "
                "agent needs a way out, by NAT, a public address or `cloud: {network: {endpoints: [ssm]}}`"
            )

        def rank(one: Task) -> tuple[bool, bool, bool, float]:
            well = one.health is Health.HEALTHY  # what is not is replaced when its grace is over
            serves = one.colour in sight.sides and sight.sides[one.colour].weight > 0
            return one.release != release.number, not serves, not well, one.launched_at if well else -one.launched_at

        return min(able, key=rank).id

    async def _connected(self, hosts: list[str]) -> Collection[str]:
        filters = [{"Key": "InstanceIds", "Values": sorted(hosts)}]
        found = await self._clients.all(
            "ssm", "describe_instance_information", "InstanceInformationList", Filters=filters
        )
        return {one["InstanceId"] for one in found if one["PingStatus"] == "Online"}

    async def _is_gone(self, host: str) -> bool:
        """Its group has it no more, or ends it: then nobody will say how the command ended."""
        answer = await self._clients.call("autoscaling", "describe_auto_scaling_instances", InstanceIds=[host])
        lives = [one for one in answer["AutoScalingInstances"] if not one["LifecycleState"].startswith("Terminat")]
        return not lives


def _comment(once: str) -> str:
    return f"crossfade {once}"
