"""A service as it is to be: how it is run, checked, exposed and changed. Frozen values, in seconds and shares."""

from dataclasses import dataclass, field
from typing import Literal

from crossfade.core.job import Job, Scale

ChosenStrategy = Literal["rolling", "blue-green", "canary", "linear", "recreate"]
StrategyName = Literal[ChosenStrategy, "rollback"]
# Only these leave the old fleet standing after the switch, so only they have something to keep.
KEEPING: frozenset[str] = frozenset({"blue-green", "canary", "linear"})
Kind = Literal["web", "worker"]  # a worker takes its work itself: it has no port, no route and no traffic

IDLE_TIMEOUT = 3600.0  # seconds, of a service that says nothing else
GRPC_HEALTH = "/grpc.health.v1.Health/Check"  # what a server does not offer it refuses in an answer of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A GET of `path` each `interval`: `healthy` passes in a row let traffic in, `unhealthy` failures end it.

    A worker is asked nothing: it is healthy once it has run `after` seconds, or while `command` beside it passes, which
    a service that gets requests may have, too.
    """

    path: str = "/"
    interval: float = 10.0
    timeout: float = 5.0
    healthy: int = 2
    unhealthy: int = 3
    codes: tuple[tuple[int, int], ...] = ((200, 299),)
    host: str = ""  # that is asked for; empty: the instance's address
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""  # what a good answer contains, in its first 64 KiB
    h2c: bool = False  # instead of a GET: does it speak HTTP/2 without TLS?
    after: float | None = None  # instead of any question: for how long it must have run
    command: str = ""  # instead of a GET: run in the instance's own environment, it passes with code 0
    port: int | None = None  # of the container, that is asked instead of the one that gets requests

    @property
    def elsewhere(self) -> bool:
        """It is asked where a balancer does not come: what that can see is whether somebody listens."""
        return bool(self.command) or self.port is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackOn:
    """When a release is bad. Rates are shares (0.01 is 1 %), `p95_ms` milliseconds; None asks nothing."""

    error_rate: float | None = 0.05
    p95_ms: float | None = None
    judged_alone: bool = False  # else the old release's usual errors and p95 are no fault of the new one
    worse_than_previous: float | None = None  # 2.0: bad when more than twice the old release's, at the same time
    min_requests: int = 20
    unhealthy: int = 1  # instances that were healthy and no longer are
    crash_loop: int = 3  # exits of new instances
    inconclusive: Literal["hold", "ask", "probe"] = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How a rollout goes from one release to the next. Percentages are whole numbers 0-100, times seconds."""

    name: StrategyName = "blue-green"
    steps: tuple[int, ...] = (100,)  # share of traffic, for canary and linear
    checkpoints: tuple[int, ...] = (100,)  # share of capacity, for rolling
    bake: float = 0.0
    keep_previous: float = 600.0
    keep_assets: float = 0.0  # after its last share, for pages that the old release sent
    min_healthy: int = 100
    max_surge: int = 100
    warmup: float = 0.0
    approve: tuple[int, ...] = ()
    timeout: float = 600.0
    rollback_on: RollbackOn = field(default_factory=RollbackOn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Requests whose host and path match reach the service; `*` at the end of a path means any rest."""

    host: str = "*"
    path: str = "/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Paths of the PEM files; they are read again when they change."""

    certificate: str
    key: str
    redirect: bool = True
    redirect_except: tuple[str, ...] = ()  # paths that are answered over HTTP too


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where an app is reached. `http` or `https` None: that port is not opened.

    What `trusted_proxies` (CIDRs) say of a client in X-Forwarded headers is believed. With `proxy_protocol` each
    connection begins with who it comes from.
    """

    host: str = "0.0.0.0"  # noqa: S104  the app's public door; the file can narrow it
    http: int | None = 8080
    https: int | None = None
    tls: Tls | None = None
    access_log: bool = False
    trusted_proxies: tuple[str, ...] = ()
    proxy_protocol: bool = False
    redirects: tuple[tuple[str, str], ...] = ()  # (host, the one it is sent on to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky:
    """A client keeps its instance for `ttl` seconds by this cookie; with `release` its release, too, by another.

    Who does not bring it gets one of the balancer's `own`.
    """

    cookie: str
    ttl: float
    release: bool = False
    own: str = ""

    @property
    def ours(self) -> str:
        """The name of the balancer's. Under the app's it would overwrite the session that the app just opened."""
        return self.own or f"crossfade-{self.cookie}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The way to a release that has no traffic yet: a request header with a secret, or a port of its own at `host`."""

    header: str = "X-Crossfade-Preview"
    port: int | None = None
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Commands run in a release's own environment; empty: none."""

    migrate: str = ""
    schema: str = ""  # what it writes is another after a migration that changed something
    smoke: str = ""
    drain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Limits of one instance: cores and bytes; None: no limit."""

    cpu: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A folder of the release that is served as it is. What paths like `immutable` lead to never changes."""

    folder: str
    fallback: str = ""  # the page of what is not there
    immutable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A web service of the app by its name, and the port that it is asked at by that name."""

    name: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How the parts of an app find each other. Nothing at all for an app that is one service."""

    peers: tuple[Peer, ...] = ()  # with the service itself, if it gets requests
    processes: bool = False  # some part is processes, which are told addresses on loopback
    containers: bool = False  # some part is containers, which share a network
    join: str = ""  # a network of Docker's that containers join as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A door for the app's own parts: `host:port` of this machine, open to `clients` (CIDRs) and nobody else."""

    host: str
    port: int
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What lasts beyond a release: `source` is a name, or the absolute path of a folder; `target` where it is found.

    A target is a path in the container, or one relative to the source of a process.
    """

    source: str
    target: str
    read_only: bool = False

    @property
    def named(self) -> bool:
        """We keep it, and no folder of the machine."""
        return not self.source.startswith((".", "/", "~"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How an image is made from a Dockerfile: `context` is an absolute folder, or a URL; empty texts: the default."""

    context: str
    dockerfile: str = ""
    target: str = ""
    args: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """How a container is made, in Docker's own words; what is empty or None is as the image or Docker has it."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()  # what the entrypoint is given
    build: Build | None = None  # where the image is made here
    user: str = ""
    working_dir: str = ""
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    stop_signal: str = ""
    extra_hosts: tuple[tuple[str, str], ...] = ()
    shm_size: int | None = None  # bytes
    ulimits: tuple[tuple[str, int, int], ...] = ()  # name, soft, hard; -1: no limit


SITE = "site"  # what the service of a site is called, and its runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site of files: the folder that is shown, from the source's, and for how many seconds each kind is kept."""

    folder: str = "dist"
    html: float = 300.0
    assets: float = 365 * 86400.0
    images: float = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service of an app as one release wants it. Everything an adapter needs to run, check and expose it."""

    app: str
    name: str
    environment: str = ""  # where it is deployed to; empty: this machine, whatever its environment is called
    kind: Kind = "web"
    runtime: str = "process"  # of `adapters.RUNTIMES`; on AWS of `adapters.ON_AWS`, or `SITE`
    source: str = ""  # folder of the code (process)
    also: tuple[str, ...] = ()  # what else it is made of, absolute as the source: folders, which end with /, and files
    image: str = ""  # image reference (docker)
    login: str = ""  # the secret by which a platform pulls it from a registry of others
    build: str = ""
    cache: tuple[str, ...] = ()  # folders that one build keeps for the next
    built_from: tuple[str, ...] = ()  # all that the build depends on, from the source; empty: on everything
    command: str = ""  # a shell command line; of a container, in place of all that its image starts
    static: Static | None = None  # in place of a command
    container: Container = field(default_factory=Container)
    port: int = 8080  # inside a container; a process is told its port in $PORT
    listen_on: Literal["port", "socket"] = "port"  # a socket's path is in $CROSSFADE_SOCKET
    replicas: int = 1
    health: HealthCheck = field(default_factory=HealthCheck)
    drain: float = 30.0
    grace: float = 10.0
    timeout: float = 0.0  # of one request; 0: as long as it takes
    idle_timeout: float = IDLE_TIMEOUT
    sticky: Sticky | None = None
    routes: tuple[Rule, ...] = (Rule(),)
    headers: tuple[tuple[str, str], ...] = ()  # of answers that have none of that name
    protocol: Literal["http", "h2c"] = "http"  # what instances are spoken to in
    preview: Preview = field(default_factory=Preview)
    listener: Listener = field(default_factory=Listener)
    volumes: tuple[Volume, ...] = ()
    names: Names = field(default_factory=Names)
    inside: tuple[Inside, ...] = ()  # found when traffic is sent: it is the machine's, and no part of a release
    env: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()  # variables whose values the place knows: the address of a database
    secrets: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    hooks: Hooks = field(default_factory=Hooks)
    scale: Scale | None = None  # where the platform makes more and fewer of it by itself
    snapshot: str = ""  # the database that has one taken before `hooks.migrate`; empty: none has
    dumped: bool = False  # the database on a host of its own is written down before `hooks.migrate`
    strategy: Strategy = field(default_factory=Strategy)
    retain: int = 5
    depends_on: tuple[str, ...] = ()
    was: str = ""  # the service of this app whose place it takes: its routes come in the switch, and then it ends
    takes: tuple[tuple[str, float], ...] = ()  # keys of services that give it routes in the same deploy, and when
    jobs: tuple[Job, ...] = ()
    site: Site | None = None  # of the one that is files

    @property
    def home(self) -> str:
        """Where its app is at home: `app` on this machine, elsewhere `app@environment`."""
        return f"{self.app}@{self.environment}" if self.environment else self.app

    @property
    def asked(self) -> str:
        """The path of requests of our own. To a GET a server that speaks gRPC has no answer."""
        return GRPC_HEALTH if self.protocol == "h2c" else self.health.path

    @property
    def key(self) -> str:
        """The service's name among all that are deployed: `app/service`, elsewhere `app@environment/service`."""
        return f"{self.home}/{self.name}"

    @property
    def pins(self) -> bool:
        """Its visitors stay with their release."""
        return self.sticky is not None and self.sticky.release

    @property
    def follows(self) -> str:
        """The key of the service whose place it takes; empty when it takes nobody's."""
        return f"{self.home}/{self.was}" if self.was else ""

    @property
    def claims(self) -> dict[str, float]:
        """Services whose routes are its own where both ask for them, since when: of two that claim each other's the
        later word counts.
        """
        return {**({self.follows: 0.0} if self.was else {}), **dict(self.takes)}
