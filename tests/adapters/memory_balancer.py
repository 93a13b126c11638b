"""A balancer without a network: it decides who gets a request and counts, the caller carries it there."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from crossfade.core.clash import clash
from crossfade.core.counters import Counters
from crossfade.core.errors import PlatformError, StaleTokenError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.journal import Fence
from crossfade.engine.ports import Exposed, Report, Target, Traffic


@dataclass
class Told:
    """One service as it was applied, and what was counted for it."""

    service: Service
    routing: Routing
    addresses: dict[str, str]
    token: int
    groups: dict[int, Counters] = field(default_factory=dict)
    total: Counters = field(default_factory=Counters)
    failed: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)


@dataclass
class Exchange:
    """Where a request goes; empty: nobody. Whoever carries it sets `status`."""

    address: str = ""
    status: int = 503


class State:
    """What outlives an adapter."""

    def __init__(self) -> None:
        self.services: dict[str, Told] = {}


class MemoryBalancer:
    """`LoadBalancer` in a dictionary.

    `refuses` is the message every `apply` fails with, leaving all as it was; `late` the seconds an `apply` takes until
    it works; `fails_after` makes it fail although it has worked; `unhealthy` are instances its own check rejects.
    """

    def __init__(self, fence: Fence, state: State | None = None, seed: int = 0) -> None:
        self.refuses = ""
        self.late = 0.0
        self.fails_after = False
        self.unhealthy: set[str] = set()
        self.applied: list[tuple[str, Routing]] = []
        self._fence = fence
        self._services = (state or State()).services
        self._random = random.Random(seed)

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        await self._fence.check(service.key, token)
        old = self._services.get(service.key)
        if old is not None and token < old.token:
            raise StaleTokenError(f"token {token} is older than {old.token}")
        await asyncio.sleep(self.late)
        if self.refuses:
            raise PlatformError(self.refuses)
        self._refuse_clash(service)
        ids = routing.registered() | routing.draining()
        told = Told(service=service, routing=routing, addresses={i: addresses[i] for i in ids}, token=token)
        if old is not None:
            told = replace(told, groups=old.groups, total=old.total, failed=old.failed, in_flight=old.in_flight)
        self._services[service.key] = told
        self.applied.append((service.key, routing))
        if self.fails_after:
            raise PlatformError("applied, but the answer was lost")
        return self.late

    async def report(self, service: str) -> Report:
        told = self._services.get(service)
        if told is None:
            return Report()
        return Report(
            routing=told.routing,
            targets={i: Target(healthy=i not in self.unhealthy, in_flight=told.in_flight[i]) for i in told.addresses},
            groups={g.release: told.groups.get(g.release, Counters()) for g in told.routing.groups},
            traffic=Traffic(total=told.total, failed=tuple(sorted(told.failed.items()))),
        )

    @asynccontextmanager
    async def request(self, service: str, headers: Mapping[str, str]) -> AsyncIterator[Exchange]:
        """One request of a client: counted when the block ends."""
        told = self._services.get(service)
        if told is None:
            raise ConnectionRefusedError
        preview = told.routing.preview if told.service.preview.header in headers else None
        release = self._release(told.routing) if preview is None else preview
        instance = self._instance(told.routing, release)
        exchange = Exchange(address=told.addresses[instance] if instance else "")
        told.in_flight[instance] += 1
        try:
            yield exchange
        finally:
            told.in_flight[instance] -= 1
            told = self._services.get(service, told)
            self._count(told, release, exchange.status, preview=preview is not None)

    async def known(self) -> Mapping[str, Exposed]:
        return {key: Exposed(service=told.service, token=told.token) for key, told in self._services.items()}

    async def catch_up(self) -> None: ...

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        return f"http://127.0.0.1:{service.listener.http}", {service.preview.header: str(release)}

    async def remove(self, service: str, token: int) -> None:
        await self._fence.check(service, token)
        self._services.pop(service, None)

    async def ensure(self) -> None: ...

    async def restart(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def close(self) -> None: ...

    def _refuse_clash(self, service: Service) -> None:
        for key, told in self._services.items():
            found = clash(service, told.service) if key != service.key else None
            if found:
                raise PlatformError(found.cause, found.way_out)

    def _release(self, routing: Routing) -> int | None:
        if not routing.weights:
            return None
        releases, weights = zip(*routing.weights, strict=True)
        return int(self._random.choices(releases, weights)[0])

    def _instance(self, routing: Routing, release: int | None) -> str:
        ids = [i for g in routing.groups if g.release == release for i in g.registered if i not in self.unhealthy]
        return self._random.choice(ids) if ids else ""

    def _count(self, told: Told, release: int | None, status: int, *, preview: bool) -> None:
        one = Counters(requests=1, errors=int(status >= 500), latency=((1000.0, 1),))
        if release is not None:
            told.groups[release] = told.groups.get(release, Counters()) + one
        if preview:
            return
        told.total += one
        if status >= 500:
            told.failed["no release serving" if release is None else f"{status} from instance"] += 1
