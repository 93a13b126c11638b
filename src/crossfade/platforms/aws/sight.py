"""The sight of one service at one moment: both colours, their tasks, the health of these, and the weights.

One look serves all who ask at that moment, so that the tasks and the routing of one step are of one moment, and no
more is asked of AWS than is needed: five calls with both colours filled, two more when tasks come or go.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.alb.health import TargetHealth, by_address
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.place import Finder, Place, shares

SAME_MOMENT = 2.0  # seconds for which a look serves whoever asks
# The weight of the colour that the preview's rule leads to: visitors have shares of 100, and so the one is told from
# the other although both lead to the same colour.
PREVIEWED = 999
NOBODYS = 0  # the number of what runs and was never a release: what Terraform or another tool began with
WHOLE = 100  # the weight of a colour that visitors are sent to alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task of a colour. `release` is NOBODYS where its definition is not ours."""

    arn: str
    colour: str
    release: int
    address: str  # host:port, or empty before it has one
    launched_at: float
    health: Health = Health.STARTING
    stopping: bool = False  # on its way out, and may answer its last requests yet
    exited: bool = False  # by itself or because it failed; not `stopping` any more: it is gone
    draining: bool = False  # the load balancer gives it nothing new, and lets it finish
    detail: str = ""
    blamed: bool = True
    final: bool = False  # where it exited: another of its release would do the same

    @property
    def gone(self) -> bool:
        """Nothing of it answers any more."""
        return self.exited and not self.stopping

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
    in_service: int = 0  # of hosts: those that are through their launch, whether or not the app is well
    beside: tuple[str, ...] = ()  # how far the deployments are whose tasks a restart replaces, as ECS calls it

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
    """Looks at the services of one environment, in whichever way their platform is asked."""

    def __init__(self, clients: Clients, finder: Finder, clock: Clock, moment: float = SAME_MOMENT) -> None:
        self._clients, self._finder, self._clock, self._moment = clients, finder, clock, moment
        self._last: dict[str, Sight] = {}
        self._looking: dict[str, asyncio.Lock] = {}
        self._healthy: dict[str, set[str]] = {}  # by service: who was seen healthy
        self._said: dict[str, str] = {}  # by instance: what the load balancer complained of last

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

    async def seen(self, key: str) -> Sight:
        """The last look, however long it took: who goes on from it asks nothing anew unless we changed something."""
        return self._last.get(key) or await self.look(key)

    def changed(self, key: str) -> None:
        """We changed something: what was seen before is old."""
        self._last.pop(key, None)

    async def _look(self, key: str) -> Sight:
        raise NotImplementedError

    def _seen(self, key: str, name: str, told: TargetHealth) -> Health:
        """Starting until it is healthy for the first time; what was complained of it is remembered."""
        was_healthy = self._healthy.setdefault(key, set())
        state = told.health or Health.STARTING
        if state is Health.HEALTHY:
            was_healthy.add(name)
        if told.detail:
            self._said[name] = told.detail
        return Health.STARTING if state is Health.UNHEALTHY and name not in was_healthy else state

    def _nothing_seen(self, key: str, names: Sequence[str]) -> None:
        """What they answered so far was not their release: found unhealthy now, they are starting still."""
        self._healthy.get(key, set()).difference_update(names)

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
        names = sorted(colours) if place.behind_balancer else []
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


def weights_by_colour(place: Place, actions: Mapping[str, list[Answer]]) -> dict[str, int]:
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


def previewed_colour(place: Place, actions: Mapping[str, list[Answer]]) -> str:
    """The one that the preview's rule leads to alone; empty: it does what visitors' rules do."""
    if place.preview is None:
        return ""
    for group, weight in shares(actions.get(place.preview.rule, [])).items():
        colour = place.of_group(group)
        if colour is not None and weight == PREVIEWED:
            return colour.name
    return ""
