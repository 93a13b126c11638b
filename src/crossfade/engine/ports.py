"""What the engine needs of the world. Every adapter passes the contract suite of its port in `tests/contract`.

Shaped so that one machine and AWS both fit: targets are registered and report their state, calls may be slow, may be
repeated, and may have done their work although they failed; every act carries the fencing token of the lease it is
done under, and an adapter refuses one that is older than a token it has seen (`StaleTokenError`).
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.core.counters import Counters
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service


class Clock(Protocol):
    """Time as the engine sees it: seconds since the epoch, and a wait that a simulation can shorten."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What `Runtime.build` made of a service's source: `digest` names it and finds it again."""

    digest: str
    version: str  # a label taken from the source: git describe, the image's tag; empty when it has none
    git_sha: str = ""
    notes: tuple[str, ...] = ()  # what who deploys should know of it: a tag that moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An instance as its runtime reports it, known again by what it carries, whoever started it."""

    id: str
    service: str  # app/service
    release: int
    address: str  # host:port; empty for a worker
    launched_at: float
    exited: bool = False
    stopping: bool = False
    detail: str = ""  # how it exited, with the last line it wrote, or what a platform says of its health
    health: Health | None = None  # where the platform checks it; None: it is probed at `address` by us
    blamed: bool = True  # its exit counts against its release; not when the machine took what it needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something of ours that runs, known by the mark it carries alone: nobody's list is needed for it.

    `id` is what `Runtime.stop` ends it by; `service` is empty where the mark does not say; `release` is the one it was
    launched from, None where an older crossfade started it, or where it is no instance.
    """

    id: str
    service: str  # app/service
    release: Release | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookResult:
    """How a user's command ended: its exit code, None where nobody saw it, and the last lines it wrote."""

    code: int | None
    output: str
    digest: str = ""  # of all that it wrote, where it was asked for that

    @property
    def words(self) -> str:
        """How it failed, with the last thing that it said."""
        last = next((line for line in reversed(self.output.splitlines()) if line.strip()), "it wrote nothing")
        if self.code is None:
            return f"ended, and nobody saw how: {last.strip()}"
        return f"failed with code {self.code}: {last.strip()}"


class Runtime(Protocol):
    """Who runs instances. Instances outlive the controller and are found again by `instances`."""

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        """Make the immutable artifact a release runs from; the same source gives the same digest and is built once.

        A build command finds `env` in its environment, and of ours only who and where we are.
        Raises WrongInputError for what the user can mend: no such folder, a build that fails, a missing image.
        """
        ...

    async def check(self, release: Release) -> None:
        """PlatformError when the artifact of a release is gone, or is not what was built."""
        ...

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:
        """Start an instance under this id; a repeated call with the same id changes nothing.

        It gets PORT, CROSSFADE_RELEASE (the number), CROSSFADE_VERSION, CROSSFADE_INSTANCE, CROSSFADE_APP and
        CROSSFADE_SERVICE, its env and its secrets.
        """
        ...

    async def instances(self, service: str) -> Sequence[Running]:
        """All instances of `app/service` that exist, and those that exited and were not stopped yet."""
        ...

    async def found(self) -> Sequence[Found]:
        """Everything of ours that this runtime runs, of whatever service: instances, and what was left behind.

        What a build or a hook does that runs now is not in it.
        """
        ...

    async def stop(self, instance: str, grace: float, token: int) -> bool:
        """SIGTERM, up to `grace` seconds, SIGKILL, and clear away; returns when it is gone, as an unknown id is.

        True when SIGKILL ended it: what it was at is lost.
        """
        ...

    async def execute(
        self, instance: str, release: Release, command: str, secrets: Mapping[str, str], limit: float
    ) -> HookResult:
        """Run a command beside an instance, in its environment and folder and as its user, `limit` seconds at most.

        Several may run at once. Its code is 124 when it was not over in time.
        """
        ...

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        """Run a command once in the release's own environment (a hook) and wait for it, `limit` seconds at most."""
        ...

    def logs(self, service: str, *, instance: str | None, lines: int, follow: bool) -> AsyncIterator[tuple[str, str]]:
        """Yield (instance id, line), oldest first: the last `lines` of each, then new ones while `follow`."""
        ...

    async def forget(self, release: Release, token: int) -> None:
        """This release's service needs its artifact no more; one that no service needs is removed."""
        ...

    def silent(self, address: str) -> str:
        """Why nobody answers at an instance's address: what it listens on instead. Empty when that is not known."""
        ...

    async def keep(self, service: str, digests: Collection[str]) -> None:
        """Told at every start: these are the artifacts that the ledger of `app/service` needs."""
        ...

    async def close(self) -> None:
        """Let go of connections; instances go on running."""
        ...


class JobRunner(Protocol):
    """Who runs jobs: commands that end, in a release's own environment, and that outlive the controller."""

    async def begin(self, run: str, release: Release, command: str, secrets: Mapping[str, str], token: int) -> None:
        """Start a run under this id; a repeated call changes nothing. What it writes is in the logs under its id."""
        ...

    async def outcome(self, run: str, release: Release) -> HookResult | None:
        """How a run ended, None while it is under way. Its code is None where nobody saw how it ended."""
        ...

    async def clear(self, run: str, release: Release, grace: float) -> None:
        """SIGTERM, up to `grace` seconds, SIGKILL where it is under way still; then forget all but what it wrote."""
        ...


class Sizer(Protocol):
    """A runtime that keeps so many instances of a release by itself (ECS, Auto Scaling): ids and victims are its own.

    Where there is one, `Runtime.launch` and `stop` are not called. An instance that it stops is taken out of the
    traffic and drained by the platform first, and one that fails is replaced by it. It keeps instances of at most
    `places` releases of a service at a time; None: of as many as there are.
    """

    places: int | None

    async def sizes(self, service: str) -> Mapping[int, int]:
        """By release of `app/service`, how many it was last told to keep; a release that it keeps none of may lack."""
        ...

    async def resize(self, release: Release, count: int, secrets: Mapping[str, str], token: int) -> None:
        """Keep `count` instances of `release` from now on; returns when that is on its way. Absolute: repeatable.

        What else changes counts on this platform rests from then on.
        """
        ...

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:
        """Nothing moves any more and `release` serves: what changes its count by itself may do so again.

        Returns the count that it had been brought to by that, None where nothing was at work.

        `warm` maps releases that are kept ready to when they may go: by then the platform sends them home, in case
        that nobody is there to do it. Absolute, and told again by whoever comes next.
        """
        ...


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
        Instances in `draining` finish what they hold. Returns the seconds from writing to confirmation.
        `checks` gives the health check of a release where it is not `service.health`.
        The same routing again is confirmed without a change. Raises PlatformError when it does not come about (a port
        in use names who holds it); then the old routing is still the one that runs.
        """
        ...

    async def report(self, service: str) -> Report:
        """Routing, in-flight and counters of `app/service`; an unknown service has an empty report.

        Failures are read from logs, which are written a little late: see `catch_up`.
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
        """Forget the service: its listener closes when nobody else uses it."""
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


class Secrets(Protocol):
    """Keeps the values of a release's secrets for as long as it can be started: a release goes back with its own."""

    def mark(self, service: str, values: Mapping[str, str]) -> str:
        """What tells these values of `app/service` from others and says nothing of them; empty for none."""
        ...

    def save(self, service: str, values: Mapping[str, str]) -> str:
        """Keep the values and return their mark, which the release carries."""
        ...

    def of(self, release: Release) -> Mapping[str, str]:
        """The values a release was deployed with. PlatformError when they are gone."""
        ...

    def forget(self, mark: str) -> None:
        """No release that could be started needs these any more; nothing happens when they are gone."""
        ...
