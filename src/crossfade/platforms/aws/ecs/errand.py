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

LOOK = 5.0  # seconds between two looks at a task that runs
LINES = 50  # of what it wrote last
LATE = 3  # looks at a log that has nothing yet
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
        until = self._clock.now() + limit
        while task["lastStatus"] != "STOPPED" and self._clock.now() < until:
            await self._clock.sleep(min(self._look, max(0.0, until - self._clock.now())))
            task = await self._seen(place, task)
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
        if not answer["tasks"]:
            why = "; ".join(one.get("reason", "") for one in answer.get("failures", ())) or "no reason was given"
            raise PlatformError(f"a task for `{command}` could not be run: {why}", "it is tried again")
        begun: Answer = answer["tasks"][0]
        return await self._seen(place, begun)

    async def _seen(self, place: Place, task: Answer) -> Answer:
        """As it is now; a task that was begun a moment ago may not be listed yet."""
        answer = await self._clients.call("ecs", "describe_tasks", cluster=place.cluster, tasks=[task["taskArn"]])
        return answer["tasks"][0] if answer["tasks"] else task

    async def _written(self, definition: Definition, place: Place, task: str) -> list[str]:
        """What is written reaches the log a little late."""
        for _ in range(LATE):
            lines = await self._definitions.lines(definition, place.container, task, LINES)
            if lines:
                return lines
            await self._clock.sleep(self._look / LATE)
        return []
