"""What tasks write, from CloudWatch Logs."""

from collections.abc import AsyncIterator

from crossfade.core.errors import WrongInputError
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definition, Definitions, stream
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import Lookout

LOOK = 3.0  # seconds between two looks at what is new
OVERLAP = 10_000  # ms: what was written a moment ago may come after what was written later
_MS = 1000


class Logs:
    """Reads what the tasks of a service write; followed, every `look` seconds."""

    def __init__(
        self, clients: Clients, lookout: Lookout, definitions: Definitions, clock: Clock, look: float = LOOK
    ) -> None:
        self._clients, self._lookout, self._definitions = clients, lookout, definitions
        self._clock, self._look = clock, look

    async def read(
        self, service: str, *, instance: str | None, lines: int, follow: bool
    ) -> AsyncIterator[tuple[str, str]]:
        """(task, line), oldest first of each: the last `lines` of each task that is listed, then what is new."""
        since = round(self._clock.now() * _MS)
        container, tasks = await self._tasks(service, instance)
        if instance is not None and instance not in tasks:
            raise WrongInputError(
                f"there is no log of {instance} of {service}", f"it has {', '.join(sorted(tasks)) or 'no tasks'}"
            )
        seen: set[str] = set()
        for task, definition in tasks.items():
            for event in await self._last(definition, container, task, lines):
                if event["timestamp"] >= since - OVERLAP:
                    seen.add(f"{task} {event['timestamp']} {event['message']}")
                yield task, event["message"]
        while follow:
            await self._clock.sleep(self._look)
            container, tasks = await self._tasks(service, instance)
            newest = since
            for definition in {d.log_group: d for d in tasks.values() if d.log_group}.values():
                for event in await self._new(definition, container, since - OVERLAP, instance):
                    task = event["logStreamName"].rpartition("/")[2]
                    mark = f"{task} {event['timestamp']} {event['message']}"
                    newest = max(newest, event["timestamp"])
                    if mark not in seen:
                        seen.add(mark)
                        yield task, event["message"]
            since = newest
            seen = {mark for mark in seen if int(mark.split(" ", 2)[1]) >= since - 2 * OVERLAP}

    async def _tasks(self, service: str, instance: str | None) -> tuple[str, dict[str, Definition]]:
        sight = await self._lookout.look(service)
        arns = {side.number: side.definition for side in sight.sides.values()}
        container = sight.place.container
        tasks = {}
        for task in sight.tasks:
            if instance in {None, task.id} and task.release in arns:
                tasks[task.id] = await self._definitions.of(arns[task.release], container)
        return container, tasks

    async def _last(self, definition: Definition, container: str, task: str, lines: int) -> list[Answer]:
        if not definition.log_group or not lines:
            return []
        try:
            answer = await self._clients.call(
                "logs",
                "get_log_events",
                logGroupName=definition.log_group,
                logStreamName=stream(definition, container, task),
                limit=lines,
                startFromHead=False,
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":  # it has not written yet
                return []
            raise
        events: list[Answer] = answer["events"]
        return events[-lines:]

    async def _new(self, definition: Definition, container: str, since: int, instance: str | None) -> list[Answer]:
        prefix = stream(definition, container, instance or "")
        return await self._clients.all(
            "logs",
            "filter_log_events",
            "events",
            logGroupName=definition.log_group,
            logStreamNamePrefix=prefix,
            startTime=since,
        )
