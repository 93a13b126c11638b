"""A journal that forgets everything when it is dropped."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from crossfade.core.errors import RefusedError, StaleTokenError
from crossfade.engine.ports import Clock, Event, Lease


class MemoryJournal:
    """`Journal` and `Fence` in two lists; data go through JSON so that what a file could not hold fails here too."""

    def __init__(self, clock: Clock) -> None:
        self.events: list[Event] = []
        self.leases: dict[str, Lease] = {}
        self._watched: dict[str, tuple[Lease, float]] = {}
        self._clock = clock

    async def append(self, event: Event, token: int) -> Event:
        self._refuse_unless(event.service, token, good=token == self._newest(event.service))
        data = json.loads(json.dumps(event.data, allow_nan=False))
        written = replace(event, data=data, seq=len(self.events) + 1, at=self._clock.now())
        self.events.append(written)
        return written

    async def read(
        self,
        *,
        after: int = 0,
        service: str | None = None,
        kinds: Collection[str] | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> Sequence[Event]:
        found = [
            event
            for event in self.events[max(0, after) :]
            if service in {None, event.service} and (kinds is None or event.kind in kinds)
        ]
        if limit is None:
            return found
        return found[max(0, len(found) - limit) :] if newest else found[:limit]

    async def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        now, held = self._clock.now(), self.leases.get(service)
        free = held is None or not held.holder
        if held is not None and not free:
            if held.holder == holder:
                self.leases[service] = replace(held, expires=now + ttl, vacant_since=held.expires - ttl)
                return self.leases[service]
            known, since = self._watched.get(service, (held, now))
            self._watched[service] = (held, since if known == held else now)
            if known != held or now - since < ttl:
                raise RefusedError(f"{service} is held by {held.holder} since {held.since}.")
        vacant = 0.0 if held is None else held.expires if free else held.expires - ttl
        lease = Lease(
            service=service,
            holder=holder,
            token=self._newest(service) + 1,
            since=now,
            expires=now + ttl,
            vacant_since=vacant,
        )
        self.leases[service] = lease
        return lease

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        self._refuse_unless(lease.service, lease.token, good=lease.token == self._newest(lease.service))
        self.leases[lease.service] = replace(lease, expires=self._clock.now() + ttl)
        return self.leases[lease.service]

    async def release(self, lease: Lease) -> None:
        if lease.token == self._newest(lease.service):
            self.leases[lease.service] = replace(lease, holder="", expires=self._clock.now())

    async def token(self, service: str) -> int:
        return self._newest(service)

    async def check(self, service: str, token: int) -> None:
        self._refuse_unless(service, token, good=token >= self._newest(service))

    async def close(self) -> None: ...

    def _newest(self, service: str) -> int:
        return self.leases[service].token if service in self.leases else 0

    def _refuse_unless(self, service: str, token: int, *, good: bool) -> None:
        if not good:
            raise StaleTokenError(f"Token {token} for {service}; the newest is {self._newest(service)}.")
