"""One web service in two colours on the rig, and what crossfade deploys to it with: the real adapters and loop."""

import asyncio
import os
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

import pytest
from tests.rig import Rig
from tests.rig.place import APP, PORT, make

from crossfade.adapters import ON_AWS
from crossfade.aws.places import Places
from crossfade.controller.carrier.carrier import SELDOM
from crossfade.controller.order import Order, Shell
from crossfade.controller.orders import Orders
from crossfade.core.rollout import Rollout, State
from crossfade.core.service import HealthCheck, Hooks, RollbackOn, Service, Strategy
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.journal import DryJournal, JournalPaper
from crossfade.engine.loop import Loop
from crossfade.engine.ports.journal import Event
from crossfade.engine.world import World
from crossfade.load import LoadGenerator
from crossfade.platforms.aws.adapters import Adapters, Timing
from crossfade.platforms.aws.clients import Clients

PACE = 20.0  # how much faster than AWS the rig is
CALLS_A_MINUTE = 60  # at most, for AWS throttles who asks more for long
LIMIT = 400.0  # seconds that a busy machine may take for one rollout
_RULES = RollbackOn.__dataclass_fields__


def calls_a_minute(each: float, pause: float = Timing().busy) -> float:
    """Of AWS, of one service at AWS's own pace, where a look takes `each` and the next comes a `pause` later."""
    journal = 1 + 1 + 1 / SELDOM  # of it at each look: the lease renewed, letters, and what others wrote
    figures = 2  # of CloudWatch, in a minute
    return (each + journal) * 60 / pause + figures


@contextmanager
def reached(rig: Rig) -> Iterator[None]:
    """AWS is the rig, for all that goes by the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in rig.environment.items():
            patch.setenv(name, value)
        yield


class Process:
    """One process that deploys: its clients, its adapters and its loops. `told` are the events that it wrote."""

    def __init__(  # noqa: PLR0917  what one process has
        self,
        rig: Rig,
        places: Places,
        journal: DryJournal,
        name: str,
        timing: Timing,
        compute: str,
        revision: Mapping[str, str] | None = None,
        log_group: str | None = None,
    ) -> None:
        self.told: list[Event] = []
        self.clients = Clients("us-east-1", endpoint=rig.endpoint, patience=4.0)
        clock = SystemClock()
        self.adapters = Adapters(
            self.clients, places, journal, clock, timing, compute=compute, log_group=log_group, revision=revision
        )
        kind, runtime = self.adapters.kind, self.adapters.runtime
        self.world = World(
            journal=journal,
            runtimes={kind: runtime},
            sizers={kind: runtime},
            schedules=self.adapters.schedules,
            balancer=self.adapters.balancer,
            ask=_nobody,
            visit=_nobody,
            clock=clock,
            secrets=self.adapters.secrets.of,
            told=self.told.append,
            pace=timing.pace,
        )
        self.orders = Orders(self.world, name, self.adapters.secrets)

    async def close(self) -> None:
        await self.orders.close()
        await self.clients.close()


async def _nobody(*_: Any) -> Any:
    raise AssertionError("nobody is asked beside the load balancer")


class OnEcs:
    """`async with OnEcs(rig, "shop") as shop`: a place that serves what Terraform began with, and a process."""

    compute = "fargate"
    patient: Mapping[str, Any] = {}

    def __init__(self, rig: Rig, app: str) -> None:
        self.rig, self.app = rig, app
        self.timing = Timing().faster(PACE)
        self.paper = JournalPaper()
        self.processes: list[Process] = []
        self.place: Any  # a Place, as `tests.rig` makes it for this compute

    @property
    def url(self) -> str:
        return f"http://{self.rig.address_of(self.place.load_balancer)}"

    @property
    def key(self) -> str:
        return f"{self.app}@dev/web"

    @property
    def process(self) -> Process:
        return self.processes[-1]

    @property
    def loop(self) -> Loop:
        return self.process.orders.registry.loops[self.key]

    async def __aenter__(self) -> Self:
        self.place = await asyncio.to_thread(self.made)
        await self.begin()
        await self.until(lambda: self.answer() == "1")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.process.close()
        await asyncio.to_thread(self.emptied)

    def made(self) -> Any:
        """The place, as `infra apply` would make it."""
        return make(self.rig, self.app)

    def emptied(self) -> None:
        """Nothing runs there any more."""
        ecs = self.rig.client("ecs")
        for service in self.place.services.values():
            ecs.update_service(cluster=self.place.cluster, service=service, desiredCount=0)

    async def begin(self) -> Process:
        """Another process, which goes on with what is on record."""
        name = f"process {len(self.processes)}"
        journal = DryJournal(SystemClock(), self.paper)
        self.processes.append(Process(self.rig, Places(self.app, "dev"), journal, name, self.timing, self.compute))
        await self.process.orders.start()
        return self.process

    def service(
        self, release: str, fault: str = "", *, image: str = "", hooks: Mapping[str, str] | None = None, **how: Any
    ) -> Service:
        """What answers with `release`; `how` are traits of the strategy and of its rules."""
        rules = {name: how.pop(name) for name in list(how) if name in _RULES}
        known: dict[str, Any] = {"keep_previous": 600 / PACE, "timeout": 1200 / PACE, **how}
        name = f"{self.app}-dev-web"
        if not image:
            image = f"{name}@{self.rig.images.add(f'{name}:{release}', [sys.executable, str(APP)])}"
        return Service(
            app=self.app,
            name="web",
            environment="dev",
            runtime=ON_AWS[self.compute],
            image=image,
            port=PORT,
            replicas=2,
            health=HealthCheck(path="/health"),
            drain=30 / PACE,
            env=(("RELEASE", release), ("FAULT", fault)),
            hooks=Hooks(**(hooks or {})),
            strategy=Strategy(**known, rollback_on=RollbackOn(**{"min_requests": 0, **rules})),
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """With a first release of ours, which came under load where Terraform's own had served."""
        async with self:
            async with self.visited() as traffic:
                rollout = await self.deploy(self.service("first"))
            report = traffic.report()
            assert (rollout.state, report.failed) == (State.SUCCEEDED, 0), (rollout.reason, report.losses)
            assert report.releases.keys() == {"1", "first"}
            yield self

    def visited(self, clients: int = 4) -> LoadGenerator:
        """Clients that wait for an answer all the time: what ends in the middle of one is seen."""
        return LoadGenerator(f"{self.url}/slow?s=0.1", clients=clients)

    async def deploy(self, service: Service) -> Rollout:
        """Until it is over."""
        await self.order(service)
        return await self.over()

    async def order(self, service: Service) -> None:
        await self.process.orders.deploy([service], Order(by="kim"), Shell())

    async def over(self) -> Rollout:
        async with self._patience():
            await self.loop.until(lambda loop: loop.ledger.active is None)
        rollout = self.loop.ledger.rollout
        assert rollout is not None
        return rollout

    def answer(self, headers: Mapping[str, str] | None = None) -> str:
        """The release that answers; empty when none does."""
        try:
            request = urllib.request.Request(self.url, headers=dict(headers or {}))
            with urllib.request.urlopen(request, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    async def settled(self) -> str:
        """The release that answers alone, once a switch before has reached every part of the load balancer."""
        seen: set[str] = set()

        def alone() -> bool:
            seen.clear()
            seen.update(self.answer() for _ in range(10))
            return len(seen) == 1 and "" not in seen

        await self.until(alone)
        return seen.pop()

    async def until(self, what: Callable[[], Any]) -> None:
        async with self._patience():
            while not await asyncio.to_thread(what):  # noqa: ASYNC110  what is waited for happens elsewhere
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _patience(self) -> AsyncIterator[None]:
        """A limit for what never comes, which then says how things stand."""
        try:
            async with asyncio.timeout(LIMIT):
                yield
        except TimeoutError as error:
            raise AssertionError(self._state()) from error

    def _state(self) -> str:
        said = [f"sizes {self.sizes()}, weights {self.weights()}"]
        if loop := self.process.orders.registry.loops.get(self.key):
            said.append(f"trouble {loop.trouble!r}, wanted {loop.ledger.wanted}, {loop.ledger.rollout}")
        said += [f"{event.kind} {event.data}" for event in self.process.told[-12:]]
        return "\n".join(said)

    def weights(self) -> dict[str, int]:
        """By colour, as the load balancer's API has them."""
        rules = self.rig.client("elbv2").describe_rules(RuleArns=[self.place.rule])["Rules"]
        groups = rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
        names = {arn: colour for colour, arn in self.place.target_groups.items()}
        return {names[group["TargetGroupArn"]]: group["Weight"] for group in groups}

    def sizes(self) -> dict[str, int]:
        """Desired counts by colour."""
        return self._counts("desiredCount")

    def pending(self) -> dict[str, int]:
        """Tasks that boot, by colour."""
        return self._counts("pendingCount")

    def deployments(self) -> set[str]:
        """How those of both services stand."""
        asked = list(self.place.services.values())
        found = self.rig.client("ecs").describe_services(cluster=self.place.cluster, services=asked)["services"]
        return {made["rolloutState"] for one in found for made in one["deployments"]}

    def _counts(self, what: str) -> dict[str, int]:
        asked = list(self.place.services.values())
        found = self.rig.client("ecs").describe_services(cluster=self.place.cluster, services=asked)["services"]
        return {one["serviceName"].rpartition("-")[2]: one[what] for one in found}
