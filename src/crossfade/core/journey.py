"""Journeys of a load test: what visitors do, how many of them there are, and what was promised to them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request, and what its answer must be. Texts may hold `${name}`: what a step before it `save`d, or `${user}`.

    `think` is between the beginning of this request and that of the next, in seconds from .. to: a slow answer does not
    make a visitor ask later, so that a stall shows in all the requests that it held up.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    status: tuple[int, int] = (200, 399)
    contains: str = ""
    save: tuple[tuple[str, str], ...] = ()  # name, pattern whose first group is the value
    think: tuple[float, float] = (1.0, 1.0)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What one kind of visitor does again and again, after `login`, which each visitor does once."""

    name: str
    weight: float = 1.0
    login: tuple[Step, ...] = ()
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStage:
    """So many visitors for so many seconds."""

    users: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """Times in ms, shares in percent; None was not promised. `requests` are answered ones a second."""

    availability: float | None = None
    errors: float | None = None
    mean_ms: float | None = None
    p95_ms: float | None = None
    health_ms: float | None = None
    requests: float | None = None
    deploy_s: float | None = None
    recovery_s: float | None = None  # from a bad release


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """`warmup` seconds of the first stage's visitors count for nothing. `health` is a path that is asked beside."""

    journeys: tuple[Journey, ...]
    stages: tuple[LoadStage, ...]
    locustfile: str = ""  # instead of journeys: a path
    warmup: float = 0.0
    timeout: float = 10.0
    health: str = ""
    release: str = "X-Release"  # the answer's header that names its release
    instance: str = "X-Instance"  # and the one that names its instance
    promises: Promises = field(default_factory=Promises)
