"""One look at a service on ECS: its two services by colour, their tasks, and why those that ended did so."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

from crossfade.core.fleet import Health
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.alb.health import TargetHealth
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definition, Definitions
from crossfade.platforms.aws.ecs.endings import ending, unplaced
from crossfade.platforms.aws.ecs.quiet import Quiet, primary_of
from crossfade.platforms.aws.ecs.running import running_for
from crossfade.platforms.aws.ecs.tasks import Tasks
from crossfade.platforms.aws.place import Finder, Place
from crossfade.platforms.aws.sight import (
    SAME_MOMENT,
    Lookout,
    Side,
    Sight,
    Task,
    Unplaced,
    previewed_colour,
    weights_by_colour,
)

_UNREGISTERED = {"PROVISIONING", "PENDING", "STOPPED"}


class TaskLookout(Lookout):
    """Looks at the tasks of one environment."""

    def __init__(
        self, clients: Clients, finder: Finder, definitions: Definitions, clock: Clock, moment: float = SAME_MOMENT
    ) -> None:
        super().__init__(clients, finder, clock, moment)
        self._definitions, self._of_ecs = definitions, Tasks(clients, definitions)
        self._quiet: dict[str, Quiet] = {}
        self._ended: dict[str, dict[str, Answer]] = {}  # by service and ARN: tasks that will not change any more

    async def _look(self, key: str) -> Sight:
        at = self._clock.now()
        place = await self._finder.place(key)
        services, actions = await asyncio.gather(self._finder.services(place), self._actions(place))
        quiet = self._quiet.setdefault(key, Quiet(2 * self._moment))
        listed = await self._listed(place) if quiet.moves(services, at) else quiet.tasks
        described = await self._described(key, place, listed)
        mine = {arn: one for arn, one in described.items() if _colour(place, one)}
        quiet.tasks = mine.keys()
        health = await self._health(place, {_colour(place, one) for one in mine.values() if _has_a_target(one)})
        definitions = {one["taskDefinitionArn"] for one in mine.values()}
        definitions |= {primary_of(one)["taskDefinition"] for one in services.values()}
        defined = {arn: await self._definitions.of(arn, place.container) for arn in sorted(definitions)}
        weights = weights_by_colour(place, actions)
        sides = {
            name: _side(name, services[name], defined, mine, place, weights[name])
            for name in (c.name for c in place.colours)
        }
        tasks = [task for arn in sorted(mine) if (task := await self._task(key, place, mine[arn], defined, health))]
        return Sight(
            place=place,
            at=at,
            born=min(one["createdAt"].timestamp() for one in services.values()),
            sides=sides,
            tasks=tuple(tasks),
            previewed=previewed_colour(place, actions),
            actions=actions,
        )

    async def _listed(self, place: Place) -> Collection[str]:
        """What runs or is to, and what was told to stop, of jobs as well."""
        running, stopped = await asyncio.gather(*(self._of_ecs.listed(place, one) for one in ("RUNNING", "STOPPED")))
        return {*running, *stopped}

    async def _described(self, key: str, place: Place, listed: Collection[str]) -> dict[str, Answer]:
        """By ARN. What has ended is asked for once."""
        found = {arn: one for arn, one in self._ended.get(key, {}).items() if arn in listed}
        for one in await self._of_ecs.described(place, sorted(set(listed) - found.keys())):
            found[one["taskArn"]] = one
        self._ended[key] = {arn: one for arn, one in found.items() if one["lastStatus"] == "STOPPED"}
        return found

    async def _task(
        self,
        key: str,
        place: Place,
        said: Answer,
        known: Mapping[str, Definition],
        health: Mapping[tuple[str, str], TargetHealth],
    ) -> Task | None:
        """A task as it is; None for one that went because fewer were wanted, and is gone."""
        arn, colour, definition = said["taskArn"], _colour(place, said), known[said["taskDefinitionArn"]]
        address = _address(said, place.port)
        if place.behind_balancer:
            told = health.get((colour, address), TargetHealth(health=Health.STARTING))
        else:
            told = running_for(said, definition.release, self._clock.now())
        task = Task(
            arn=arn,
            colour=colour,
            release=definition.number,
            address=address,
            launched_at=said["createdAt"].timestamp(),
            health=self._seen(key, arn, told),
            detail=told.detail,
            draining=told.draining,
        )
        if said["desiredStatus"] != "STOPPED":
            return task
        ends = ending(said, place.container)
        if ends.died:
            line = await self._definitions.last_line(definition, place.container, task.id)
            ends = ending(said, place.container, line, self._said.get(arn, ""))
            answers = _runs(said, place.container)
            return replace(task, exited=True, stopping=answers, detail=ends.detail, blamed=ends.blamed)
        return None if said["lastStatus"] == "STOPPED" else replace(task, stopping=True, detail="")


def _colour(place: Place, task: Answer) -> str:
    """Empty for a task of no service: one that was run once."""
    group = task.get("group", "")
    return next((c.name for c in place.colours if group == f"service:{c.service}"), "")


def _runs(task: Answer, container: str) -> bool:
    """Its container does: while the task is drained, and after SIGTERM for as long as its `stopTimeout`.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """
    ours: Answer = next((one for one in task.get("containers", ()) if one["name"] == container), {})
    return task["lastStatus"] != "STOPPED" and ours.get("lastStatus") == "RUNNING"


def _has_a_target(task: Answer) -> bool:
    """It may be registered with its target group, which a task is not before it runs.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """
    return task["lastStatus"] not in _UNREGISTERED


def _address(task: Answer, port: int) -> str:
    for attachment in task.get("attachments", ()):
        for detail in attachment.get("details", ()):
            if detail["name"] == "privateIPv4Address":
                return f"{detail['value']}:{port}"
    return ""


def _side(  # noqa: PLR0917
    name: str,
    service: Answer,
    known: Mapping[str, Definition],
    tasks: Mapping[str, Answer],
    place: Place,
    weight: int,
) -> Side:
    primary = primary_of(service)
    mine = [one for one in tasks.values() if _colour(place, one) == name]
    return Side(
        colour=name,
        definition=primary["taskDefinition"],
        release=known[primary["taskDefinition"]].release,
        wanted=service["desiredCount"],
        live=sum(one["lastStatus"] != "STOPPED" for one in mine),
        weight=weight,
        failed=primary.get("rolloutState") == "FAILED",
        since=primary["createdAt"].timestamp(),
        why=primary.get("rolloutStateReason", ""),
        beside=tuple(
            one.get("rolloutState", "")
            for one in service["deployments"]
            if one is not primary and one["taskDefinition"] == primary["taskDefinition"] and one["runningCount"]
        ),
        unplaced=tuple(
            Unplaced(id=event["id"], at=event["createdAt"].timestamp(), why=why)
            for event in service.get("events", ())
            if event["createdAt"] >= primary["createdAt"] and (why := unplaced(event["message"]))
        ),
    )
