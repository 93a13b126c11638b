"""The loop of one service: observe, decide, journal the intent, act, journal the outcome; then again.

It is the only writer of the service's journal, under a lease. Recovery after a crash is the same call as any other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from crossfade.core.actions import (
    Action,
    Advance,
    Finish,
    Launch,
    Move,
    Probe,
    Resize,
    RollBack,
    RunHook,
    Shift,
    StartBake,
    Stop,
)
from crossfade.core.errors import CrossfadeError
from crossfade.core.fleet import Fleet
from crossfade.core.job import Run
from crossfade.core.rollout import State
from crossfade.core.wire import encode, encode_action
from crossfade.engine.ledger import Ledger
from crossfade.engine.observe import Look, Observer
from crossfade.engine.perform import EffectOutcome, Performer
from crossfade.engine.ports.journal import Event
from crossfade.engine.proof import ProofWindow
from crossfade.engine.recent import Recent
from crossfade.engine.resting import Resting
from crossfade.engine.scribe import Scribe
from crossfade.engine.task import cancelled
from crossfade.engine.world import World
from crossfade.strategies.next import next_step

log = logging.getLogger(__name__)


class Loop:
    """Keeps one service where its ledger says it should be, and carries its rollouts."""

    def __init__(self, ledger: Ledger, world: World, holder: str) -> None:
        self.fleet = Fleet()
        self.observed_at = 0.0  # when we began to look at what `fleet` says
        self.artifacts = asyncio.Lock()  # held while a release is made of one, or the service goes: none goes meanwhile
        self.waits: tuple[Action, ...] = ()
        self.recent = Recent()
        self.runs: Mapping[str, Run] = {}  # by job, the newest of those that the platform began by itself
        self.trouble = ""
        self.hopeless: CrossfadeError | None = None  # trouble of the last step that will not pass by itself
        self.without: CrossfadeError | None = None  # the balancer, gone for good: the last step did without it
        self._world = world
        self._scribe = Scribe(ledger, world, holder)
        self._wake = asyncio.Event()
        self._stepped = asyncio.Event()  # set for a moment after each step
        self._observer = Observer(world, ledger, self.wake)
        self._performer = Performer(world, self._scribe, self._ended)
        self._worked_until = world.clock.now()  # when the step after the last one that went well was due
        self._interrupted = True  # nobody worked, or nothing could be done: no time of that is anybody's
        self._due = world.clock.now()  # when the next step is due, however the last one went
        self._swept: Ledger | None = None  # nothing in it was to be removed
        self._settled_at = 0.0  # what we did last can be seen from then on
        self._resting = Resting(world, self._scribe)

    @property
    def key(self) -> str:
        return self._scribe.key

    @property
    def ledger(self) -> Ledger:
        return self._scribe.ledger

    @property
    def token(self) -> int:
        return self._scribe.token

    @property
    def window(self) -> ProofWindow | None:
        """The record under way."""
        return self._scribe.window

    @property
    def at_work(self) -> frozenset[str]:
        """Instances that carry the load: those that get traffic, of a worker those that are healthy."""
        if self.ledger.kind == "web":
            return self.fleet.routing.serving()
        return frozenset(i.id for i in self.fleet.instances if i.usable)

    @property
    def knows_its_size(self) -> bool:
        """What its platform's own scaling made of the service is on record, or cannot be known now."""
        at_rest = self.ledger.current is not None and self.ledger.active is None
        return not at_rest or self._resting.is_known or bool(self.trouble)

    def wake(self) -> None:
        """Look again now: something changed."""
        self._wake.set()

    async def until(self, holds: Callable[["Loop"], bool]) -> None:
        """Wait until something is true of this loop after one of its steps."""
        while not holds(self):
            await self._stepped.wait()

    async def acquire(self) -> None:
        """Take the lease; RefusedError says who holds it and since when."""
        vacant_since = await self._scribe.acquire()
        if vacant_since and not self.observed_at:  # of our own time we know better when we worked
            self._worked_until = min(self._worked_until, vacant_since)

    async def record(self, kind: str, data: Mapping[str, Any] | None = None) -> Event:
        """Write one event, fold it, and tell whoever watches."""
        return await self._scribe.record(kind, data)

    async def catch_up(self) -> None:
        """Fold what others wrote before we took the lease."""
        await self._scribe.catch_up()

    def take(self, event: Event) -> None:
        """Know of a line that the process wrote which carries this service."""
        self._scribe.take(event)
        self.wake()

    async def run(self) -> None:
        """Step until cancelled. Whatever goes wrong is remembered for `status` and tried again."""
        try:
            await self._again_and_again(self._work)
        finally:
            await self._performer.close()
            self._observer.close()
            await self._scribe.give_back()

    async def watch(self) -> None:
        """Look until cancelled and change nothing: another process carries the service, or none does."""
        try:
            await self._again_and_again(self._look)
        finally:
            self._observer.close()

    async def _again_and_again(self, work: Callable[[], Awaitable[float]]) -> None:
        while True:
            began = self._world.clock.now()
            pause = await self._safely(work)
            # Of acts that took long, because a call did or we were stopped in one, no more is held against the release;
            # what was given back for a slow look already is not given back twice.
            looked = max(began, self._worked_until)
            now, latest = self._world.clock.now(), looked + self._world.pace.gap
            self._due = min(now, latest) + pause
            self._interrupted = bool(self.trouble) or now > latest  # as much as may count has been counted
            if not self.trouble:
                self._worked_until = self._due
            self._stepped.set()
            self._stepped.clear()
            await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        due = asyncio.get_running_loop().call_later(max(0.0, pause), self.wake)
        try:
            await self._wake.wait()
        finally:
            due.cancel()
        self._wake.clear()
        early = self._settled_at - self._world.clock.now()
        if early > 0:  # what is read now may be from before our last act
            await self._world.clock.sleep(early)

    async def _safely(self, work: Callable[[], Awaitable[float]]) -> float:
        """One step, whatever happens in it: the care for a service never ends by itself."""
        pace = self._world.pace
        try:
            pause = await work()
        except asyncio.CancelledError:
            if cancelled():
                raise
            self.trouble, self.hopeless = "a call to the platform was broken off", None
            return pace.idle
        except CrossfadeError as error:
            self.trouble, self.hopeless = str(error), error if error.lasting else None
            return pace.idle
        except Exception as error:
            log.exception("the loop of %s met what it did not expect", self.key)
            self.trouble, self.hopeless = f"unexpected: {error!r}", None
            return pace.idle
        self.trouble, self.hopeless = "", None
        return pause

    async def _work(self) -> float:
        """A step under the lease, with all that was written before in the ledger."""
        if not self.token:
            await self.acquire()
            await self._world.clock.sleep(self._world.pace.settle)  # the one before us may have acted a moment ago
        await self._scribe.catch_up()
        return await self.step()

    async def _look(self) -> float:
        """A step of who only watches: what is there, and what would be done about it."""
        looked = self._world.clock.now()
        look = await self._observer.look(self.ledger, frozenset())
        await self._scribe.count(look.report.traffic)
        self.fleet, self.observed_at = look.fleet, looked
        self.waits = next_step(self.ledger.facts, self.fleet, self._world.clock.now())
        await self._look_at_jobs()
        return self._world.pace.busy if self.ledger.active else self._world.pace.idle

    async def step(self) -> float:
        """One round; returns the seconds until the next is due, 0 for at once."""
        pace, looked = self._world.pace, self._world.clock.now()
        if looked - self._due > pace.gap:  # nobody looked; who looks while nothing can be written begins nothing anew
            self._observer.begin_anew()
        leaving = self._performer.stopping()  # taken first: one that ends while we look is not begun again
        known = self.ledger.releases
        rests = not (self.ledger.active or self.window or leaving or self._moving())
        look = await self._observer.look(self.ledger, leaving, self._world.rest if rests else 0.0)
        now = self._world.clock.now()
        gap = now - self._worked_until
        if gap > pace.gap:  # before anything is decided by the time that passed
            if self.ledger.active:
                # After a step that went well, as much counts as one may take: steps that all take longer end, too.
                counts = 0.0 if self._interrupted else pace.gap
                await self.record("nobody worked", {"seconds": round(gap - counts, 3)})
            self._worked_until = now
        await self._scribe.renew()  # not before the gap is on record: who dies between them leaves it to be seen
        await self._note(look)
        if self.ledger.releases != known:  # written meanwhile: instances of these were not looked for
            return 0.0
        await self._resting.leave(self.token, dict(look.fleet.sizes or ()))
        # With the ends that were just put on record: else one more would be launched of a release that has failed.
        self.fleet = replace(look.fleet, exits=self.ledger.exits) if look.ended else look.fleet
        self.observed_at, self.without = looked, look.without
        self.recent.note(now, look.report.traffic.total, look.report.groups)
        outcomes = await self._follow(now)
        if outcomes is None:
            return 0.0
        await self._performer.tend()  # last: what was seen is acted upon while it is still true
        if EffectOutcome.FAILED in outcomes:
            return max(pace.retry, pace.settle)
        if outcomes & {EffectOutcome.DONE, EffectOutcome.BEGUN}:
            return 0.0
        await self._discard()
        moves = self.ledger.active or self._moving()
        if not moves:
            await self._look_at_jobs()
        due: list[float] = [until for a in self.waits if (until := getattr(a, "until", None) or 0.0) > now]
        tick = pace.busy if moves else _calm(self._world.rest, self._world.clock.now() - looked)
        return min([tick, *(max(0.01, until - now) for until in due)])

    async def _follow(self, looked: float) -> AbstractSet[EffectOutcome] | None:
        """Do what a look leads to. A move is only written down: what comes after it is decided by the same look.

        None when we were stopped or held up meanwhile: what was decided is of a fleet that may be gone.
        """
        outcomes: set[EffectOutcome] = set()
        while True:
            self.waits = next_step(self.ledger.facts, self.fleet, self._world.clock.now())
            for action in self.waits:
                if self._world.clock.now() - looked > self._world.pace.gap:
                    return None
                if outcome := await self._act(action):
                    outcomes.add(outcome)
            if not (self.ledger.active and any(isinstance(action, Move) for action in self.waits)):
                return outcomes

    async def _note(self, look: Look) -> None:
        """Write down who ended, and count what clients got while a record is open."""
        for ended in look.ended:
            await self.record("instance exited", encode(ended))
        await self._scribe.count(look.report.traffic)
        await self._scribe.note_gone(self._performer.stopping() | {i.id for i in look.fleet.instances})
        if self.window and not self.ledger.active:
            old = [i for i in look.fleet.instances if i.release != self.ledger.current]
            # One that left while we looked is on record only when its stop is: until then nobody knows how it ended.
            held = any(i.holds_requests for i in old) or self._performer.stopping()
            if not look.report.routing.pinned and not held:
                await self._scribe.close_record()

    async def _discard(self) -> None:
        """Once a rollout is over, remove the artifacts that retention does not keep and nothing runs from."""
        if self.ledger.active or self.artifacts.locked() or self._swept is self.ledger:
            return
        async with self.artifacts:
            in_use = {i.release for i in self.fleet.instances} | {run.release for run in self.ledger.runs}
            discarded = self.ledger.discarded()
            self._swept = None if discarded else self.ledger
            for release in discarded:
                if release.number not in in_use:
                    await self._world.runtimes[release.service.runtime].forget(release, self.token)
                    await self.record("artifact removed", {"release": release.number})

    async def _look_at_jobs(self) -> None:
        """Runs that nobody of us began; while a rollout is under way the platform is asked for that alone."""
        if self.ledger.scheduled and not self.ledger.active:
            release = self.ledger.release(self.ledger.current or 0)
            schedules = self._world.schedules.get(release.service.runtime)
            self.runs = {run.job: run for run in await schedules.runs(release)} if schedules else {}

    def _moving(self) -> bool:
        return any(not i.usable or i.draining_since is not None for i in self.fleet.instances)

    async def _act(self, action: Action) -> EffectOutcome | None:
        """What became of it; None for what is only waited for."""
        match action:
            case StartBake() | Advance() | RollBack() | Finish():
                await self._move(action)
                return EffectOutcome.DONE
            case Launch() | Resize() | Shift() | Stop() | RunHook() | Probe():
                self._resting.disturb()
                outcome = await self._performer.perform(action, self.fleet)
                if outcome is not EffectOutcome.UNDER_WAY:
                    self._settled_at = self._performer.acted_at + self._world.pace.settle
                return outcome
            case _:
                return None

    async def _move(self, move: Move) -> None:
        """Write down how the rollout goes on."""
        data: dict[str, Any] = {
            "action": encode_action(move),
            "counters": [[release, encode(counted)] for release, counted in self.fleet.counters],
        }
        if isinstance(move, Finish) and self.window and self.ledger.active:
            if self.ledger.kind == "web":
                await self._scribe.count_the_last()
            data["proof"] = encode(self.window.proof())
            stays = self.ledger.active.target if move.state is State.SUCCEEDED else self.ledger.active.source
            held = any(i.holds_requests for i in self.fleet.instances if i.release != stays)
            data["open"] = held or bool(self.fleet.routing.pinned)
        if isinstance(move, RollBack):
            self._performer.cancel_hooks()
        await self.record("move", data)

    def _ended(self) -> None:
        """Something that was begun beside us is over."""
        self._settled_at = self._world.clock.now() + self._world.pace.settle
        self.wake()


def _calm(rest: float, took: float) -> float:
    """Seconds until the next look at what rests: longer where a look takes long, at most four times as long.

    On a machine that has no time, those of hundreds of services would leave none to the few that move.
    """
    return min(4 * rest, max(rest, 4 * took))
