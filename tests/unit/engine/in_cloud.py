"""A service on the cloud in memory, under a clock of the test's own: what platforms that keep sizes are asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from tests.unit.engine.test_loop import SERVICE

from crossfade.core.release import Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import HealthCheck, Strategy
from crossfade.core.wire import encode
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.cloud import CloudBalancer, CloudRuntime, DryCloud
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.dry.platform import Platform
from crossfade.engine.dry.timeline import Timeline
from crossfade.engine.ledger import Ledger
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.world import Pace, Visit, World


class InCloud:
    """Two instances of a first release, each healthy at once; `timeout` is its step's."""

    def __init__(
        self,
        runtime: type[CloudRuntime] = CloudRuntime,
        *,
        timeout: float = 60.0,
        strategy: Strategy = SERVICE.strategy,
        visit: Visit | None = None,
        health: HealthCheck = SERVICE.health,
        **how: Any,
    ) -> None:
        self.timeline = Timeline.new()
        clock = SystemClock(wall=self.timeline.time, passed=self.timeline.time)
        self.journal = DryJournal(clock)
        self.platform = Platform(behaves=lambda _, __: Behaviour(), clock=clock)
        self.cloud = cloud = DryCloud(self.platform, **how)
        adapter = runtime(cloud, self.journal)
        self.world = World(
            journal=self.journal,
            runtimes={"process": adapter},
            sizers={"process": adapter},
            balancer=CloudBalancer(cloud, self.journal),
            ask=self.platform.ask,
            visit=visit or _visit,
            clock=clock,
            secrets=lambda _: {},
            told=lambda _: None,
            pace=Pace(busy=4.0, idle=8.0, retry=4.0, lease=60.0, settle=3.5),
        )
        self.loop = Loop(Ledger(service=SERVICE.key), self.world, "the loop")
        self.service = replace(SERVICE, strategy=replace(strategy, timeout=timeout), health=health)

    def deploy(self, afterwards: Callable[[], Awaitable[None]] | None = None) -> None:
        """To the end of the rollout, and of what comes after it."""
        self.timeline.run(self._deploy(afterwards))

    def ids(self) -> set[str]:
        """Those that are told to stay."""
        return {life.id for life in self.platform.of(SERVICE.key) if life.drains_until is None and life.term_at is None}

    async def _deploy(self, afterwards: Callable[[], Awaitable[None]] | None) -> None:
        release = Release(number=1, service=self.service, version="1", digest="one", config_hash="one")
        rollout = Rollout(
            id=1,
            service=SERVICE.key,
            source=None,
            target=1,
            strategy=self.service.strategy,
            replicas=2,
            drain=0.0,
            started_at=0.0,
        )
        await self.loop.acquire()
        await self.loop.record("release created", {"release": encode(release)})
        await self.loop.record("rollout started", {"rollout": encode(rollout), "traffic": encode(Traffic())})
        running = asyncio.create_task(self.loop.run())
        await self.loop.until(lambda loop: loop.ledger.active is None)
        if afterwards:
            await afterwards()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _visit(*_: object) -> None: ...
