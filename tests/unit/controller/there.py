"""An environment in memory that no daemon looks after, and processes that carry it in turn."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, UnixConnector
from tests.adapters.memory_letters import Box, MemoryLetters
from tests.unit.controller.site import QUICK, Site, service, within

from crossfade.controller.api.hub import Hub
from crossfade.controller.carrier.carrier import Carrier
from crossfade.controller.values import nothing_kept
from crossfade.core.errors import PlatformError
from crossfade.core.service import Strategy
from crossfade.core.wire import encode
from crossfade.engine.dry.journal import DryJournal, JournalPaper
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.ports.journal import Event, Lease
from crossfade.engine.world import Pace, RemoteEnvironment, World

HOME = "shop@prod"
WEB = f"{HOME}/web"
PACE = Pace(busy=0.1, idle=0.2, retry=0.1, lease=3.0)

Json = dict[str, Any]


class Process:
    """A process that carries, and the API that it speaks to its own command."""

    def __init__(self, socket: Path, journal: DryJournal) -> None:
        self.journal = journal
        self._socket = socket

    async def ask(self, method: str, path: str, **body: Any) -> Json:
        connector = UnixConnector(str(self._socket))
        query = {"params": body} if method == "GET" else {"json": body}
        async with (
            ClientSession(connector=connector) as session,
            session.request(method, f"http://x{path}", **query) as response,
        ):
            answer: Json = await response.json()
            return answer

    async def deploy(self, version: str, strategy: Strategy = QUICK, **how: Any) -> Json:
        """Of one service, whose code is what its version says."""
        wanted = service(environment="prod", source=f"/src/{version}", strategy=strategy)
        return await within(
            self.ask("POST", "/v1/deploy", services=[encode(wanted)], by="kim@laptop", version=version, **how)
        )

    async def status(self) -> Json:
        answer = await within(self.ask("GET", "/v1/status", app=HOME))
        found: Json = answer["services"][0]
        return found

    async def over(self, rollout: int) -> Json:
        answer = await within(self.ask("GET", f"/v1/rollouts/{rollout}", app=HOME, service="web", wait="1"))
        found: Json = answer["rollout"]
        return found


class There:
    """An environment: what runs in it, and what is written of it, outlives every process that looks after it."""

    def __init__(self, folder: Path) -> None:
        self.site, self.paper, self.box, self._folder = Site(), JournalPaper(), Box(), folder
        self._processes = 0

    @asynccontextmanager
    async def process(self, who: str = "kim@laptop", journal: type[DryJournal] = DryJournal) -> AsyncIterator[Process]:
        """One that ends in order at the end of the block."""
        self._processes += 1
        hub, socket = Hub(), self._folder / f"{self._processes}"
        environment, written = self.environment(hub.tell, journal)
        async with Carrier(environment, hub, f"{who}, process {self._processes}", socket).serving():
            yield Process(socket, written)

    def environment(
        self, told: Callable[[Event], None], journal: type[DryJournal] = DryJournal
    ) -> tuple[RemoteEnvironment, DryJournal]:
        """It as one process sees it, and the journal by which it does."""
        written = journal(self.site.clock, self.paper)
        runtime = DryRuntime(self.site.platform, written)
        world = World(
            journal=written,
            runtimes={"process": runtime, "ecs": runtime, "autoscaling": runtime},
            balancer=self.site.balancer(self.site.platform, written),
            ask=self.site.ask,
            visit=_visit,
            clock=self.site.clock,
            secrets=self.site.secrets.of,
            told=told,
            pace=PACE,
        )
        environment = RemoteEnvironment(
            home=HOME,
            world=world,
            secrets=self.site.secrets,
            letters=MemoryLetters(self.box),
            kept=nothing_kept,
        )
        return environment, written


async def _visit(_url: str, _headers: Any, _count: int, _patience: float) -> None: ...


class Unreturned(DryJournal):
    """Of a process that is killed: it gives no lease back."""

    async def release(self, lease: Lease) -> None: ...


class ExpiredError(PlatformError):
    """Credentials that were good when it began, and are no more."""

    lasting = True


class Expiring(DryJournal):
    """Takes nothing any more once `expired` is said."""

    expired = False

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        if self.expired:
            raise ExpiredError("the credentials have expired", "log in again")
        return await super().renew(lease, ttl)


BAKED = Strategy(bake=1.0, timeout=60.0, keep_previous=0.0, rollback_on=QUICK.rollback_on)
SLOW = Strategy(bake=60.0, timeout=60.0, keep_previous=0.0, rollback_on=QUICK.rollback_on)
