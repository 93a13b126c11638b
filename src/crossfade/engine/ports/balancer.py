"""The port of balancers: who sends traffic, and what they counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.core.counters import Counters
from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one instance holds, as the balancer sees it. What it cannot tell is None: then only time drains it."""

    in_flight: int | None = 0  # plain requests being answered
    streams: int | None = 0  # WebSocket and SSE connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What one service's clients got, as totals since counting began; `failed` by cause.

    Only clients' requests: health checks and preview requests are not in it. `failed` sums to `total.errors`.
    """

    total: Counters = field(default_factory=Counters)
    failed: tuple[tuple[str, int], ...] = ()  # e.g. ("500", 3), ("connection reset by instance", 1)
    client_closed: int = 0  # clients that left before their answer: not a failure of ours
    balancer_deaths: int = 0  # how often it died; what it had not told us by then is in no total
    uncounted: tuple[str, ...] = ()  # what of a `Proof` it never tells: a 0 of these says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the balancer says of one service now."""

    routing: Routing = field(default_factory=Routing)  # what it runs, confirmed
    targets: Mapping[str, Target] = field(default_factory=dict)  # by instance id
    groups: Mapping[int, Counters] = field(default_factory=dict)  # by release, all requests that reached it
    traffic: Traffic = field(default_factory=Traffic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """A service that a balancer was told of: how it is reached, and the token under which it was told so."""

    service: Service
    token: int


class GoneError(PlatformError):
    """Its process is not there. What it was told it still knows, and begins with when it is back: `told` is its report.

    It leads nobody anywhere and holds no request; unless it is `deserted`: processes that it left behind serve on by
    what they were told last, and nobody can tell them anything else.
    """

    def __init__(self, cause: str, way_out: str = "", *, told: Report | None = None, deserted: bool = False) -> None:
        super().__init__(cause, way_out)
        self.told = told or Report()
        self.deserted = deserted


class LoadBalancer(Protocol):
    """Who sends traffic. It outlives the controller and keeps serving what it was last told."""

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        """Make `routing` the service's routing and return when the balancer confirmed that it runs it.

        One that cannot confirm reads it back and returns once it must have settled: all targets that are to serve are
        healthy to it, and the time has passed that the change may take.

        `addresses` maps every instance id in `routing` to host:port. `service` says how it is exposed (listener,
        routes, sticky, timeouts, health). After the return no new request goes to an instance that is not in
        `routing.serving()` (previews aside), and every instance in it is accepted by the balancer's own check.
        Instances in `draining` finish what they hold. Returns the seconds from writing to confirmation. By one that is
        gone, and cannot be started or need not be, nobody is asked: it is kept for when it is back.
        `checks` gives the health check of a release where it is not `service.health`.
        The same routing again is confirmed without a change. Raises PlatformError when it does not come about (a port
        in use names who holds it); then the old routing is still the one that runs.
        """
        ...

    async def report(self, service: str, age: float = 0.0) -> Report:
        """Routing, in-flight and counters of `app/service`; an unknown service has an empty report.

        In flight and counters may be `age` seconds old, where one answer for all services costs less than one for each.

        Failures are read from logs, which are written a little late: see `catch_up`. GoneError where nobody is there to
        be asked.
        """
        ...

    async def known(self) -> Mapping[str, Exposed]:
        """The services it was told of and was not told to forget, by `app/service`: its own memory, without ours."""
        ...

    def complaints(self) -> Sequence[str]:
        """What it cannot do as it should although it runs, a sentence each: a certificate that cannot be read."""
        ...

    async def catch_up(self) -> None:
        """Return when the next report has all that happened before this was called."""
        ...

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        """The base URL and the headers with which a request reaches the release in `routing.preview`."""
        ...

    async def remove(self, service: str, token: int) -> None:
        """Forget the service: its listener closes when nobody else uses it. One that is gone forgets it, too."""
        ...

    async def ensure(self) -> None:
        """See that the balancer runs: adopt the one that is there, start it when none is."""
        ...

    async def restart(self) -> None:
        """Replace the balancer's process by a new one (upgrade) without losing a request."""
        ...

    async def shutdown(self) -> None:
        """Stop the balancer's process: nothing is served any more."""
        ...

    async def close(self) -> None:
        """Let go of connections; the balancer goes on serving."""
        ...


async def last_report(balancer: LoadBalancer, service: str) -> Report:
    """What it says of a service; of one that is gone, what it would begin with."""
    try:
        return await balancer.report(service)
    except GoneError as error:
        return error.told
