"""The fleet: a service's instances as the platform reports them, their health, and what the balancer says of them."""

from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.core.counters import NOTHING, Counters
from crossfade.core.routing import Routing


class Health(StrEnum):
    """The health of one instance, by our own probe or as the platform says."""

    STARTING = "starting"  # has not passed its healthy threshold yet
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"  # was healthy, then failed its unhealthy threshold
    EXITED = "exited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One running copy of a service at a release, as seen at one moment. Times are seconds of the caller's clock."""

    id: str
    release: int
    health: Health = Health.STARTING
    launched_at: float = 0.0
    healthy_since: float | None = None
    draining_since: float | None = None  # the balancer confirmed that it gets no new requests
    in_flight: int | None = 0  # plain requests it is answering; None: the balancer cannot tell
    streams: int | None = 0  # WebSocket and SSE connections it holds; None as above
    stopping: bool = False  # told to go; in its grace
    abandoned: bool = False  # told to go by somebody who is gone: nobody sees its stop through
    outdated: bool = False  # to be replaced by another of its release, as gently as anything is
    address: str = ""
    detail: str = ""  # the last probe's complaint, or how it exited
    blamed: bool = True  # its exit counts against its release, or while it starts that it takes so long
    final: bool = False  # where it exited: another of its release would do the same

    @property
    def up(self) -> bool:
        """Exists and was not told to go."""
        return self.health is not Health.EXITED and not self.stopping

    @property
    def usable(self) -> bool:
        """May get requests: healthy and not told to go."""
        return self.health is Health.HEALTHY and not self.stopping

    @property
    def holds_requests(self) -> bool:
        """It answers requests that it got before, or is on its way out with them."""
        return bool(self.in_flight or self.streams) or self.stopping or self.draining_since is not None

    def ready(self, now: float, warmup: float) -> bool:
        """Counts as capacity: usable, and through its warmup. Without one the clock is not asked: it may go back."""
        if not self.usable or self.healthy_since is None:
            return False
        return warmup <= 0 or now - self.healthy_since >= warmup


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """An instance that ended without being told to, or lost its health: what verdicts and back-off count.

    Not `blamed` on its release: it ended while nobody worked (a reboot, a controller that was stopped), or was never
    launched because the platform could not. A `final` one is enough to know how all others would end.
    """

    instance: str
    release: int
    at: float
    was_healthy: bool
    detail: str
    blamed: bool = True
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything a decision may look at. `routing` is what the balancer confirmed, not what it was asked.

    `sizes` says by release how many instances the platform keeps by itself; None: it is told of every single one.
    `places` is of how many releases at a time it can keep any; None: of as many as there are.
    """

    instances: tuple[Instance, ...] = ()
    routing: Routing = field(default_factory=Routing)
    counters: tuple[tuple[int, Counters], ...] = ()  # by release
    exits: tuple[Exit, ...] = ()  # oldest first
    sizes: tuple[tuple[int, int], ...] | None = None
    places: int | None = None
    watched_since: float = 0.0  # since when somebody has looked without a gap
    unshared: tuple[tuple[int, float], ...] = ()  # releases that are kept without a share, and since when

    def of(self, release: int) -> tuple[Instance, ...]:
        return tuple(i for i in self.instances if i.release == release)

    def counted(self, release: int) -> Counters:
        return dict(self.counters).get(release, NOTHING)
