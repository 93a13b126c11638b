"""Writes lines into the journal for who looks after something that is no service: a store, whoever is told."""

from contextlib import suppress
from typing import Any

from crossfade.core.errors import CrossfadeError
from crossfade.engine.ports.journal import Event, Lease
from crossfade.engine.world import World


class Pen:
    """Takes the lease of what it writes of, as `holder`, and keeps it until `close`."""

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
