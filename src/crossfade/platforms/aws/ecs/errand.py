"""A command run once as a task of a release's own definition: a migration, a smoke test."""

import hashlib
from collections.abc import Mapping

from crossfade.core.errors import PlatformError
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definition, Definitions
from crossfade.platforms.aws.ecs.endings import ending
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.refusals import AwsError

LOOK = 8.0  # seconds between two looks at a task that runs: beside those at its service, within sixty calls a minute
LINES = 50  # of what it wrote last
LATE = 3  # looks at a log that has nothing yet, or at a task that is not known yet
ERRAND = "crossfade"  # who began such a task
TIMED_OUT = 124  # as timeout(1) says it


class Errands:
    """Runs commands as tasks. What takes long is looked at every `look` seconds."""

    def __init__(self, clients: Clients, definitions: Definitions, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._definitions, self._clock, self._look = clients, definitions, clock, look

    async def run(
        self, place: Place, definition: Definition, command: str, env: Mapping[str, str], limit: float
    ) -> HookResult:
        """Begin it, or find it again: the same command of the same release is one task, whoever asks.

        So a process that dies while a migration runs does not make the next one run it twice. Left alone, it runs on.
        """
        task = await self._begin(place, definition, command, env)
        until, unknown = self._clock.now() + limit, 0
        while task["lastStatus"] != "STOPPED" and self._clock.now() < until:
            await self._clock.sleep(min(self._look, max(0.0, until - self._clock.now())))
            seen = await self._seen(place, task)
            task, unknown = seen or task, 0 if seen else unknown + 1
            if unknown == LATE:  # ECS forgets a task an hour after its end
                return HookResult(code=None, output="ECS does not know its task any more, nor how it ended")
        name = task["taskArn"].rpartition("/")[2]
        if task["lastStatus"] != "STOPPED":
            why = f"timed out after {limit:g} s"
            await self._clients.call("ecs", "stop_task", cluster=place.cluster, task=task["taskArn"], reason=why)
            written = await self._definitions.lines(definition, place.container, name, LINES)
            return HookResult(code=TIMED_OUT, output="\n".join([*written, why]))
        written = await self._written(definition, place, name)
        ran: Answer = next((one for one in task["containers"] if one["name"] == place.container), {})
        code = ran.get("exitCode")
        if code is None:  # it never began
            return HookResult(code=1, output="\n".join([*written, ending(task, place.container).detail]))
        return HookResult(code=code, output="\n".join(written))

    async def _begin(self, place: Place, definition: Definition, command: str, env: Mapping[str, str]) -> Answer:
        own: Answer = {"name": place.container, "command": ["/bin/sh", "-c", command]}
        if env:
            own["environment"] = [{"name": name, "value": value} for name, value in sorted(env.items())]
        release = f"{place.key} {definition.number} {definition.release.digest if definition.release else ''}"
        once = hashlib.sha256(f"{release} {command} {sorted(env.items())}".encode()).hexdigest()
        try:
            answer = await self._clients.call(
                "ecs",
                "run_task",
                cluster=place.cluster,
                taskDefinition=definition.arn,
                count=1,
                clientToken=once,
                startedBy=ERRAND,
                overrides={"containerOverrides": [own]},
                propagateTags="TASK_DEFINITION",
                **place.launch,
            )
        except AwsError as error:
            answer = {"tasks": _begun_before(error)}
        if not answer["tasks"]:
            why = "; ".join(one.get("reason", "") for one in answer.get("failures", ())) or "no reason was given"
            raise PlatformError(f"a task for `{command}` could not be run: {why}", "it is tried again")
        begun: Answer = answer["tasks"][0]
        return await self._seen(place, begun) or begun

    async def _seen(self, place: Place, task: Answer) -> Answer | None:
        """As it is now; None while ECS does not know it, such as a moment after it was begun."""
        answer = await self._clients.call("ecs", "describe_tasks", cluster=place.cluster, tasks=[task["taskArn"]])
        return next(iter(answer["tasks"]), None)

    async def _written(self, definition: Definition, place: Place, task: str) -> list[str]:
        """What is written reaches the log a little late."""
        for _ in range(LATE):
            lines = await self._definitions.lines(definition, place.container, task, LINES)
            if lines:
                return lines
            await self._clock.sleep(self._look / LATE)
        return []


def _begun_before(error: AwsError) -> list[Answer]:
    """The task that a process before us began under the same token, from another task definition of the release.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html: ConflictException
    """
    said = getattr(error.__cause__, "response", {})
    if error.code != "ConflictException" or not said.get("resourceIds"):
        raise error
    return [{"taskArn": arn, "lastStatus": "PROVISIONING", "containers": []} for arn in said["resourceIds"]]
