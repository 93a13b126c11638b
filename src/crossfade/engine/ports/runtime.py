"""The port of runtimes: who runs instances, and what they say of them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.telling.traces import telling


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
    stopping: bool = False  # in its grace; `exited` as well: its platform ends it for that, and it answers its last yet
    detail: str = ""  # how it exited, with the last line it wrote, or what a platform says of its health
    health: Health | None = None  # where the platform checks it; None: it is probed at `address` by us
    asked_at: str = ""  # where it is probed, when that is not its address
    # Its exit counts against its release, or while it starts that it takes so long; not when the machine took what it
    # needed, or nothing of the release was begun.
    blamed: bool = True
    final: bool = False  # another of its release would end the same way


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
        """How it failed, with what it said of that."""
        said = telling(self.output.splitlines()) or "it wrote nothing"
        if self.code is None:
            return f"ended, and nobody saw how: {said}"
        return f"failed with code {self.code}: {said}"


class Runtime(Protocol):
    """Whoever runs instances. They outlive the controller and are found again by `instances`."""

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        """Make the immutable artifact a release runs from; the same source gives the same digest and is built once.

        A build command finds `env` in its environment, and of ours only who and where we are.
        Raises WrongInputError for what the user can mend: no such folder, a build that fails, a missing image.
        """
        ...

    async def foresee(self, service: Service) -> Artifact | None:
        """What `build` would make now, where that shows without building or pulling anything; else None."""
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

    def logs(self, service: str, query: LogQuery) -> AsyncIterator[Said]:
        """Yield lines, oldest first, then new ones where the query follows. WrongInputError for an unknown instance."""
        ...

    async def forget(self, release: Release, token: int) -> None:
        """This release's service needs its artifact no more; one that no service needs is removed."""
        ...

    async def silent(self, address: str) -> str:
        """Why nobody answers at an instance's address: what it listens on instead. Empty when that is not known."""
        ...

    async def keep(self, service: str, digests: Collection[str]) -> None:
        """Told at every start: these are the artifacts that the ledger of `app/service` needs.

        So does what runs, of which a ledger from a backup may not know.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; instances go on running."""
        ...


class JobRunner(Protocol):
    """Who runs jobs: commands that end, in a release's own environment, and that outlive the controller."""

    async def ready(self, release: Release) -> None:
        """Do ahead what a run of this release needs before it begins; PlatformError when none could begin."""
        ...

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

        What else changes counts on this platform rests from then on. PlatformError, and nothing is changed but that,
        where `release` is to keep fewer and has grown since `sizes` told of it: who came may not serve yet, and which
        go is the platform's choice.
        """
        ...

    async def tend(self, service: str, token: int) -> None:
        """Do what is due by now of what `resize` began, here or in a process before us; returns at once.

        Told at each look. Nothing where the platform does the rest by itself.
        """
        ...

    async def renew(self, release: Release, token: int) -> None:
        """Have the instances of `release` replaced by new ones, each of which serves before an old one goes.

        Returns when that is on its way. RefusedError where there is nothing to replace.
        """
        ...

    async def break_off(self, release: Release, token: int) -> None:
        """Have what `renew` began of `release` go no further: whoever serves by now stays, and no other comes for it.

        Returns when that is on its way. Nothing where nothing of it is under way: repeatable.
        """
        ...

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:
        """Nothing moves any more and `release` serves: what changes its count by itself may do so again.

        Returns the count that it had been brought to by that, None where nothing was at work. A PlatformError that
        lasts says that somebody else's took the place of `release`: then nothing is changed.

        `warm` maps releases that are kept ready to when they may go: by then the platform sends them home, in case
        that nobody is there to do it. Absolute, and told again by whoever comes next.
        """
        ...

    async def name(self, release: Release, previous: Release | None, token: int) -> None:
        """Have the names that others find artifacts by say that `release` serves, and which good one was before it.

        Absolute, as `rest` is, and told after it. Nothing where the platform has no such names.
        """
        ...
