"""A journal that forgets everything when it is dropped."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Event, HeldError, Lease, Waiting, stale

_as_json = json.JSONEncoder(allow_nan=False).encode


@dataclass
class JournalPaper:
    """What outlives a `DryJournal`: its lines, and who has which lease."""

    events: list[Event] = field(default_factory=list)
    leases: dict[str, Lease] = field(default_factory=dict)


class DryJournal:
    """`Journal` and `Fence` in two lists; data go through JSON so that what a file could not hold fails here too."""

    def __init__(self, clock: Clock, paper: JournalPaper | None = None) -> None:
        self.paper = paper or JournalPaper()
        self._clock = clock
        self._waiting = Waiting()

    @property
    def called(self) -> str:
        return "in memory"

    @property
    def events(self) -> list[Event]:
        return self.paper.events

    async def append(self, event: Event, token: int) -> Event:
        self._refuse_unless(event.service, token, good=token == self._newest(event.service))
        written = Event(
            kind=event.kind,
            service=event.service,
            rollout=event.rollout,
            data=json.loads(_as_json(event.data)),
            seq=len(self.events) + 1,
            at=self._clock.now(),
        )
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
        now, held = self._clock.now(), self.paper.leases.get(service)
        if held is None:
            return self._grant(Lease(service=service, holder=holder, token=1, since=now, expires=now + ttl))
        if held.holder == holder:
            return replace(held, vacant_since=held.expires - ttl)
        if held.holder and not self._waiting.has_lapsed(service, held, now, ttl):
            raise HeldError(held, ttl)
        vacant = held.expires - ttl if held.holder else held.expires
        taken = Lease(service=service, holder=holder, token=held.token + 1, since=now, expires=vacant + ttl)
        return self._grant(replace(taken, vacant_since=vacant))

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        self._refuse_unless(lease.service, lease.token, good=lease.token == self._newest(lease.service))
        return self._grant(replace(lease, expires=self._clock.now() + ttl))

    async def release(self, lease: Lease) -> None:
        held = self.paper.leases.get(lease.service)
        if held is not None and held.holder and held.token == lease.token:
            self._grant(replace(held, holder="", expires=self._clock.now()))

    async def token(self, service: str) -> int:
        return self._newest(service)

    async def lease(self, service: str) -> Lease | None:
        held = self.paper.leases.get(service)
        return held if held and held.holder else None

    async def check(self, service: str, token: int) -> None:
        self._refuse_unless(service, token, good=token >= self._newest(service))

    async def close(self) -> None: ...

    def _grant(self, lease: Lease) -> Lease:
        self.paper.leases[lease.service] = lease
        return lease

    def _newest(self, service: str) -> int:
        lease = self.paper.leases.get(service)
        return lease.token if lease else 0

    def _refuse_unless(self, service: str, token: int, *, good: bool) -> None:
        if not good:
            raise stale(service, token, self.paper.leases.get(service))
