"""The services of one machine, each with the loop that looks after it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from crossfade.controller.ledgers import Ledgers
from crossfade.controller.supervisor import Supervisor
from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError
from crossfade.core.fleet import Fleet, Health
from crossfade.engine.jobs import Jobs
from crossfade.engine.ledger import Ledger
from crossfade.engine.loop import Loop
from crossfade.engine.ports.journal import Event
from crossfade.engine.world import World

log = logging.getLogger(__name__)

Further = Callable[[Ledger], Awaitable[Mapping[str, Any] | None]]

JOBS_PAUSE = 0.5  # seconds, so that trouble that is over makes no job late


class LoopRegistry:
    """Begins and ends loops. `loops` are those of services that are deployed or being taken down, by `app/service`."""

    def __init__(self, world: World, holder: str) -> None:
        self.world = replace(world, told=self._tell, crowd=lambda: len(self._loops))
        self.listeners: list[Callable[[Event], None]] = []  # told of every event, before whoever watches
        self._told = world.told
        self.supervisor = Supervisor(world.clock)
        self._holder = holder
        self._ledgers = Ledgers(world)
        self._loops: dict[str, Loop] = {}
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)  # by service: it is taken up or dropped, not both
        self._retired: dict[str, Ledger] = {}  # services that were taken down: a new deploy goes on with their numbers

    @property
    def loops(self) -> Mapping[str, Loop]:
        return self._loops

    @property
    def taken_down(self) -> list[str]:
        """Services that are gone and have a history."""
        return sorted(key for key, ledger in self._retired.items() if ledger.releases)

    async def start(self, *, carry: bool = True, further: Further | None = None) -> None:
        """Pick up every service where the journal left it; without `carry` they are only known, until `hold`.

        `further` finds what a service went on to that its record does not have: its `service adopted`.
        """
        on_record = await self._ledgers.read()
        ledgers = [ledger for ledger in on_record.values() if carry or "/" in ledger.service]
        if carry:
            await self._see_to_the_balancer(somebody_serves=any(not ledger.removed for ledger in ledgers))
        for ledger in ledgers if carry else ():  # before any loop looks: what one service needs no more, another may
            await self.keep_artifacts(ledger)
        for ledger in ledgers:
            if further and (found := await further(ledger)):
                await self._begin(ledger, found)
            elif ledger.removed:
                self._retired[ledger.service] = ledger
            elif carry:
                await self._begin(ledger)
            else:
                self._know(ledger)
        if carry and self._ledgers.kept:
            self.supervisor.keep("the snapshot of the ledgers", self._ledgers.keep)

    def holds(self, key: str) -> bool:
        """It is us who look after the service."""
        return self.supervisor.runs(_care_for(key))

    async def hold(self, key: str) -> None:
        """Look after a service that we only knew of until now. HeldError while another process does."""
        if self.holds(key):
            return
        ledger = self.ledger(key)
        await self.supervisor.stop(_watch_of(key))
        try:
            await self._begin(ledger)
            await self._loops[key].catch_up()  # orders are judged by what is on record, before the first step
        except CrossfadeError:
            if key not in self._retired and ledger.releases:
                self._know(ledger)
            raise
        self._retired.pop(key, None)

    def watch(self) -> None:
        """Have a look at everything that we do not look after, again and again."""
        for key, loop in self._loops.items():
            if not self.holds(key) and not self.supervisor.runs(_watch_of(key)):
                self.supervisor.keep(_watch_of(key), loop.watch)

    def take(self, event: Event) -> None:
        """Know of a line of the journal; those of services that we look after are known already."""
        if self.holds(event.service):
            return
        if event.service not in self._loops:
            self._know(self._retired.pop(event.service, Ledger(service=event.service)))
        loop = self._loops[event.service]
        loop.take(event)
        if loop.ledger.removed:
            self._retired[event.service] = self._loops.pop(event.service).ledger

    def wake(self, key: str) -> None:
        """Have a service looked at now, if it is one of ours."""
        if loop := self._loops.get(key):
            loop.wake()

    def _know(self, ledger: Ledger) -> None:
        self._loops[ledger.service] = Loop(ledger, self.world, self._holder)

    async def _see_to_the_balancer(self, *, somebody_serves: bool) -> None:
        """What ails it may be one service's (a port lost to a stranger): the others are looked after all the same."""
        try:
            await self.world.balancer.ensure()
        except CrossfadeError as error:
            if not somebody_serves:
                raise
            log.warning("the balancer is not in order: %s", error)

    async def close(self) -> None:
        """Stop looking after the services; all of them go on serving."""
        await self.supervisor.close()

    def find(self, app: str, service: str | None = None) -> Loop:
        """The loop of a service; the app's only one when none is named."""
        keys = [loop.key for loop in self.of(app)]
        if service is None and len(keys) == 1:
            return self._loops[keys[0]]
        if service is None and keys:
            names = ", ".join(sorted(key.split("/")[1] for key in keys))
            raise WrongInputError(f"{app} has several services: {names}", "name the one you mean")
        if f"{app}/{service}" not in self._loops:
            named = app if service is None else f"{app}/{service}"
            if self._gone(app, service):
                raise WrongInputError(
                    f"{named} was taken down",
                    "`crossfade releases` shows its history, `crossfade deploy` brings it back",
                )
            known = ", ".join(sorted(self._loops)) or "none"
            there = f"deployed services: {known}; `crossfade deploy` brings one"
            if service and (those := self.of(service)):  # an app's name in the place of a service's
                there = f"{service} is an app, with {', '.join(loop.key for loop in those)}; --app {service} names it"
            raise WrongInputError(f"nothing called {named} was deployed here", there)
        return self._loops[f"{app}/{service}"]

    def key(self, app: str, service: str | None = None) -> str:
        """The service that is meant by what has only to be on record: it may have been taken down."""
        gone = self._gone(app, service)
        if len(gone) == 1 and (service is not None or not self.of(app)):
            return gone[0]
        return self.find(app, service).key

    def of(self, app: str | None) -> list[Loop]:
        """The loops of an app, or all, in the order of their names."""
        return [loop for key, loop in sorted(self._loops.items()) if app in {None, key.split("/")[0]}]

    def ledger(self, key: str) -> Ledger:
        """What is on record of a service, taken down or not; an empty ledger when it was never deployed."""
        if key in self._loops:
            return self._loops[key].ledger
        return self._retired.get(key, Ledger(service=key))

    def predecessor(self, ledger: Ledger) -> Ledger | None:
        """What is on record of the service whose place this one took, where that has a good release and none runs."""
        follows = ledger.release(ledger.current).service.follows if ledger.current is not None else ""
        earlier = self.ledger(follows)
        return earlier if earlier.current is None and earlier.previous else None

    def _gone(self, app: str, service: str | None) -> list[str]:
        """Of what is meant, the services that were taken down and have a history."""
        named = [key.split("/") for key in self.taken_down]
        return [f"{app}/{name}" for of, name in named if of == app and service in {None, name}]

    async def take_up(self, key: str) -> Loop:
        """The loop of a service, begun when it has none; its numbers go on where they were."""
        async with self._turns[key]:
            if key not in self._loops:
                await self._begin(self.ledger(key))
                self._retired.pop(key, None)
            return self._loops[key]

    async def adopt(self, key: str, found: Mapping[str, Any]) -> None:
        """Look after a service that runs although the journal does not know it; `found` is its `service adopted`."""
        await self._begin(self.ledger(key), found)

    async def drop(self, loop: Loop) -> None:
        """End the care for a service that nothing is left of."""
        async with self._turns[loop.key]:
            await self.supervisor.stop(_jobs_of(loop.key))
            await self.supervisor.stop(_care_for(loop.key))
            self._retired[loop.key] = loop.ledger
            self._loops.pop(loop.key, None)

    def leaves(self, key: str) -> bool:
        """The service is being taken down."""
        return self.supervisor.runs(_leaving(key))

    def take_down(self, loop: Loop) -> None:
        """See to it that a service which was removed drains, stops, and is forgotten by the balancer."""
        if not self.leaves(loop.key):
            self.supervisor.keep(_leaving(loop.key), partial(self._clear_away, loop))

    async def gone(self, loop: Loop) -> None:
        """Return when nothing is left of a service that is being taken down."""
        await self.supervisor.ended(_leaving(loop.key))

    async def _clear_away(self, loop: Loop) -> None:
        since = self.world.clock.now()
        if any(release.service.jobs for release in loop.ledger.releases):
            for schedules in self.world.schedules.values():
                await schedules.end(loop.key, loop.token)
        loop.wake()
        # Seen empty after that: a controller that has just started has not looked yet, and sees nothing either.
        await loop.until(lambda loop: loop.observed_at > since and not _left(loop.fleet) and not loop.ledger.runs)
        if loop.ledger.kind == "web":
            await self.world.balancer.remove(loop.key, loop.token)
        await self.drop(loop)

    async def keep_artifacts(self, ledger: Ledger) -> None:
        """Say what the service needs, also one that was taken down: a later deploy can roll back to what it had."""
        kept = [ledger.release(number) for number in ledger.retained()]
        for name in {release.service.runtime for release in ledger.releases}:
            digests = {release.digest for release in kept if release.service.runtime == name}
            try:
                await self.world.runtimes[name].keep(ledger.service, digests)
            except PlatformError as error:  # a full disk must not keep services from being looked after
                log.warning("%s", error)

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
        self._told(event)

    async def _begin(self, ledger: Ledger, found: Mapping[str, Any] | None = None) -> None:
        key = ledger.service
        loop = self._loops[key] = Loop(ledger, self.world, self._holder)  # before it waits: never two
        try:
            await self._outrank(key)
            await loop.acquire()
            if found:  # on record before the loop looks: to an empty ledger nothing runs, and all would be begun anew
                await loop.record("service adopted", found)
                await self.keep_artifacts(loop.ledger)
        except CrossfadeError:
            del self._loops[key]
            raise
        self.supervisor.keep(_care_for(key), loop.run)
        if self.world.job_runners:
            jobs = Jobs(loop, self.world, partial(self.succeeded_by, loop))
            self.supervisor.keep(_jobs_of(key), jobs.run, longest_pause=JOBS_PAUSE)

    def succeeded_by(self, heir: Loop) -> Loop | None:
        """The service whose place this one takes, while that runs: it is at a good release that came later."""
        if heir.ledger.current is None:
            return None
        release = heir.ledger.release(heir.ledger.current)
        old = self.loops.get(release.service.follows)
        if old is None or old.ledger.current is None:
            return None
        return old if old.ledger.release(old.ledger.current).at < release.at else None

    async def _outrank(self, key: str) -> None:
        """A journal that was lost grants its tokens from 1 again; the balancer remembers higher ones."""
        exposed = (await self.world.balancer.known()).get(key)
        while exposed and await self.world.journal.token(key) < exposed.token - 1:
            await self.world.journal.release(await self.world.journal.acquire(key, self._holder, 0.0))


def _jobs_of(key: str) -> str:
    return f"the jobs of {key}"


def _care_for(key: str) -> str:
    return f"the care for {key}"


def _watch_of(key: str) -> str:
    return f"the watch of {key}"


def _leaving(key: str) -> str:
    return f"taking {key} down"


def _left(fleet: Fleet) -> bool:
    """Something runs, or is ours to clear away: a platform that keeps sizes lists for an hour what ended there."""
    return any(fleet.sizes is None or i.health is not Health.EXITED for i in fleet.instances)
