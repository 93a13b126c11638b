"""The journal read a page at a time: a year of it is larger than the controller."""

from collections.abc import AsyncIterator
from typing import Any

from crossfade.engine.ports.journal import Event, Journal

PAGE = 1000  # events that are in memory at once


async def pages(journal: Journal, *, after: int = 0, **which: Any) -> AsyncIterator[Event]:
    """All events after `after` that `Journal.read` finds with `which`, oldest first."""
    while page := await journal.read(after=after, limit=PAGE, **which):
        for event in page:
            yield event
        after = page[-1].seq


async def history(
    journal: Journal, *, after: int = 0, service: str | None = None, newest: int = 0
) -> AsyncIterator[Event]:
    """Events oldest first: all after `after`, or the newest so many."""
    if newest:
        for event in await journal.read(after=after, service=service, limit=newest, newest=True):
            yield event
        return
    async for event in pages(journal, after=after, service=service):
        yield event
