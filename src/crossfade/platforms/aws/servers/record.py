"""The record of what is done over hosts on AWS: in the environment's table, under a lease that outlives no process."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from crossfade.core.errors import CrossfadeError, RefusedError
from crossfade.engine.ports.journal import Event, HeldError, Lease
from crossfade.platforms.aws.journal import DynamoJournal

SERVICE = "hosts"  # whose lease it is, in a place where services of the app have theirs


class HolderRecord:
    """One holder's. `ttl` is the lease's, in seconds; it is renewed three times in it."""

    def __init__(self, journal: DynamoJournal, holder: str, ttl: float) -> None:
        self._journal, self._holder, self._ttl = journal, holder, ttl
        self._lease: Lease | None = None
        self._beat: asyncio.Task[None] | None = None
        self.known: list[Event] = []

    async def take(self) -> None:
        """Be the one who writes. Waits while who had it may be dead; RefusedError as soon as it is seen to live."""
        first: HeldError | None = None
        while self._lease is None:
            try:
                self._lease = await self._journal.acquire(SERVICE, self._holder, self._ttl)
            except HeldError as error:
                if first is not None and error.held.expires != first.held.expires:
                    raise RefusedError(error.cause, "wait until it is done") from error
                first = first or error
                await asyncio.sleep(min(1.0, self._ttl / 10))
        self._beat = asyncio.create_task(self._renewed())
        self.known = list(await self.read())

    async def read(self) -> Sequence[Event]:
        return await self._journal.read(service=SERVICE)

    async def held(self) -> Lease | None:
        return await self._journal.lease(SERVICE)

    async def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        assert self._lease is not None  # noqa: S101  `take` came first
        event = await self._journal.append(Event(kind=kind, service=SERVICE, data=data), self._lease.token)
        self.known.append(event)
        return event

    async def check(self) -> None:
        """StaleTokenError when somebody took over: then nothing is changed any more."""
        if self._lease is not None:
            await self._journal.check(SERVICE, self._lease.token)

    async def leave(self) -> None:
        """Let somebody else have it at once."""
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)  # however it ended: the lease is to be given back
        if self._lease is not None:
            with suppress(CrossfadeError):
                await self._journal.release(self._lease)

    async def _renewed(self) -> None:
        while self._lease is not None:
            await asyncio.sleep(self._ttl / 3)
            with suppress(CrossfadeError):  # each write and each change looks at the lease itself
                self._lease = await self._journal.renew(self._lease, self._ttl)
