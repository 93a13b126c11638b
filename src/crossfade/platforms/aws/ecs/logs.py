"""Logs of tasks, from CloudWatch Logs."""

from collections.abc import AsyncIterator, Mapping

from crossfade.core.errors import WrongInputError
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.logs import LogQuery, Said, Writer
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definition, Definitions, stream
from crossfade.platforms.aws.ecs.errand import ERRAND
from crossfade.platforms.aws.ecs.jobs import GROUP
from crossfade.platforms.aws.ecs.tasks import Tasks
from crossfade.platforms.aws.following import LOOK, MS, followed
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import Lookout


class TaskLogs:
    """Reads what the tasks of a service write; followed, every `look` seconds."""

    def __init__(
        self, clients: Clients, lookout: Lookout, definitions: Definitions, clock: Clock, look: float = LOOK
    ) -> None:
        self._clients, self._lookout, self._definitions = clients, lookout, definitions
        self._clock, self._look, self._of_ecs = clock, look, Tasks(clients, definitions)

    async def read(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        """Oldest first: the last lines of each task that is listed, or all since a moment, then what is new."""
        if Writer.BUILD in query.writers and query.instance is None:
            raise WrongInputError(
                f"builds of {service} write no log in AWS",
                "the deploy that builds shows what goes wrong, where it runs",
            )
        began = round(self._clock.now() * MS)
        container, tasks = await self._tasks(service, query)
        if query.instance is not None and query.instance not in tasks:
            tasks |= await self._long_gone(service, container, query.instance)
        if query.instance is not None and query.instance not in tasks:
            raise WrongInputError(
                f"there is no log of {query.instance} of {service}", f"it has {', '.join(sorted(tasks)) or 'no tasks'}"
            )
        told = sorted(await self._so_far(container, tasks, query), key=lambda one: one.at)
        for one in told:
            yield one
        if not query.follow:
            return

        async def new(since: int) -> list[Said]:
            return await self._new(*await self._tasks(service, query), since, query)

        async for one in followed(told, began, new, self._clock, self._look):
            yield one

    async def _so_far(self, container: str, tasks: Mapping[str, Definition], query: LogQuery) -> list[Said]:
        if query.since is None:
            found = [await self._last(definition, container, task, query.lines) for task, definition in tasks.items()]
            return [one for said in found for one in said]
        by_task: dict[str, list[Said]] = {}
        for one in await self._new(container, tasks, round(query.since * MS), query):
            by_task.setdefault(one.writer, []).append(one)
        return [one for said in by_task.values() for one in said[max(0, len(said) - query.lines) :]]

    async def _tasks(self, service: str, query: LogQuery) -> tuple[str, dict[str, Definition]]:
        """Those of the service that are listed, by id, with what they run by: instances, commands that ran once."""
        sight = await self._lookout.look(service)
        container = sight.place.container
        tasks: dict[str, Definition] = {}
        if Writer.INSTANCE in query.writers or query.instance is not None:
            arns = {side.number: side.definition for side in sight.sides.values()}
            for task in sight.tasks:
                if task.release in arns:
                    tasks[task.id] = await self._definitions.of(arns[task.release], container)
        if {Writer.HOOK, Writer.JOB} & set(query.writers) or query.instance not in {None, *tasks}:
            for errand in await self._errands(sight.place, query):
                name = errand["taskArn"].rpartition("/")[2]
                tasks[name] = await self._definitions.of(errand["taskDefinitionArn"], container)
        return container, {name: found for name, found in tasks.items() if query.instance in {None, name}}

    async def _long_gone(self, service: str, container: str, task: str) -> dict[str, Definition]:
        """One that ECS lists no more, and that wrote where the others of its service do."""
        sight = await self._lookout.look(service)
        for side in sight.sides.values():
            definition = await self._definitions.of(side.definition, container)
            if await self._definitions.lines(definition, container, task, 1):
                return {task: definition}
        return {}

    async def _errands(self, place: Place, query: LogQuery) -> list[Answer]:
        """Hooks and jobs that run, and those that ended: ECS lists them for an hour."""
        arns = [arn for status in ("RUNNING", "STOPPED") for arn in await self._of_ecs.listed(place, status)]
        found = await self._of_ecs.described(place, arns)
        return [one for one in found if query.instance or _kind(one) in query.writers]

    async def _last(self, definition: Definition, container: str, task: str, lines: int) -> list[Said]:
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
        return [_said(task, event) for event in answer["events"]][-lines:]

    async def _new(self, container: str, tasks: Mapping[str, Definition], since: int, query: LogQuery) -> list[Said]:
        """What was written since then, of instances also by those that are gone, which nobody lists any more."""
        gone = Writer.INSTANCE in query.writers and query.instance is None
        found: list[Said] = []
        for definition in {d.log_group: d for d in tasks.values() if d.log_group}.values():
            events = await self._clients.all(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=definition.log_group,
                logStreamNamePrefix=stream(definition, container, query.instance or ""),
                startTime=since,
            )
            for event in events:
                task = event["logStreamName"].rpartition("/")[2]
                if task in tasks or gone:
                    found.append(_said(task, event))
        return found


def _kind(task: Answer) -> Writer | None:
    """None for a task of a service, or of somebody else."""
    if task.get("group", "").startswith(GROUP):
        return Writer.JOB
    return Writer.HOOK if task.get("startedBy") == ERRAND else None


def _said(task: str, event: Answer) -> Said:
    return Said(event["timestamp"] / MS, task, event["message"])
