"""The scribe of one service: holds its lease, writes its journal, and keeps the ledger and the record that result."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from crossfade.core.actions import Stop
from crossfade.core.errors import CrossfadeError, StaleTokenError
from crossfade.core.wire import encode, encode_action
from crossfade.engine.fold import advance
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.balancer import GoneError, Traffic, last_report
from crossfade.engine.ports.journal import Event, Lease
from crossfade.engine.proof import ProofWindow, reopen
from crossfade.engine.world import World


class Scribe:
    """The only writer of a service's journal, one line after the other, whoever asks.

    `ledger` is the fold of what was written, `window` the record under way: from a rollout's start until the last
    request ended that the release before was answering.
    """

    def __init__(self, ledger: Ledger, world: World, holder: str) -> None:
        self.ledger = ledger
        self.window: ProofWindow | None = None
        self._world = world
        self._holder = holder
        self._lease: Lease | None = None
        self._writing = asyncio.Lock()
        self._begun = set[asyncio.Task[Event]]()  # lines, also those that nobody waits for any more
        self._unsure = False  # an answer was lost: the journal may have lines that the ledger has not

    @property
    def key(self) -> str:
        return self.ledger.service

    @property
    def token(self) -> int:
        return self._lease.token if self._lease else 0

    async def acquire(self) -> float:
        """Take the lease and return since when nobody had it, by the journal's clock; RefusedError says who has it."""
        self._lease = await self._world.journal.acquire(self.key, self._holder, self._world.pace.lease)
        self._unsure = True  # others may have written
        return self._lease.vacant_since

    async def renew(self) -> None:
        """Keep the lease when it is time to. Called after work that went well: who cannot work may lose it.

        It is time to also when it was renewed in the future: by another's clock, or one that was set back since.
        StaleTokenError when somebody else took it: then it has to be acquired again.
        """
        ttl, beat = self._world.pace.lease, self._world.pace.beat
        if self._lease and not 0.0 <= self._world.clock.now() - (self._lease.expires - ttl) <= beat:
            try:
                self._lease = await self._world.journal.renew(self._lease, ttl)
            except StaleTokenError:
                self._lease = None
                raise

    async def give_back(self) -> None:
        """Let go of the lease, so that nobody has to wait for it; lines that were begun under it are written first."""
        if self._begun:
            await asyncio.wait(self._begun)
        if self._lease:
            with suppress(CrossfadeError):
                await self._world.journal.release(self._lease)
            self._lease = None  # whoever runs on takes a new one

    async def record(self, kind: str, data: Mapping[str, Any] | None = None) -> Event:
        """Write one event, fold it, and tell whoever watches. Who stops waiting does not stop the line."""
        if kind == "rollout started":
            await self.close_record()
        line = asyncio.create_task(self._write(kind, data or {}))
        self._begun.add(line)
        line.add_done_callback(self._is_over)
        return await asyncio.shield(line)

    def _is_over(self, line: asyncio.Task[Event]) -> None:
        self._begun.discard(line)
        if not line.cancelled():
            line.exception()  # asked for, since whoever waited may have left, and nobody else would

    async def catch_up(self) -> None:
        """Fold what the journal has and we have not: an answer may be lost although its line was written."""
        if self._unsure or self._writing.locked():
            async with self._writing:
                await self._read_on()

    def take(self, event: Event) -> None:
        """Fold a line that another process wrote; one that is folded already changes nothing."""
        if event.seq > self.ledger.seq:
            self._fold(event)

    async def count(self, traffic: Traffic) -> None:
        """Add what the balancer counted to the record; that of a rollout before us is opened again first."""
        rollout = self.ledger.rollout
        if rollout is None:
            return
        if self.window is None and self.ledger.recording:
            since = await self._world.journal.read(after=self.ledger.began - 1, service=self.key)
            self.window = reopen(since)
        if self.window:
            self.window.add(traffic)

    async def count_the_last(self) -> None:
        """Count what clients got until now. What a balancer that is gone had not told by then is in no total."""
        with suppress(GoneError):
            await self._world.balancer.catch_up()
        await self.count((await last_report(self._world.balancer, self.key)).traffic)

    async def note_gone(self, there: Collection[str]) -> None:
        """Of instances that were told to go, those that are not `there` are gone: whoever told them died, or could not
        write, before that was on record. Nobody saw how they ended.
        """
        for instance in sorted(self.window.ending.difference(there)) if self.window else ():
            await self.record("done", {"action": encode_action(Stop(instance=instance)), "uncounted": ["killed"]})

    async def close_record(self) -> None:
        """The last old request ended: from here on, what clients get belongs to no rollout."""
        rollout, window = self.ledger.rollout, self.window
        if rollout is None or window is None:
            return
        self.window = None  # before anybody else finds it open, while we wait for the journal
        try:
            await self.record("record closed", {"rollout": rollout.id, "proof": encode(window.proof())})
        except CrossfadeError:
            if self.window is None and self.ledger.recording and self.ledger.rollout == rollout:
                self.window = window
            raise

    async def _write(self, kind: str, data: Mapping[str, Any]) -> Event:
        async with self._writing:
            await self._read_on()
            rollout = self.ledger.active.id if self.ledger.active else 0
            if kind == "rollout started":
                rollout = data["rollout"]["id"]
            event = Event(kind=kind, service=self.key, rollout=rollout, data=data)
            try:
                event = await self._world.journal.append(event, self.token)
            except StaleTokenError:
                self._lease = None
                raise
            except CrossfadeError:
                self._unsure = True
                raise
            self._fold(event)
            return event

    async def _read_on(self) -> None:
        if not self._unsure:
            return
        for event in await self._world.journal.read(after=self.ledger.seq, service=self.key):
            self._fold(event)
        self._unsure = False

    def _fold(self, event: Event) -> None:
        self.ledger = advance(self.ledger, event)
        if event.kind == "record closed" and not self.ledger.recording:
            self.window = None  # also where the answer to that line was lost: what comes now belongs to nobody
        if self.window:
            self.window.note(event)
        self._world.told(event)
