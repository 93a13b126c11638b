"""The balancer in memory: it keeps the routing that the platform then answers clients by."""

from collections.abc import Mapping, Sequence

from crossfade.core.counters import NOTHING
from crossfade.core.errors import PlatformError, StaleTokenError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.dry.platform import Exposure, Platform
from crossfade.engine.ports.balancer import Exposed, GoneError, Report, Target, Traffic
from crossfade.engine.ports.journal import Fence
from crossfade.strategies.several.clash import clash

IDLE = Target()


class DryBalancer:
    """`LoadBalancer` on a `Platform`. `refuses` is the message that every `apply` fails with, changing nothing."""

    def __init__(self, platform: Platform, fence: Fence) -> None:
        self.refuses = ""
        self._platform = platform
        self._fence = fence

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,  # noqa: ARG002  it does not check by itself
    ) -> float:
        await self._fence.check(service.key, token)
        old = self._platform.exposed.get(service.key)
        if old is not None and token < old.token:
            raise StaleTokenError(f"token {token} is older than {old.token}")
        if self.refuses:
            raise PlatformError(self.refuses)
        if self._platform.deserted and routing.registered():
            self._require_it(Report())
        self._refuse_clash(service)
        ids = routing.registered() | routing.draining()
        known = {i: addresses[i] for i in sorted(ids)}
        self._platform.expose(Exposure(service=service, routing=routing, addresses=known, token=token))
        return 0.0

    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        exposure = self._platform.exposed.get(service)
        if exposure is None:
            return Report()
        self._require_it(report := self._reported(exposure))
        return report

    def _reported(self, exposure: Exposure) -> Report:
        return Report(
            routing=exposure.routing,
            targets={i: self._target(exposure, i) for i in exposure.addresses},
            groups={g.release: exposure.groups.get(g.release, NOTHING) for g in exposure.routing.groups},
            traffic=Traffic(total=exposure.total, failed=tuple(sorted(exposure.failed.items()))),
        )

    async def catch_up(self) -> None:
        self._require_it(Report())

    async def known(self) -> Mapping[str, Exposed]:
        return {key: Exposed(service=e.service, token=e.token) for key, e in self._platform.exposed.items()}

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        return f"http://127.0.0.1:{service.listener.http}", {service.preview.header: str(release)}

    async def remove(self, service: str, token: int) -> None:
        await self._fence.check(service, token)
        self._platform.exposed.pop(service, None)

    async def ensure(self) -> None: ...

    async def restart(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def close(self) -> None: ...

    def complaints(self) -> Sequence[str]:
        return ()

    def _require_it(self, told: Report) -> None:
        if self._platform.balancer_gone:
            why, deserted = "the balancer is gone and cannot be started: it was removed", self._platform.deserted
            error = GoneError(why, "install it", told=told, deserted=deserted)
            error.lasting = True
            raise error

    def _target(self, exposure: Exposure, instance: str) -> Target:
        life = self._platform.lives.get(instance)
        streams = life.behaviour.streams if life and life.served else 0
        in_flight = exposure.in_flight[instance]
        return Target(in_flight=in_flight, streams=streams) if in_flight or streams else IDLE

    def _refuse_clash(self, service: Service) -> None:
        for key, exposure in self._platform.exposed.items():
            other = exposure.service
            found = key != service.key and clash(other, service) and clash(service, other)
            if found:
                raise PlatformError(found.cause, found.way_out)
