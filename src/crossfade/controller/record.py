"""The record, a page at a time: a year of it is larger than the controller. And a pen for what is no service."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from crossfade.core.errors import CrossfadeError
from crossfade.engine.ports.journal import Event, Journal, Lease
from crossfade.engine.world import World

PAGE = 1000  # events that are in memory at once


async def pages(journal: Journal, *, after: int = 0, **which: Any) -> AsyncIterator[Event]:
    """All events after `after` that `Journal.read` finds with `which`, oldest first."""
    while page := await journal.read(after=after, limit=PAGE, **which):
        for event in page:
            yield event
        after = page[-1].seq


async def history(
    journal: Journal,
    *,
    after: int = 0,
    service: str | None = None,
    newest: int = 0,
    wanted: Callable[[Event], bool] = lambda _: True,
) -> AsyncIterator[Event]:
    """Events oldest first: all after `after`, or the newest so many that are wanted."""
    if newest:
        for event in await _newest(journal, newest, wanted, after=after, service=service):
            yield event
        return
    async for event in pages(journal, after=after, service=service):
        yield event


async def _newest(journal: Journal, limit: int, wanted: Callable[[Event], bool], **which: Any) -> list[Event]:
    """The newest ones among many of others: the newest 100 are looked through, then 400, 1600 ..."""
    asked = limit
    while True:
        page = await journal.read(limit=asked, newest=True, **which)
        found = [event for event in page if wanted(event)]
        if len(found) >= limit or len(page) < asked:
            return found[-limit:]
        asked *= 4


class Pen:
    """Writes lines for who looks after a store, or tells somebody.

    Takes the lease of what it writes of, as `holder`, and keeps it until `close`.
    """

    def __init__(self, world: World, holder: str) -> None:
        self._world = world
        self._holder = holder
        self._leases: dict[str, Lease] = {}

    async def write(self, key: str, kind: str, data: dict[str, Any]) -> Event:
        """Put a line on record and tell whoever watches."""
        journal, ttl = self._world.journal, self._world.pace.lease
        lease = self._leases[key] = await journal.renew(await journal.acquire(key, self._holder, ttl), ttl)
        event = await journal.append(Event(kind=kind, service=key, data=data), lease.token)
        self._world.told(event)
        return event

    async def close(self) -> None:
        """Let others write, without having to wait."""
        for lease in self._leases.values():
            with suppress(CrossfadeError):
                await self._world.journal.release(lease)
        self._leases.clear()
