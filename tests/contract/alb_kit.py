"""How the contract suite gets at the Application Load Balancer: the rig's, before instances that the test runs itself.

Everything of it is the real thing: rules and weights by AWS's API, health as the load balancer sees it, figures by
CloudWatch. Only what chooses instances is not ECS: a `Fleet` registers with the target groups what a routing names,
and takes it out again, as ECS does on its own when it is told how many there are to be.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import count
from typing import ClassVar
from uuid import uuid4

import aiohttp
from tests.adapters.token_fence import TokenFence
from tests.adapters.until import until
from tests.contract.balancer_kits import Answer, Kit, fetch
from tests.rig import Rig
from tests.rig.place import PREVIEW_HEADER, make, weights
from tests.rig.place import Place as Made
from tests.support.places import NOWHERE

from crossfade.aws.places import COLOURS, Places
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.clock import SystemClock
from crossfade.engine.ports.balancer import LoadBalancer, Report
from crossfade.platforms.aws.alb.balancer import AlbBalancer
from crossfade.platforms.aws.alb.counts import MINUTE, Counts
from crossfade.platforms.aws.alb.health import TargetHealth
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.place import Colour, Finder, Place, PreviewRule
from crossfade.platforms.aws.sight import Lookout, Side, Sight, Task, previewed_colour, weights_by_colour

PACE, LAG = 60.0, 10.0  # minutes are what is waited for: here they take a second
DELAY = 3000  # of deregistration, in AWS's seconds: nobody is cut off by it
# What of the suite this balancer has no part in. A test holds that all the rest of it is kept.
NOT_ITS_OWN = {
    "test_an_unknown_service_has_an_empty_report": "its places are Terraform's: one that is missing is an error",
    "test_what_it_was_told_of_is_known_until_it_is_removed": "which services there are is Terraform's to say",
    "test_services_that_ask_for_the_same_requests_are_told_apart": "rules and their order are Terraform's",
    "test_a_restart_of_the_balancer_changes_nothing": "there is no process of ours",
}


class Settling(SystemClock):
    """Whoever gives a change time to get everywhere waits until it has, however long this machine takes."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self._rig = rig

    async def sleep(self, seconds: float) -> None:
        await asyncio.to_thread(self._rig.settle)


@dataclass
class Grounds:
    """What `infra apply` made for one service, and the instances that are registered there: addresses by id."""

    service: Service
    made: Made
    born: float
    address: str = ""  # where visitors come in
    members: dict[str, tuple[int, str]] = field(default_factory=dict)  # the release and the address, by id
    left: set[str] = field(default_factory=set)  # deregistered: they finish what they hold

    @property
    def place(self) -> Place:
        blue, green = (Colour(name=name, service="", group=self.made.target_groups[name]) for name in COLOURS)
        return replace(
            NOWHERE,
            key=self.service.key,
            colours=(blue, green),
            rules=(self.made.rule,),
            preview=PreviewRule(rule=self.made.preview_rule, header=PREVIEW_HEADER, token=self.made.preview_token),
            balancer=self.made.load_balancer,
        )

    def side(self, colour: str, weight: int) -> Side:
        number = COLOURS.index(colour) + 1
        release = Release(number=number, service=self.service, version="", digest="", config_hash="")
        mine = [name for name, (of, _) in self.members.items() if of == number]
        kept = [name for name in mine if name not in self.left]
        return Side(
            colour=colour,
            definition="",
            release=release,
            wanted=len(kept),
            live=len(mine),
            weight=weight,
            failed=False,
            since=0.0,
        )


class Fleet(Lookout):
    """Keeps the instances of all services: release 1 is blue, and release 2 green."""

    def __init__(self, rig: Rig, clients: Clients, app: str) -> None:
        super().__init__(clients, Finder(clients, Places(app, "dev")), Settling(rig), 0.0)
        self._rig, self._app, self._numbers = rig, app, count()
        self.grounds: dict[str, Grounds] = {}

    async def place(self, key: str) -> Place:
        return self.grounds[key].place

    async def _look(self, key: str) -> Sight:
        grounds = self.grounds[key]
        place, at = grounds.place, self._clock.now()
        actions, health = await asyncio.gather(self._actions(place), self._health(place, set(COLOURS)))
        weighed = weights_by_colour(place, actions)
        return Sight(
            place=place,
            at=at,
            born=grounds.born,
            sides={name: grounds.side(name, weighed[name]) for name in COLOURS},
            tasks=tuple(_task(name, *of, health) for name, of in sorted(grounds.members.items())),
            previewed=previewed_colour(place, actions),
            actions=actions,
        )

    def settle(self, service: Service) -> None:
        """Make its place, where there is none yet: nobody is sent anywhere."""
        if service.key not in self.grounds:
            app = f"{self._app}{next(self._numbers)}"
            made = make(self._rig, app, service=service.name, desired=0, delay=DELAY)
            nowhere = weights(made.target_groups, blue=0, green=0)
            self._rig.client("elbv2").modify_rule(RuleArn=made.rule, Actions=nowhere)
            self.grounds[service.key] = Grounds(service, made, self._clock.now())

    def address(self, key: str) -> str:
        """Where visitors of a service come in."""
        grounds = self.grounds[key]
        if not grounds.address:
            grounds.address = self._rig.address_of(grounds.made.load_balancer)
        return grounds.address

    async def launch(self, key: str, routing: Routing, addresses: Mapping[str, str]) -> None:
        """All that it names, healthy to the load balancer."""
        grounds = self.grounds[key]
        for group in routing.groups:
            for name in (*group.registered, *group.draining):
                if name not in grounds.members:
                    grounds.members[name] = group.release, addresses[name]
                    await self._tell("register_targets", grounds, name)
        await until(lambda: self._well(key))

    async def _well(self, key: str) -> bool:
        sight = await self.look(key, fresh=True)
        return all(task.health is Health.HEALTHY or task.draining for task in sight.tasks)

    async def shrink(self, key: str, routing: Routing) -> None:
        """Take out those that drain beside others of their release, which ECS does, and forget those that are gone."""
        grounds = self.grounds[key]
        named = {name for group in routing.groups for name in (*group.registered, *group.draining)}
        leaving = {name for group in routing.groups if group.registered for name in group.draining}
        going = ((grounds.members.keys() - named) | leaving) - grounds.left
        for name in sorted(going):
            await self._tell("deregister_targets", grounds, name)
        if going:
            await self._clock.sleep(0)  # until nobody is sent there: ECS goes by the delay, which is longer
        grounds.left |= going
        for name in grounds.members.keys() - named:
            del grounds.members[name]
        self.changed(key)

    async def _tell(self, operation: str, grounds: Grounds, name: str) -> None:
        release, address = grounds.members[name]
        host, _, port = address.rpartition(":")
        group = grounds.made.target_groups[COLOURS[release - 1]]
        await self._clients.call("elbv2", operation, TargetGroupArn=group, Targets=[{"Id": host, "Port": int(port)}])


class OverFleet(AlbBalancer):
    """The balancer under test; before and after it the fleet does what on AWS is another's to do."""

    def __init__(self, rig: Rig, clients: Clients, fleet: Fleet, fence: TokenFence) -> None:
        clock = Settling(rig)
        super().__init__(clients, fleet, Counts(clients, clock, MINUTE / PACE), fence=fence, clock=clock)
        self._fleet = fleet

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        await self._fence.check(service.key, token)
        await asyncio.to_thread(self._fleet.settle, service)
        await self._fleet.launch(service.key, routing, addresses)
        took = await super().apply(service, routing, addresses, token, checks)
        await self._fleet.shrink(service.key, routing)
        return took


def _task(name: str, release: int, address: str, health: Mapping[tuple[str, str], TargetHealth]) -> Task:
    colour = COLOURS[release - 1]
    told = health.get((colour, address), TargetHealth(health=Health.STARTING))
    return Task(
        arn=f"task/{name}",
        colour=colour,
        release=release,
        address=address,
        launched_at=0.0,
        health=told.health or Health.STARTING,
        draining=told.draining,
    )


@dataclass(kw_only=True)
class AlbKit(Kit):
    """CloudWatch tells of a minute when it is over, of target groups and not of rules, and of nothing under way."""

    rig: Rig
    clients: Clients
    fleet: Fleet
    http: aiohttp.ClientSession
    answered: Counter[str] = field(default_factory=Counter)  # requests by service
    failed: ClassVar[str] = "5xx from instance"
    unserved: ClassVar[str] = "5xx from the load balancer itself"
    tells_in_flight: ClassVar[bool] = False
    tells_previews: ClassVar[bool] = False
    switches: ClassVar[int] = 5

    def again(self) -> LoadBalancer:
        return OverFleet(self.rig, self.clients, self.fleet, self.fence)

    async def ask(
        self, service: Service, path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> Answer:
        address = self.fleet.address(service.key)
        answer = await fetch(self.http, f"http://{address}{path}", method, headers)
        self.answered[service.key] += answer.status > 0
        return answer

    async def counted(self, service: Service) -> Report:
        known = self.answered[service.key]

        async def told() -> Report | None:
            report = await super(AlbKit, self).counted(service)
            return report if report.traffic.total.requests >= known else None

        report = await until(told)
        assert report is not None
        return report

    def knows_nothing_of(self, report: Report) -> bool:
        """Instances are there all the same: they are another's to stop."""
        return not report.routing.weights

    def turned_away(self, answer: Answer) -> bool:
        """Its listener stays, which Terraform made."""
        return answer.status == HTTPStatus.SERVICE_UNAVAILABLE

    @contextmanager
    def obstructed(self, service: Service) -> Iterator[str]:
        self.fleet.settle(service)
        self.rig.knobs.refuse("elbv2", "ModifyRule", "AccessDenied")
        yield "may not elasticloadbalancing:ModifyRule"
        self.rig.knobs.clear()


@asynccontextmanager
async def alb(rig: Rig) -> AsyncIterator[AlbKit]:
    """The load balancers of an app of its own."""
    fence, clients = TokenFence(), Clients("us-east-1", endpoint=rig.endpoint, patience=4.0)
    fleet = Fleet(rig, clients, f"a{uuid4().hex[:6]}-")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        balancer = OverFleet(rig, clients, fleet, fence)
        try:
            yield AlbKit(balancer=balancer, fence=fence, rig=rig, clients=clients, fleet=fleet, http=http)
        finally:
            for grounds in fleet.grounds.values():
                await asyncio.to_thread(rig.take_down, grounds.made.load_balancer, grounds.made.target_groups.values())
            await clients.close()
