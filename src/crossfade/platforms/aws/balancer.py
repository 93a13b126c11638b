"""`LoadBalancer` of a whole environment: the site has an edge, and everything else the load balancer."""

from collections.abc import Mapping, Sequence

from crossfade.core.routing import Routing
from crossfade.core.service import SITE, HealthCheck, Service
from crossfade.engine.ports.balancer import Exposed, LoadBalancer, Report


class EnvironmentBalancer:
    """The balancer of an environment: it asks the one of two that a service is behind."""

    def __init__(self, balancer: LoadBalancer, edge: LoadBalancer) -> None:
        self._balancer, self._edge = balancer, edge

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        return await self._of(service.key).apply(service, routing, addresses, token, checks)

    async def report(self, service: str, age: float = 0.0) -> Report:
        return await self._of(service).report(service, age)

    async def known(self) -> Mapping[str, Exposed]:
        return {**await self._balancer.known(), **await self._edge.known()}

    def complaints(self) -> Sequence[str]:
        return (*self._balancer.complaints(), *self._edge.complaints())

    async def catch_up(self) -> None:
        await self._balancer.catch_up()
        await self._edge.catch_up()

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        return await self._of(service.key).preview(service, release)

    async def remove(self, service: str, token: int) -> None:
        await self._of(service).remove(service, token)

    async def ensure(self) -> None:
        await self._balancer.ensure()
        await self._edge.ensure()

    async def restart(self) -> None:
        await self._balancer.restart()
        await self._edge.restart()

    async def shutdown(self) -> None:
        await self._balancer.shutdown()
        await self._edge.shutdown()

    async def close(self) -> None:
        await self._balancer.close()
        await self._edge.close()

    def _of(self, key: str) -> LoadBalancer:
        return self._edge if key.rpartition("/")[2] == SITE else self._balancer
