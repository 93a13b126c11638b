"""What AWS says of one service at one moment: both colours, their tasks, the health of these, and the weights.

One look serves all who ask at that moment, so that the tasks and the routing of one step are of one moment, and no
more is asked of AWS than is needed: six calls with both colours filled, one more while tasks come and go.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.alb.health import TargetHealth, by_address
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definition, Definitions
from crossfade.platforms.aws.ecs.endings import ending, unplaced
from crossfade.platforms.aws.ecs.quiet import Quiet, primary_of
from crossfade.platforms.aws.place import Finder, Place, shares

SAME_MOMENT = 2.0  # seconds for which a look serves whoever asks
# The weight of the colour that the preview's rule leads to: visitors have shares of 100, and so the one is told from
# the other although both lead to the same colour.
PREVIEWED = 999
NOBODYS = 0  # the number of what runs and was never a release: what Terraform or another tool began with
WHOLE = 100  # the weight of a colour that visitors are sent to alone
_AT_ONCE = 100  # tasks that DescribeTasks takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of a colour. `release` is NOBODYS where its definition is not ours."""

    arn: str
    colour: str
    release: int
    address: str  # host:port, or empty before it has one
    launched_at: float
    health: Health = Health.STARTING
    stopping: bool = False
    exited: bool = False
    draining: bool = False  # the load balancer gives it nothing new, and lets it finish
    detail: str = ""
    blamed: bool = True

    @property
    def id(self) -> str:
        """As people know it: the last part of its ARN."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A task that ECS could not even begin: a quota is reached, or capacity is short. `id` is of ECS's event."""

    id: str
    at: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One colour: how many tasks of which definition it is told to keep. `release` None: of none of ours."""

    colour: str
    definition: str
    release: Release | None
    wanted: int
    live: int  # tasks that are not stopped yet
    weight: int
    failed: bool  # its deployment was given up by ECS
    since: float  # when its deployment began
    why: str = ""  # what ECS says of a deployment that it gave up
    unplaced: tuple[Unplaced, ...] = ()  # since this deployment began

    @property
    def number(self) -> int:
        return self.release.number if self.release else NOBODYS

    @property
    def empty(self) -> bool:
        return not self.wanted and not self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look. `previewed` is the colour that the preview's rule leads to; empty: where visitors go as well."""

    place: Place
    at: float
    born: float  # when the older of both services was made
    sides: Mapping[str, Side]
    tasks: tuple[Task, ...] = ()
    previewed: str = ""
    actions: Mapping[str, list[Answer]] = field(default_factory=dict)  # by ARN of a rule or a listener

    def side_of(self, release: int) -> Side | None:
        """Where a release is kept; of two colours the one that keeps more of it."""
        sides = [side for side in self.sides.values() if side.number == release]
        return max(sides, key=lambda side: (side.wanted, side.weight, side.live), default=None)

    def free(self) -> Side | None:
        """A colour for another release: it keeps none and has none; rather one that no visitor is sent to."""
        return min(
            (side for side in self.sides.values() if side.empty),
            key=lambda side: (side.weight, side.colour),
            default=None,
        )


class Lookout:
    """Looks at the services of one environment."""

    def __init__(
        self, clients: Clients, finder: Finder, definitions: Definitions, clock: Clock, moment: float = SAME_MOMENT
    ) -> None:
        self._clients, self._finder, self._definitions = clients, finder, definitions
        self._clock, self._moment = clock, moment
        self._last: dict[str, Sight] = {}
        self._looking: dict[str, asyncio.Lock] = {}
        self._quiet: dict[str, Quiet] = {}
        self._ended: dict[str, dict[str, Answer]] = {}  # by service and ARN: tasks that will not change any more
        self._healthy: dict[str, set[str]] = {}  # by service: tasks that were seen healthy
        self._said: dict[str, str] = {}  # by task: what the load balancer complained of last

    async def place(self, key: str) -> Place:
        """Where it is, which does not change; asks AWS only the first time."""
        return await self._finder.place(key)

    async def look(self, key: str, *, fresh: bool = False) -> Sight:
        """At `app/service`; not `fresh`, it may be of a moment ago."""
        async with self._looking.setdefault(key, asyncio.Lock()):
            last = self._last.get(key)
            if fresh or last is None or self._clock.now() - last.at > self._moment:
                last = self._last[key] = await self._look(key)
            return last

    def changed(self, key: str) -> None:
        """We changed something: what was seen before is old."""
        self._last.pop(key, None)

    async def _look(self, key: str) -> Sight:
        at = self._clock.now()
        place = await self._finder.place(key)
        services, running, actions = await asyncio.gather(
            self._finder.services(place), self._listed(place, "RUNNING"), self._actions(place)
        )
        quiet = self._quiet.setdefault(key, Quiet())
        if quiet.moves(services, running):
            quiet.stopped = await self._listed(place, "STOPPED")
        described = await self._described(key, place, {*running, *quiet.stopped})
        mine = {arn: one for arn, one in described.items() if _colour(place, one)}
        filled = {_colour(place, one) for one in mine.values() if one["lastStatus"] != "STOPPED"}
        health = await self._health(place, filled | {n for n, one in services.items() if one["desiredCount"]})
        definitions = {one["taskDefinitionArn"] for one in mine.values()}
        definitions |= {primary_of(one)["taskDefinition"] for one in services.values()}
        defined = {arn: await self._definitions.of(arn, place.container) for arn in sorted(definitions)}
        weights = _weights(place, actions)
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
            previewed=_previewed(place, actions),
            actions=actions,
        )

    async def _listed(self, place: Place, status: str) -> list[str]:
        """Tasks of both colours, which share the family of their definitions."""
        family = self._definitions.family(place.key)
        asked = {"cluster": place.cluster, "family": family, "desiredStatus": status}
        return await self._clients.all("ecs", "list_tasks", "taskArns", **asked)

    async def _described(self, key: str, place: Place, listed: set[str]) -> dict[str, Answer]:
        ended = {arn: one for arn, one in self._ended.get(key, {}).items() if arn in listed}
        open_ = sorted(listed - ended.keys())
        for start in range(0, len(open_), _AT_ONCE):
            some = open_[start : start + _AT_ONCE]
            answer = await self._clients.call("ecs", "describe_tasks", cluster=place.cluster, tasks=some)
            for one in answer["tasks"]:
                ended[one["taskArn"]] = one
        self._ended[key] = {arn: one for arn, one in ended.items() if one["lastStatus"] == "STOPPED"}
        return ended

    async def _actions(self, place: Place) -> dict[str, list[Answer]]:
        """What the rules of both visitors and preview do now, by ARN."""
        rules = [*place.rules, *([place.preview.rule] if place.preview else [])]
        found: dict[str, list[Answer]] = {}
        if rules:
            for rule in (await self._clients.call("elbv2", "describe_rules", RuleArns=rules))["Rules"]:
                found[rule["RuleArn"]] = rule["Actions"]
        if place.listeners:
            asked = {"ListenerArns": list(place.listeners)}
            for listener in (await self._clients.call("elbv2", "describe_listeners", **asked))["Listeners"]:
                found[listener["ListenerArn"]] = listener["DefaultActions"]
        return found

    async def _health(self, place: Place, colours: set[str]) -> dict[tuple[str, str], TargetHealth]:
        """By colour and address."""
        names = sorted(colours)
        groups = [place.colour(name).group for name in names]
        answers = await asyncio.gather(
            *(self._clients.call("elbv2", "describe_target_health", TargetGroupArn=group) for group in groups)
        )
        found = {}
        for name, answer in zip(names, answers, strict=True):
            for address, health in by_address(answer).items():
                if health.unused:
                    raise PlatformError(
                        f"target group {place.colour(name).group.split('/')[-2]} is in no rule of the load balancer",
                        "`crossfade infra plan` shows what differs from the file",
                    )
                found[name, address] = health
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
        told = health.get((colour, address), TargetHealth(health=Health.STARTING))
        was_healthy = self._healthy.setdefault(key, set())
        state = told.health or Health.STARTING
        if state is Health.HEALTHY:
            was_healthy.add(arn)
        elif state is Health.UNHEALTHY and arn not in was_healthy:
            state = Health.STARTING
        if told.detail:
            self._said[arn] = told.detail
        task = Task(
            arn=arn,
            colour=colour,
            release=definition.number,
            address=address,
            launched_at=said["createdAt"].timestamp(),
            health=state,
            detail=told.detail,
            draining=told.draining,
        )
        if said["desiredStatus"] != "STOPPED":
            return task
        ends = ending(said, place.container)
        if ends.died:
            line = await self._definitions.last_line(definition, place.container, task.id)
            ends = ending(said, place.container, line, self._said.get(arn, ""))
            return replace(task, exited=True, detail=ends.detail, blamed=ends.blamed)
        return None if said["lastStatus"] == "STOPPED" else replace(task, stopping=True, detail="")


def _colour(place: Place, task: Answer) -> str:
    """Empty for a task of no service: one that was run once."""
    group = task.get("group", "")
    return next((c.name for c in place.colours if group == f"service:{c.service}"), "")


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
        unplaced=tuple(
            Unplaced(id=event["id"], at=event["createdAt"].timestamp(), why=why)
            for event in service.get("events", ())
            if event["createdAt"] >= primary["createdAt"] and (why := unplaced(event["message"]))
        ),
    )


def _weights(place: Place, actions: Mapping[str, list[Answer]]) -> dict[str, int]:
    """By colour what visitors are sent by; where rules differ both ways are open, which no goal is."""
    weights = {colour.name: 0 for colour in place.colours}
    for arn in (*place.rules, *place.listeners):
        for group, weight in shares(actions.get(arn, [])).items():
            colour = place.of_group(group)
            if colour is None and weight:
                raise PlatformError(
                    f"a rule of {place.key} also leads to target group {group.split('/')[-2]}",
                    "somebody added it by hand: take it out of the rule, or set its weight to 0",
                )
            if colour is not None:
                weights[colour.name] = max(weights[colour.name], weight)
    return weights


def _previewed(place: Place, actions: Mapping[str, list[Answer]]) -> str:
    if place.preview is None:
        return ""
    for group, weight in shares(actions.get(place.preview.rule, [])).items():
        colour = place.of_group(group)
        if colour is not None and weight == PREVIEWED:
            return colour.name
    return ""
