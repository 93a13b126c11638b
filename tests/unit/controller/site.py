"""A machine in memory: what outlives a controller, and controllers that come and go on it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.adapters.system_clock import SystemClock

from crossfade.controller.order import Order, Shell
from crossfade.controller.orders import Orders
from crossfade.core.fleet import Health
from crossfade.core.group import Group
from crossfade.core.release import Release
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Listener, RollbackOn, Rule, Service, Strategy
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.journal import DryJournal, JournalPaper
from crossfade.engine.dry.platform import Platform
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.loop import Loop
from crossfade.engine.ports.journal import Event, Fence
from crossfade.engine.ports.stores import StoreKeeper
from crossfade.engine.world import Openable, World

KIM = Order(by="kim")
QUICK = Strategy(timeout=5.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=0))


class MemorySecrets:
    """`Secrets` in a dictionary; `by_app` is what 0.1 kept."""

    def __init__(self) -> None:
        self.sets: dict[str, dict[str, str]] = {}
        self.by_app: dict[str, dict[str, str]] = {}

    def mark(self, service: str, values: Mapping[str, str]) -> str:
        return hashlib.sha256(repr((service, sorted(values.items()))).encode()).hexdigest() if values else ""

    def save(self, service: str, values: Mapping[str, str]) -> str:
        mark = self.mark(service, values)
        if mark:
            self.sets[mark] = dict(values)
        return mark

    def of(self, release: Release) -> Mapping[str, str]:
        return self.sets[release.secrets] if release.secrets else self.by_app.get(release.service.app, {})

    def forget(self, mark: str) -> None:
        self.sets.pop(mark, None)


class Balancer(DryBalancer):
    """One that remembers all that it was told of, in turn."""

    def __init__(self, platform: Platform, fence: Fence) -> None:
        super().__init__(platform, fence)
        self.applied: list[Routing] = []

    async def apply(self, service: Service, routing: Routing, *how: Any) -> float:
        seconds = await super().apply(service, routing, *how)
        self.applied.append(routing)
        return seconds


@dataclass
class Site:
    """`sick` holds releases (service, number) whose instances never pass their health check, `endless` builds."""

    clock: SystemClock = field(default_factory=SystemClock)
    secrets: MemorySecrets = field(default_factory=MemorySecrets)
    sick: set[tuple[str, int]] = field(default_factory=set)
    endless: set[str] = field(default_factory=set)
    programs: dict[str, Behaviour] = field(default_factory=dict)  # what commands do, where they do more than pass
    balancer: type[Balancer] = Balancer
    stores: StoreKeeper | None = None
    openable: Openable = lambda _wanted, _beside: None
    ahead: float = 0.0  # seconds by which the clock on the wall is set ahead

    def __post_init__(self) -> None:
        self.platform = Platform(command=self._command, clock=self.clock)
        self.journal = DryJournal(self.clock)

    def lose_the_journal(self) -> None:
        self.journal = DryJournal(self.clock)

    def backup(self) -> DryJournal:
        """The journal as it is now, of which nothing that is written later is known."""
        paper = self.journal.paper
        return DryJournal(self.clock, JournalPaper(events=list(paper.events), leases=dict(paper.leases)))

    @asynccontextmanager
    async def controller(self) -> AsyncIterator["Control"]:
        """One that is killed at the end of the block: it takes nothing back, writes nothing more, and is gone."""
        control = Control(self)
        await control.orders.start()
        try:
            yield control
        finally:
            await control.orders.close()

    async def ask(self, address: str, check: HealthCheck) -> str:
        for life in self.platform.lives.values():
            if life.address == address and (life.release.service.key, life.release.number) in self.sick:
                return "said 503"
        return await self.platform.ask(address, check)

    def crash(self, instance: str, detail: str = "killed by signal 9 (SIGKILL)") -> None:
        """Let an instance end without being told to."""
        life = self.platform.lives[instance]
        life.behaviour = Behaviour(life=((self.clock.now() - life.born, Health.EXITED),), detail=detail)

    def exited(self, instance: str) -> bool:
        return self.platform.lives[instance].truth(self.clock.now()) is Health.EXITED

    def running(self, key: str) -> dict[int, int]:
        """Instances of a service by release."""
        found: dict[int, int] = {}
        for life in self.platform.of(key):
            if not self.exited(life.id):
                found[life.release.number] = found.get(life.release.number, 0) + 1
        return found

    def serves(self, key: str) -> int | None:
        """The one release that has all traffic."""
        exposure = self.platform.exposed.get(key)
        weights = exposure.routing.weights if exposure else ()
        return weights[0][0] if len(weights) == 1 else None

    def kinds(self, key: str) -> list[str]:
        return [event.kind for event in self.journal.events if event.service == key]

    def _command(self, command: str) -> Behaviour:
        return self.programs.get(command) or Behaviour(seconds=3600.0 if command in self.endless else 0.0)


class Control:
    """One controller of the site."""

    shell = Shell()

    def __init__(self, site: Site) -> None:
        self.site = site
        self.told: list[Event] = []
        self.balancer = site.balancer(site.platform, site.journal)
        runtime = DryRuntime(site.platform, site.journal)
        world = World(
            journal=site.journal,
            runtimes={"process": runtime},
            seats={"process": runtime},
            balancer=self.balancer,
            ask=site.ask,
            visit=_visit,
            clock=site.clock,
            secrets=site.secrets.of,
            told=self.told.append,
            stores=site.stores,
            openable=site.openable,
            wall=lambda: site.clock.now() + site.ahead,
        )
        self.orders = Orders(world, "the controller", site.secrets)
        self.registry = self.orders.registry

    async def deploy(self, service: Service, order: Order = KIM, **secrets: str) -> Loop:
        """Deploy and wait for the end."""
        begun = await self.orders.deploy([service], order, Shell(secrets=secrets))
        loop = self.registry.loops[service.key]
        assert begun.rollout is not None
        await over(loop, begun.rollout.id)
        return loop

    async def deploy_together(self, *services: Service, order: Order = KIM) -> Group:
        """Deploy several as one release and wait for the end."""
        begun = await self.orders.deploy(services, order, Shell())
        assert begun.group is not None
        return await within(self.orders.groups.ended(begun.group))


async def over(loop: Loop, rollout: int) -> None:
    await within(loop.until(lambda loop: any(r.rollout.id == rollout for r in loop.ledger.records)))


async def within(work: Any, seconds: float = 20.0) -> Any:
    """A test that hangs fails."""
    async with asyncio.timeout(seconds):
        return await work


def service(name: str = "web", **changes: Any) -> Service:
    """A service of the app `shop` that drains at once."""
    base = Service(
        app="shop",
        name=name,
        source=f"/src/{name}",
        command="serve",
        health=HealthCheck(interval=0.05, timeout=1.0, healthy=1, unhealthy=2),
        drain=0.0,
        grace=0.0,
        routes=(Rule(path=f"/{name}/*"),),
        listener=Listener(host="127.0.0.1", http=8080),
        strategy=QUICK,
    )
    return replace(base, **changes)


async def _visit(_url: str, _headers: Any, _count: int, _patience: float) -> None: ...
