"""The loop of one service: observe, decide, journal the intent, act, journal the outcome; then again.

It is the only writer of the service's journal, under a lease. Recovery after a crash is the same call as any other.
"""

import asyncio
import logging
import secrets as entropy
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from crossfade.core.actions import Action, Advance, Finish, Launch, Probe, RollBack, RunHook, Shift, StartBake, Stop
from crossfade.core.errors import CrossfadeError, StaleTokenError
from crossfade.core.fleet import Exit, Fleet, Health, Instance
from crossfade.core.wire import encode, encode_action
from crossfade.engine.ledger import Ledger, advance
from crossfade.engine.perform import Performer
from crossfade.engine.ports import Clock, Event, Journal, Lease, LoadBalancer, Report, Running, Runtime
from crossfade.engine.prober import Ask, Prober
from crossfade.engine.proof import Window, reopen
from crossfade.strategies.decide import decide, keep

log = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
BUSY_TICK = 0.2  # while something moves; probes and commands wake the loop at once
IDLE_TICK = 1.5  # how long a death may go unseen; each look asks the balancer, most of what an idle controller costs


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The adapters a loop acts through; chosen by the platform."""

    journal: Journal
    runtimes: Mapping[str, Runtime]  # by Service.runtime
    balancer: LoadBalancer
    ask: Ask
    visit: Callable[[str, Mapping[str, str], int], Awaitable[None]]  # GET a URL with headers so many times
    clock: Clock
    secrets: Callable[[str], Mapping[str, str]]  # of an app
    told: Callable[[Event], None]  # whoever watches


class Loop:
    """Keeps one service where its ledger says it should be, and carries its rollouts."""

    def __init__(self, ledger: Ledger, world: World, holder: str) -> None:
        self.ledger = ledger
        self.fleet = Fleet()
        self.observed_at = 0.0  # when we began to look at what `fleet` says
        self.artifacts = asyncio.Lock()  # held while a release is made of one: none is removed meanwhile
        self.waits: tuple[Action, ...] = ()
        self.trouble = ""
        self._world = world
        self._holder = holder
        self._lease: Lease | None = None
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()  # one line after the other, whoever writes
        self._stepped = asyncio.Condition()
        self._prober = Prober(world.ask, world.clock, self.wake)
        self._performer = Performer(self)
        self._window: Window | None = None
        self._exited: set[str] = {e.instance for e in ledger.exits}
        self._was_healthy: set[str] = set()
        self._draining: dict[str, float] = {}  # since when, for those whose `routed` event a crash swallowed

    @property
    def key(self) -> str:
        return self.ledger.service

    @property
    def world(self) -> World:
        return self._world

    @property
    def token(self) -> int:
        return self._lease.token if self._lease else 0

    @property
    def window(self) -> Window | None:
        """The proof under way."""
        return self._window

    def wake(self) -> None:
        """Look again now: something changed."""
        self._wake.set()

    async def until(self, holds: Callable[["Loop"], bool]) -> None:
        """Wait until something is true of this loop after one of its steps."""
        async with self._stepped:
            await self._stepped.wait_for(lambda: holds(self))

    async def acquire(self) -> None:
        """Take the lease; RefusedError says who holds it and since when."""
        self._lease = await self._world.journal.acquire(self.key, self._holder, LEASE_SECONDS)

    async def record(self, kind: str, data: Mapping[str, Any] | None = None) -> Event:
        """Write one event, fold it, and tell whoever watches."""
        async with self._writing:
            rollout = self.ledger.active.id if self.ledger.active else 0
            if kind == "rollout started" and data:
                rollout = data["rollout"]["id"]
            event = Event(kind=kind, service=self.key, rollout=rollout, data=data or {})
            event = await self._world.journal.append(event, self.token)
            self.ledger = advance(self.ledger, event)
            if self._window:
                self._window.note(event)
            self._world.told(event)
            return event

    async def run(self) -> None:
        """Step for ever. Trouble of the platform is remembered for `status` and tried again; a lost lease ends it."""
        try:
            while True:
                pause = await self._safe_step()
                async with self._stepped:
                    self._stepped.notify_all()
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, pause)):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            await self._performer.close()
            self._prober.close()
            if self._lease:
                with suppress(CrossfadeError):
                    await self._world.journal.release(self._lease)
                self._lease = None  # who runs it again takes a new one

    async def _safe_step(self) -> float:
        try:
            await self._renew()
            pause = await self.step()
        except StaleTokenError:
            raise
        except CrossfadeError as error:
            self.trouble = str(error)
            return IDLE_TICK
        except Exception as error:  # a fault of ours in one service must not end the care for it
            log.exception("the loop of %s met what it did not expect", self.key)
            self.trouble = f"unexpected: {error!r}"
            return IDLE_TICK
        self.trouble = ""
        return pause

    async def _renew(self) -> None:
        now = self._world.clock.now()
        if self._lease is None:
            await self.acquire()
        elif now > self._lease.expires - LEASE_SECONDS / 2:
            self._lease = await self._world.journal.renew(self._lease, LEASE_SECONDS)

    async def step(self) -> float:
        """One round; returns the seconds until the next is due, 0 for at once."""
        looked = self._world.clock.now()
        leaving = self._performer.stopping()  # taken first: one that ends while we look is not begun again
        self.fleet, self.observed_at = await self._observe(leaving), looked
        for instance in self.fleet.instances:
            if instance.stopping and instance.id not in leaving:
                await self._act(Stop(instance=instance.id))  # a controller before us died over it
        now = self._world.clock.now()
        actions = self._decide(now)
        self.waits = actions
        acted = False
        for action in actions:
            acted |= await self._act(action)
        if acted:
            return 0.0
        if not self.ledger.active:
            await self._discard()
        due: list[float] = [until for a in actions if (until := getattr(a, "until", None))]
        tick = BUSY_TICK if self.ledger.active or self._moving() else IDLE_TICK
        return min([tick, *(max(0.01, until - now) for until in due)])

    async def _discard(self) -> None:
        """Remove the artifacts that retention does not keep and nothing runs from."""
        if self.artifacts.locked():
            return
        async with self.artifacts:
            in_use = {i.release for i in self.fleet.instances}
            for release in self.ledger.discarded():
                if release.number not in in_use:
                    await self._world.runtimes[release.service.runtime].forget(release, self.token)
                    await self.record("artifact removed", {"release": release.number})

    def _moving(self) -> bool:
        return any(not i.usable or i.draining_since is not None for i in self.fleet.instances)

    def _decide(self, now: float) -> tuple[Action, ...]:
        ledger = self.ledger
        if ledger.active:
            return decide(ledger.active, self.fleet, now)
        newest = ledger.releases[-1].service if ledger.releases else None
        service = ledger.release(ledger.current).service if ledger.current is not None else newest
        if service is None:
            return ()
        return keep(
            ledger.current,
            ledger.wanted,
            service.strategy,
            self.fleet,
            now,
            warm=ledger.warm,
            drain=service.drain,
        )

    async def _act(self, action: Action) -> bool:
        """True when the world or the rollout changed, so that another look is due."""
        match action:
            case StartBake() | Advance() | RollBack() | Finish():
                await self.move(action)
                return True
            case Launch() | Shift() | Stop() | RunHook() | Probe():
                return await self._performer.perform(action, self.fleet)
            case _:
                return False

    async def move(self, move: StartBake | Advance | RollBack | Finish) -> None:
        """Write down how the rollout goes on."""
        data: dict[str, Any] = {
            "action": encode_action(move),
            "counters": [[release, encode(counted)] for release, counted in self.fleet.counters],
        }
        if isinstance(move, Finish) and self._window:
            await self._world.balancer.catch_up()
            self._window.add((await self._world.balancer.report(self.key)).traffic)
            data["proof"] = encode(self._window.proof())
            self._window = None
        if isinstance(move, RollBack):
            self._performer.cancel_hooks()
        await self.record("move", data)

    async def _observe(self, leaving: frozenset[str]) -> Fleet:
        running = [r for runtime in self._runtimes() for r in await runtime.instances(self.key)]
        report = await self._world.balancer.report(self.key)
        self._watch(running, report)
        if self.ledger.active:
            if self._window is None:
                since = await self._world.journal.read(after=self.ledger.began - 1, service=self.key)
                self._window = reopen(since, self.ledger.active.id)
            self._window.add(report.traffic)
        instances = tuple(self._instance(r, report, leaving) for r in sorted(running, key=lambda r: r.id))
        await self._note_exits(instances)
        return Fleet(
            instances=instances,
            routing=report.routing,
            counters=tuple(sorted(report.groups.items())),
            exits=self.ledger.exits,
        )

    def _runtimes(self) -> Iterable[Runtime]:
        names = {r.service.runtime for r in self.ledger.releases}
        return [self._world.runtimes[name] for name in sorted(names)]

    def _watch(self, running: Iterable[Running], report: Report) -> None:
        checks = {r.number: r.service.health for r in self.ledger.releases}
        self._prober.watch(
            {
                r.id: (r.address, checks[r.release])
                for r in running
                if not (r.exited or r.stopping) and r.release in checks
            },
            trusted=report.routing.registered(),
        )

    def _instance(self, running: Running, report: Report, leaving: frozenset[str]) -> Instance:
        probed = self._prober.seen(running.id)
        target = report.targets.get(running.id)
        since = None
        if running.id in report.routing.draining():
            now = self._draining.setdefault(running.id, self._world.clock.now())
            since = self.ledger.draining.get(running.id, now)
        if probed.health is Health.HEALTHY:
            self._was_healthy.add(running.id)
        return Instance(
            id=running.id,
            release=running.release,
            health=Health.EXITED if running.exited else probed.health,
            launched_at=running.launched_at,
            healthy_since=probed.healthy_since,
            draining_since=since,
            in_flight=target.in_flight if target else 0,
            streams=target.streams if target else 0,
            stopping=running.stopping or running.id in leaving,
            address=running.address,
            detail=running.detail if running.exited else probed.detail,
        )

    async def _note_exits(self, instances: Collection[Instance]) -> None:
        """An instance that exits, or loses its health, is on record once: verdicts and back-off count these."""
        present = {i.id for i in instances}
        self._exited &= present
        self._was_healthy &= present
        self._draining = {i: since for i, since in self._draining.items() if i in present}
        for instance in instances:
            if instance.id in self._exited or instance.stopping:
                continue
            if instance.health in {Health.EXITED, Health.UNHEALTHY}:
                self._exited.add(instance.id)
                note = Exit(
                    instance=instance.id,
                    release=instance.release,
                    at=0.0,
                    was_healthy=instance.id in self._was_healthy or instance.health is Health.UNHEALTHY,
                    detail=instance.detail or "exited",
                )
                await self.record("instance exited", encode(note))

    def new_instance(self, release: int) -> str:
        """An id nobody had before: `feedback-web-7-x3f9`."""
        return f"{self.key.replace('/', '-')}-{release}-{entropy.token_hex(2)}"
