"""The platform in memory: what runs, who gets traffic and what was counted, the truth that its adapters report."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from itertools import accumulate
from random import Random

from crossfade.core.counters import Counters
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.ports.clock import Clock

FAILED = int(HTTPStatus.INTERNAL_SERVER_ERROR)  # and all codes above it
BOUNDS_MS = (50.0, 500.0, 5000.0, 60_000.0)


@dataclass(slots=True, kw_only=True, eq=False)
class Life:
    """One instance. `term_at` is when it was told to go, `gone_at` when it was killed."""

    id: str
    service: str
    release: Release
    behaviour: Behaviour
    address: str
    launched_at: float
    environment: Mapping[str, str]
    written: list[tuple[float, str]]
    born: float = 0.0  # by the platform's clock
    term_at: float | None = None
    gone_at: float | None = None
    drains_until: float | None = None  # where the platform takes it out of the traffic by itself
    served: bool = False

    def truth(self, now: float) -> Health:
        """What it is, whoever knows."""
        health, born = Health.STARTING, self.born
        for after, then in self.behaviour.life:
            if born + after > now:
                break
            health = then
            if then is Health.EXITED:
                break
        return health

    def gone(self, now: float) -> bool:
        if self.gone_at is not None:
            return now >= self.gone_at
        if self.term_at is None:
            return False
        exited = self.truth(self.term_at) is Health.EXITED
        return exited or now >= self.term_at + self.behaviour.grace

    def was_healthy(self, now: float) -> bool:
        return any(then is Health.HEALTHY and self.born + after <= now for after, then in self.behaviour.life)


@dataclass(slots=True, kw_only=True, eq=False)
class Exposure:
    """One service as the balancer has it, and what was counted for it."""

    service: Service
    routing: Routing
    addresses: dict[str, str]
    token: int
    groups: dict[int, Counters] = field(default_factory=dict)
    total: Counters = field(default_factory=Counters)
    failed: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)
    silent_since: dict[str, float] = field(default_factory=dict)  # since when an instance gets nothing new


@dataclass(slots=True, kw_only=True)
class Exchange:
    """Where a request goes; no instance: nobody. Whoever carries it sets `status` and, if it matters, `seconds`."""

    instance: str = ""
    address: str = ""
    status: int = 503
    seconds: float = 0.02
    exposure: Exposure
    held: Counter[str]  # what it is counted among as long as it is under way
    release: int | None
    preview: bool


_STAY = 0.3  # of the visitors, with a release that lost its share


class Platform:
    """What outlives every controller. `behaves` gives the n-th instance of a release its life, `command` a hook its."""

    def __init__(
        self,
        *,
        behaves: Callable[[Release, int], Behaviour] = lambda _release, _nth: Behaviour(),
        command: Callable[[str], Behaviour] = lambda _command: Behaviour(),
        clock: Clock | None = None,
        seed: int = 0,
        lends: bool = True,
    ) -> None:
        self.behaves, self.command = behaves, command
        self.lends = lends  # of a release without a share clients get what the other one lacks: not so on AWS
        self.clock = clock or SystemClock()
        self.wall: Callable[[], float] = self.clock.now  # what the machine's clock shows
        self.random = Random(seed)  # noqa: S311  it is to be repeatable
        self.lives: dict[str, Life] = {}
        self.written: dict[tuple[str, str], list[tuple[float, str]]] = {}  # when what, by service and instance
        self.exposed: dict[str, Exposure] = {}
        self.artifacts: set[tuple[str, str]] = set()  # service and digest
        self.missing: set[str] = set()  # sources that are not there
        self.built_with: dict[str, Mapping[str, str]] = {}  # by service: the environment of its last build
        self.runs: dict[str, tuple[float, str, dict[str, str]]] = {}  # of jobs: when begun, the command, what it found
        self.begun: Counter[str] = Counter()  # how often each was really begun
        self.ready_for: list[tuple[float, int]] = []  # when a release was made ready for a run
        self.balancer_gone = self.deserted = False  # see `lose_balancer`
        self.settle: Callable[[], None] = lambda: None  # what it does by itself, before anybody is served
        self._launched: Counter[tuple[str, int]] = Counter()

    def launch(self, name: str, release: Release, environment: Mapping[str, str]) -> None:
        """Start an instance under a name; nothing when there is or was one of that name."""
        key = release.service.key
        if (key, name) in self.written:
            return
        behaviour = self.behaves(release, self._launched[key, release.number])
        self._launched[key, release.number] += 1
        port = 20_000 + len(self.written)
        told = {"PORT": str(port)} if release.service.kind == "web" else {}
        environment = {**environment, **told, "CROSSFADE_INSTANCE": name}
        lines = self.written[key, name] = [(self.wall(), line) for line in behaviour.says(environment)]
        self.lives[name] = Life(
            id=name,
            service=key,
            release=release,
            behaviour=behaviour,
            address=f"127.0.0.1:{port}",
            launched_at=self.wall(),
            environment=environment,
            written=lines,
            born=self.clock.now(),
        )

    def of(self, service: str) -> list[Life]:
        """The instances of a service that are not gone."""
        now, lives = self.clock.now(), self.lives
        for name in [name for name, life in lives.items() if life.term_at is not None or life.gone_at is not None]:
            if lives[name].gone(now):
                del lives[name]
        return [life for life in lives.values() if life.service == service]

    def terminate(self, life: Life) -> None:
        """SIGTERM; told twice it is told once."""
        if life.term_at is None:
            life.term_at = self.clock.now()
            if life.behaviour.parting:
                life.written.append((self.wall(), life.behaviour.parting))

    def expose(self, exposure: Exposure) -> None:
        """The balancer's whole routing of a service, from now on."""
        key, now = exposure.service.key, self.clock.now()
        old = self.exposed.get(key)
        if old is not None:
            exposure.groups, exposure.total = old.groups, old.total
            exposure.failed, exposure.in_flight = old.failed, old.in_flight
            exposure.silent_since = old.silent_since
            for name in old.routing.registered() - exposure.routing.registered():
                exposure.silent_since.setdefault(name, now)
        for name in exposure.routing.registered():
            exposure.silent_since.pop(name, None)
        for name in exposure.routing.answering() & self.lives.keys():
            self.lives[name].served = True
        self.exposed[key] = exposure

    def lose_balancer(self, *, deserted: bool = False) -> None:
        """The balancer dies, with all that it holds, and cannot be started until `balancer_gone` is false again.

        `deserted`: those that it left behind do not know it, and answer on.
        """
        self.balancer_gone, self.deserted = True, deserted
        if deserted:
            return
        for exposure in self.exposed.values():
            exposure.in_flight = Counter()

    async def ask(self, address: str, check: HealthCheck) -> str:
        """A health check: the complaint, empty when all is well."""
        life = next((life for life in self.lives.values() if life.address == address), None)
        if life is not None and life.behaviour.probe:
            await self.clock.sleep(min(life.behaviour.probe, check.timeout))
            if life.behaviour.probe > check.timeout:
                return f"gave no answer within {check.timeout:g} s"
        if life is None or life.gone(self.clock.now()):
            return "nobody listens"
        health = life.truth(self.clock.now())
        return "" if health is Health.HEALTHY else "nobody listens" if health is Health.STARTING else "answered 503"

    def begin(self, service: str, headers: Mapping[str, str]) -> Exchange:
        """A request of a client: who answers it is drawn when it comes. ConnectionRefusedError where nobody listens."""
        self.settle()
        exposure = self.exposed.get(service)
        if exposure is None or (self.balancer_gone and not self.deserted):
            raise ConnectionRefusedError
        preview = exposure.routing.preview if exposure.service.preview.header in headers else None
        release = self._release(exposure.routing) if preview is None else preview
        instance = self._instance(exposure.routing, release)
        exposure.in_flight[instance] += 1
        return Exchange(
            instance=instance,
            address=exposure.addresses.get(instance, ""),
            exposure=exposure,
            held=exposure.in_flight,
            release=release,
            preview=preview is not None,
        )

    def end(self, exchange: Exchange) -> None:
        """It is answered: counted by its release and, unless it was a preview's, by the service."""
        begun, release = exchange.exposure, exchange.release
        exchange.held[exchange.instance] -= 1
        exposure = self.exposed.get(begun.service.key, begun)
        if exchange.held is not exposure.in_flight:
            return  # it ended with the balancer
        failed = exchange.status >= FAILED
        one = _one(1000 * exchange.seconds, failed=failed)
        if release is not None:
            known = exposure.groups.get(release)
            exposure.groups[release] = one if known is None else known + one
        if exchange.preview:
            return
        exposure.total += one
        if failed:
            cause = "no release serving" if release is None else f"{exchange.status} from instance"
            exposure.failed[cause] += 1

    @contextmanager
    def request(self, service: str, headers: Mapping[str, str]) -> Iterator[Exchange]:
        """The same as a block, in which the request is under way."""
        exchange = self.begin(service, headers)
        try:
            yield exchange
        finally:
            self.end(exchange)

    def _release(self, routing: Routing) -> int | None:
        if not routing.weights:
            return None
        kept = routing.unshared() if self.lends else routing.pinned
        if kept and self.random.random() < _STAY:
            return self.random.choice(kept)
        *_, total = ends = [*accumulate([weight for _, weight in routing.weights])]
        drawn = self.random.random() * total
        return next(release for (release, _), end in zip(routing.weights, ends, strict=True) if drawn < end)

    def _instance(self, routing: Routing, release: int | None) -> str:
        """One that is registered and lives; the balancer asks another when one refuses the connection."""
        now = self.clock.now()
        ids = [i for group in routing.groups if group.release == release for i in group.registered]
        alive = [i for i in ids if i not in self.lives or self.lives[i].truth(now) is not Health.EXITED]
        return self.random.choice(alive or ids) if ids else ""


@lru_cache
def _one(ms: float, *, failed: bool) -> Counters:
    """One request that took so long."""
    timed = tuple((bound, int(ms <= bound)) for bound in BOUNDS_MS)
    return Counters(requests=1, errors=int(failed), latency=timed)
