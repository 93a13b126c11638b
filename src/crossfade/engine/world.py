"""The adapters that a loop acts through, and the pace at which its platform can be worked with."""

import secrets as entropy
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.core.errors import CrossfadeError
from crossfade.core.release import Release
from crossfade.core.service import HealthCheck, Inside, Service
from crossfade.engine.ports.balancer import LoadBalancer
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Event, Journal
from crossfade.engine.ports.letters import Letters
from crossfade.engine.ports.runtime import JobRunner, Runtime, Sizer
from crossfade.engine.ports.schedules import Schedules
from crossfade.engine.ports.seats import Seats
from crossfade.engine.ports.secrets import Secrets
from crossfade.engine.ports.stores import StoreKeeper
from crossfade.telling.secrecy import without_secrets

Ask = Callable[[str, HealthCheck], Awaitable[str]]
"""Probe an address once: the complaint, empty when the answer is healthy. Never raises for a bad instance."""

Visit = Callable[[str, Mapping[str, str], int, float], Awaitable[None]]
"""GET a URL with headers so often, each for so many seconds. PlatformError when none of these requests got to it."""

Openable = Callable[[Iterable[Service], Iterable[Service]], None]
"""RefusedError when the ports of some services cannot all be open beside those of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a platform can be worked with. The defaults are one machine's; AWS wants 4 s between looks, not 0.2."""

    busy: float = 0.2  # between two looks while something moves; probes and orders wake the loop at once
    idle: float = 1.5  # how long a death may go unseen
    each: float = 0.01  # and what each service adds to that, so that looking at 500 takes no more than at 150
    retry: float = 0.5  # after an act that failed
    lease: float = 15.0
    counted: float = 0.2  # after a request, until the balancer's figures have it
    settle: float = 0.0  # what is read may be as old as this: nobody looks sooner after an act
    # An instance that is still starting is asked more often than its interval says, so that 30 s do not make a 60 s
    # deploy of two thresholds. The younger it is the sooner: a fiftieth of its age within these bounds, so that one
    # that boots in 1 s is found after 1.02 s, and one that takes a minute is asked 20 times a second and not 100 times.
    probe: tuple[float, float] = (0.01, 0.05)
    together: int = 8  # services of one deploy that move at once: each starts instances, which want processors

    @property
    def beat(self) -> float:
        """Seconds after which the lease is renewed: whoever waits for it sees soon that its holder lives."""
        return min(self.lease / 2, 8.0)

    @property
    def gap(self) -> float:
        """A step that comes later than this says that nobody worked meanwhile."""
        return 5 * self.busy


async def no_doors(_service: Service) -> tuple[Inside, ...]:
    """Where the parts of an app find each other without the balancer."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The adapters of one platform.

    `sizers` are the runtimes among `runtimes` that choose their instances themselves.
    """

    journal: Journal
    runtimes: Mapping[str, Runtime]  # by Service.runtime
    balancer: LoadBalancer
    ask: Ask
    visit: Visit
    clock: Clock
    secrets: Callable[[Release], Mapping[str, str]]  # the values a release was deployed with
    told: Callable[[Event], None]  # whoever watches
    pace: Pace = field(default_factory=Pace)
    job_runners: Mapping[str, JobRunner] = field(default_factory=dict)  # by Service.runtime
    schedules: Mapping[str, Schedules] = field(default_factory=dict)  # by Service.runtime, in place of its job runner
    seats: Mapping[str, Seats] = field(default_factory=dict)  # by Service.runtime
    wall: Callable[[], float] = time.time  # noqa: TID251  what schedules go by: the clock that people read
    sizers: Mapping[str, Sizer] = field(default_factory=dict)  # by Service.runtime
    room: Callable[[str, int], None] = lambda _runtime, _more: None  # RefusedError: so many more do not fit
    openable: Openable = lambda _wanted, _beside: None
    inside: Callable[[Service], Awaitable[tuple[Inside, ...]]] = no_doors  # where the app's own parts reach a service
    stores: StoreKeeper | None = None  # where the platform has none
    crowd: Callable[[], int] = lambda: 1  # how many services are looked after
    snapshot: Path | None = None  # where a snapshot of the ledgers is kept, if one is
    new_id: Callable[[], str] = field(default=lambda: entropy.token_hex(2))  # what tells instances of a release apart

    @property
    def rest(self) -> float:
        """Seconds between two looks at a service in which nothing moves."""
        return max(self.pace.idle, self.pace.each * self.crowd())

    def secrets_of(self, release: Release) -> Mapping[str, str]:
        """The values of the secrets that a release names."""
        known = self.secrets(release)
        return {name: known[name] for name in release.service.secrets if name in known}

    def discreet(self, release: Release, said: str) -> str:
        """What a program of the release said, as it may be on record: without the values of its secrets."""
        if not said or not release.service.secrets:
            return said
        try:
            return without_secrets(said, self.secrets_of(release).values())
        except CrossfadeError:  # its values are gone, and nobody can know them by what it said
            return said


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEnvironment:
    """An environment that is on no machine of ours: processes look after it in turn. `home` is `app@environment`.

    `kept` are the values of a service's secrets where the platform keeps them, as its releases refer to them.
    """

    home: str
    world: World
    secrets: Secrets
    letters: Letters
    kept: Callable[[Service], Awaitable[Mapping[str, str]]]
