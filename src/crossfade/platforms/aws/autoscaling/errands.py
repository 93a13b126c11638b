"""A command run once on a host, beside what serves there: a migration, a smoke test. Systems Manager brings it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import count

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.aws.autoscaling.errand_script import TIMED_OUT, script
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.commands import NEVER_BEGAN, UNDER_WAY, Commands, Sent
from crossfade.platforms.aws.sight import Sight, Task

LOOK = 8.0  # seconds between two looks at what runs: beside those at the service they are within sixty calls a minute
_SELDOM = 2  # looks for one at whether the host is there still
SPARE = 120.0  # seconds beyond its limit: the image is pulled first, and the script itself sees to the limit
Look = Callable[[], Awaitable[Sight]]


class _NobodyError(Exception):
    """Nothing was begun: no host takes it now, and another one may later."""


class HostErrands:
    """Runs commands on hosts. What takes long is looked at every `look` seconds."""

    def __init__(self, clients: Clients, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._clock, self._look = clients, clock, look
        self._commands = Commands(clients, clock)

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
                sent = await self._commands.find(once)
                if sent is None:
                    sent = await self._send(await look(), release, user_data, once, command, env, limit)
                return await self._followed(sent, limit)
            except _NobodyError as nobody:
                if self._clock.now() > until:
                    return HookResult(code=1, output=str(nobody))
            await self._clock.sleep(self._look)

    async def _followed(self, sent: Sent, limit: float) -> HookResult:
        until, looks = self._clock.now() + limit + SPARE, count()
        while (told := await self._commands.told(sent))["Status"] in UNDER_WAY:
            if next(looks) % _SELDOM == 0 and await self._is_gone(sent.host):
                return HookResult(code=None, output=f"its host {sent.host} went away")
            if self._clock.now() > until:
                return HookResult(code=TIMED_OUT, output=f"timed out after {limit:g} s, and {sent.host} did not end it")
            await self._clock.sleep(self._look)
        digest, _, output = told.get("StandardOutputContent", "").partition("\n")
        code = told.get("ResponseCode", -1)
        if told["Status"] in {"Success", "Failed"} and code >= 0:
            return HookResult(code=code, output=output.rstrip("\n"), digest=digest)
        how = told.get("StatusDetails") or told["Status"]
        if how in NEVER_BEGAN:
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
    ) -> Sent:
        host = await self._host(sight, release)
        text = script(user_data, host, once, command, env, limit)
        return await self._commands.send(host, once, text, limit + SPARE)

    async def _host(self, sight: Sight, release: Release) -> str:
        """Rather one of the release itself, rather one that visitors get to, rather a healthy one.

        Others may be on their way home. Of healthy ones it is the oldest, and of sick ones the youngest.
        """
        there = [one for one in sight.tasks if not (one.stopping or one.exited)]
        if not there:
            raise _NobodyError(f"{sight.place.key} has no host to run it on")
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
