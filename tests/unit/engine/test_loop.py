"""The loop on a platform in memory: what it does after a gap in its work, and how often it does what leads nowhere."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.job import Job, Run
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import HealthCheck, RollbackOn, Service, Strategy
from crossfade.core.wire import encode
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.dry.platform import Platform
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.dry.timeline import Timeline
from crossfade.engine.fold import fold
from crossfade.engine.ledger import Ledger
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.runtime import HookResult, Running
from crossfade.engine.world import World

SERVICE = Service(
    app="shop",
    name="web",
    source="/src",
    replicas=2,
    health=HealthCheck(interval=5.0, timeout=1.0, healthy=2, unhealthy=2),
    strategy=Strategy(timeout=600.0, keep_previous=0.0, rollback_on=RollbackOn(min_requests=0)),
)
WORKER = replace(SERVICE, kind="worker", drain=0.0, health=HealthCheck(after=1.0))
STOPPED = 100.0  # seconds: far more than a gap


class Journal(DryJournal):
    """Tells of each line before it is written."""

    def __init__(self, clock: SystemClock) -> None:
        super().__init__(clock)
        self.before: Callable[[Event], None] = lambda _: None

    async def append(self, event: Event, token: int) -> Event:
        self.before(event)
        return await super().append(event, token)


class Runtime(DryRuntime):
    """Remembers when it was asked what runs; answers after `slow` seconds, and tells of an end `late` seconds after.

    From `busy` on it runs no command.
    """

    def __init__(self, platform: Platform, journal: DryJournal) -> None:
        super().__init__(platform, journal)
        self.asked: list[float] = []
        self.slow = self.late = 0.0
        self.busy = math.inf

    async def stop(self, instance: str, grace: float, token: int) -> bool:
        killed = await super().stop(instance, grace, token)
        await asyncio.sleep(self.late)
        return killed

    async def execute(
        self, instance: str, release: Release, command: str, secrets: Mapping[str, str], limit: float
    ) -> HookResult:
        if self._platform.clock.now() >= self.busy:
            raise PlatformError("it is busy")
        return await super().execute(instance, release, command, secrets, limit)

    async def instances(self, service: str) -> Sequence[Running]:
        self.asked.append(self._platform.clock.now())
        await asyncio.sleep(self.slow)
        return await super().instances(service)


class Schedules:
    """Begins jobs by itself. `asked` has whether anything of the service moved when it was asked for their runs."""

    def __init__(self, moves: Callable[[], bool]) -> None:
        self._moves = moves
        self.asked: list[bool] = []

    async def keep(self, release: Release, token: int) -> None: ...

    async def end(self, service: str, token: int) -> None: ...

    async def runs(self, release: Release) -> Sequence[Run]:
        self.asked.append(self._moves())
        return ()


class Here:
    """A first deploy of two instances on a platform in memory, and what was asked, written and routed when."""

    def __init__(self, behaves: Callable[[int], Behaviour], service: Service = SERVICE) -> None:
        self.service = service
        self.visits = 0
        self.unreached = ""  # why our own requests come to nobody
        self.drain = 0.0
        self.schedules = Schedules(self.drains)
        self.timeline = Timeline.new()
        clock = SystemClock(wall=self.timeline.time, passed=self.timeline.time)
        self.platform = Platform(behaves=lambda _, nth: behaves(nth), clock=clock)
        self.journal = Journal(clock)
        self.runtime = Runtime(self.platform, self.journal)
        self.probed: list[tuple[str, float]] = []
        self.loop = Loop(Ledger(service=SERVICE.key), self._world(clock), "the loop")

    def run(self, until: Callable[[Ledger], bool], *, releases: int = 1) -> None:
        self.timeline.run(self._deploy(until, releases))

    def drains(self) -> bool:
        """Whether an instance ends what it holds."""
        return any(one.draining_since is not None for one in self.loop.fleet.instances)

    def intents(self) -> list[float]:
        """When each act was about to be done."""
        return [e.at for e in self.journal.events if e.kind == "intent"]

    def served(self) -> float:
        """When the first routing was told that sends somebody traffic."""
        return min(e.at for e in self.journal.events if e.kind == "routed" and e.data["action"]["routing"]["weights"])

    async def _deploy(self, until: Callable[[Ledger], bool], releases: int) -> None:
        await self.loop.acquire()
        await self._begin(1)
        running = asyncio.create_task(self.loop.run())
        for number in range(2, releases + 1):
            await self.loop.until(lambda loop: loop.ledger.active is None and loop.window is None)
            await self._begin(number)
        await self.loop.until(lambda loop: until(loop.ledger))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def go_on(self, until: Callable[[Ledger], bool]) -> None:
        """Be the next controller: it knows what is on record and nothing else."""
        self.loop = Loop(fold(self.journal.events)[SERVICE.key], self._world(self.platform.clock), "the loop")
        await self.loop.acquire()
        running = asyncio.create_task(self.loop.run())
        await self.loop.until(lambda loop: until(loop.ledger))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _begin(self, number: int) -> None:
        release = Release(number=number, service=self.service, version=f"v{number}", digest="d", config_hash="")
        rollout = Rollout(
            id=number,
            service=SERVICE.key,
            source=number - 1 or None,
            target=number,
            strategy=self.service.strategy,
            replicas=2,
            drain=self.drain,
            kind=self.service.kind,
        )
        await self.loop.record("release created", {"release": encode(release)})
        await self.loop.record("rollout started", {"rollout": encode(rollout), "traffic": encode(Traffic())})

    def _world(self, clock: SystemClock) -> World:
        async def ask(address: str, check: HealthCheck) -> str:
            self.probed.append((address, self.timeline.time()))
            return await self.platform.ask(address, check)

        async def visit(*_: object) -> None:
            self.visits += 1
            if self.unreached:
                raise PlatformError(self.unreached)

        return World(
            journal=self.journal,
            runtimes={"process": self.runtime},
            balancer=DryBalancer(self.platform, self.journal),
            ask=ask,
            visit=visit,
            clock=clock,
            secrets=lambda _: {},
            told=lambda _: None,
            schedules={"process": self.schedules},
        )


def test_what_was_decided_before_a_stop_is_not_done_after_it() -> None:
    """Stopped while the end of one that served is written down: who goes on looks again before it does anything."""
    here = Here(lambda nth: Behaviour(life=((0.0, Health.HEALTHY), *([(50.0, Health.EXITED)] if nth == 0 else []))))
    resumed = 0.0

    def stop_once(event: Event) -> None:
        nonlocal resumed
        if event.kind == "instance exited" and not resumed:
            here.timeline.skip(STOPPED)
            resumed = here.platform.clock.now()

    here.journal.before = stop_once
    here.run(lambda _: bool(resumed) and here.intents()[-1] >= resumed)
    acted = min(at for at in here.intents() if at >= resumed)
    assert any(resumed <= at <= acted for at in here.runtime.asked), (resumed, acted, here.runtime.asked)


def test_health_that_was_found_before_a_stop_is_found_again_after_it() -> None:
    """One pass of two came before it: two more are waited for, and only then there is traffic."""
    here = Here(lambda _: Behaviour())
    resumed = 0.0

    def stop() -> None:
        nonlocal resumed
        here.timeline.skip(STOPPED)
        resumed = here.timeline.time()

    here.timeline.call_later(0.005, stop)  # one that starts is asked again after 0.01 s
    here.run(lambda ledger: ledger.active is None)
    traffic = here.served()
    for address in {address for address, _ in here.probed}:
        before = [at for of, at in here.probed if of == address and at < resumed]
        after = [at for of, at in here.probed if of == address and resumed <= at <= traffic]
        assert len(before) == 1, before
        assert len(after) >= SERVICE.health.healthy, after


def test_what_is_waited_for_ends_where_every_look_takes_longer_than_a_gap() -> None:
    """A look of 3 s counts as the 1 s that one may take: 20 s of patience end after less than 20 looks, not never."""
    here = Here(lambda _: Behaviour(life=()), replace(SERVICE, strategy=replace(SERVICE.strategy, timeout=20.0)))
    here.runtime.slow = 3.0
    here.run(lambda ledger: ledger.active is None)
    assert here.journal.events[-1].data["action"]["do"] == "Finish"
    assert 20.0 < here.timeline.time() <= 20 * (3.0 + 0.2)


def test_a_good_release_goes_out_where_every_look_takes_longer_than_a_gap() -> None:
    """What its probes found meanwhile holds: a slow answer of the platform is no time in which nobody looked."""
    here = Here(lambda _: Behaviour(), replace(SERVICE, strategy=replace(SERVICE.strategy, timeout=20.0)))
    here.runtime.slow = 3.0
    here.run(lambda ledger: ledger.active is None)
    assert here.journal.events[-1].data["action"]["state"] == "succeeded"


def test_runs_of_jobs_are_asked_for_once_nothing_moves() -> None:
    """A platform that begins jobs itself is asked for nothing more while old instances end what they hold."""
    tidy = Job(name="tidy", schedule="0 3 * * *", command="true")
    here = Here(lambda _: Behaviour(), replace(SERVICE, jobs=(tidy,)))
    here.drain = 20.0
    moved: list[bool] = []

    def at_rest(_: Ledger) -> bool:
        moved.append(here.drains())
        return any(moved) and moved[-1:] == [False] and len(here.schedules.asked) > 5

    here.run(at_rest, releases=2)
    assert not any(here.schedules.asked)


def test_probes_that_nobody_counts_are_sent_once_a_tick() -> None:
    """For the 10 s until there is no verdict, at 0.2 s a tick: some fifty times, and not without a pause."""
    rules = RollbackOn(min_requests=5, inconclusive="probe")
    strategy = Strategy(bake=1.0, timeout=10.0, keep_previous=0.0, rollback_on=rules)
    here = Here(lambda _: Behaviour(), replace(SERVICE, strategy=strategy))
    here.run(lambda ledger: ledger.active is None)
    assert 40 <= here.visits <= 51
    assert "no verdict within 10 s" in here.loop.ledger.records[-1].rollout.reason


def test_a_release_is_not_blamed_for_a_way_that_does_not_lead_to_it() -> None:
    """Why our own requests arrive nowhere is on record, and another deploy of the same may do better."""
    rules = RollbackOn(min_requests=5, inconclusive="probe")
    strategy = Strategy(bake=1.0, timeout=10.0, keep_previous=0.0, rollback_on=rules)
    here = Here(lambda _: Behaviour(), replace(SERVICE, strategy=strategy))
    here.unreached = "certificate verify failed"
    here.run(lambda ledger: ledger.active is None)
    told = [event.data["error"] for event in here.journal.events if event.kind == "failed"]
    assert told[0] == "certificate verify failed"
    assert [release.outcome for release in here.loop.ledger.releases] == [Outcome.ABORTED]


@pytest.mark.parametrize(("slow", "apart"), [(0.0, 1.5), (0.2, 1.7), (1.0, 5.0), (3.0, 9.0)])
def test_what_rests_is_looked_at_less_often_where_a_look_takes_long(slow: float, apart: float) -> None:
    """On a machine that has no time, looks at hundreds of services would leave none to those that move."""
    here = Here(lambda _: Behaviour())
    rested: list[float] = []

    def over(ledger: Ledger) -> bool:
        if ledger.active is None and ledger.records:
            here.runtime.slow = slow
            rested.append(here.runtime.asked[-1])
        return len(rested) > 5

    here.run(over)
    assert rested[-1] - rested[-2] == pytest.approx(apart)


def test_a_record_closes_when_it_is_known_how_the_last_old_one_ended() -> None:
    """One that is gone, while its end is not told yet, would be on record for ever as one that is still ending."""
    here = Here(lambda _: Behaviour(), WORKER)
    here.runtime.late = 10.0
    here.run(lambda ledger: len(ledger.records) == 2 and here.loop.window is None, releases=2)
    proof = here.loop.ledger.records[-1].proof
    assert (proof["stopped"], proof["ending"]) == (2, 0)


def test_an_end_that_nobody_could_write_down_is_on_record_later() -> None:
    """The disk was full just then: the instance is gone, and not ending for ever; how it ended nobody saw."""
    here = Here(lambda _: Behaviour(), WORKER)
    lost: list[Event] = []

    def full(event: Event) -> None:
        if event.kind == "done" and event.data["action"]["do"] == "Stop" and not lost:
            lost.append(event)
            raise PlatformError("the disk is full")

    here.journal.before = full
    here.run(lambda ledger: len(ledger.records) == 2 and here.loop.window is None, releases=2)
    proof = here.loop.ledger.records[-1].proof
    assert lost
    assert (proof["stopped"], proof["ending"], proof["uncounted"]) == (2, 0, ["killed"])


def test_an_end_that_a_dead_controller_took_with_it_is_on_record_later() -> None:
    """It was killed between the end of an old instance and the line that says so: the next one sees that it is gone."""
    here = Here(lambda _: Behaviour(), WORKER)
    here.run(lambda ledger: len(ledger.records) == 2 and here.loop.window is None, releases=2)
    ends = [e for e in here.journal.events if e.kind == "done" and e.data["action"]["do"] == "Stop"]
    del here.journal.events[ends[-1].seq - 1 :]
    here.timeline.run(here.go_on(lambda ledger: ledger.active is None and here.loop.window is None))
    proof = here.loop.ledger.records[-1].proof
    assert (proof["stopped"], proof["ending"], proof["uncounted"]) == (2, 0, ["killed"])
