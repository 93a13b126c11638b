"""The base of `Runtime` and `Sizer` of two colours, be it services of ECS or Auto Scaling groups.

Of a colour only two things are ever changed, both absolute: how many it keeps, and of which definition. So a change
that is repeated, or whose answer was lost, changes nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import ClassVar, Protocol

from crossfade.core.errors import PlatformError, RefusedError, TakenError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.runtime import Artifact, Found, HookResult, Running
from crossfade.engine.ports.sizes import grew_meanwhile, grown
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.secrets import SecretPins
from crossfade.platforms.aws.sight import NOBODYS, Lookout, Side, Sight, Task, Unplaced


class Artifacts(Protocol):
    """Where what releases run from is kept: images in their registry, revisions in their bucket."""

    async def pinned(self, service: Service, env: Mapping[str, str], platform: str) -> Artifact:
        """That of a service as it is now, made first where it has to be. WrongInputError for what the user can mend."""
        ...

    async def require(self, release: Release) -> None:
        """PlatformError when that of a release is there no more."""
        ...

    async def follow(self, release: Release, previous: Release | None, before: Check) -> None:
        """Have their names say which release serves, and which good one is before it."""
        ...

    async def close(self) -> None: ...


class ColourRuntime(ABC):
    """What runs of one environment. A release is kept by the colour whose definition is its own."""

    places: int | None = 2  # colours
    noun: ClassVar[str]  # one of what runs
    told: ClassVar[str]  # who is told how many, and names and chooses them
    asked: ClassVar[str]  # who is asked for their health
    keeper: ClassVar[str]  # what keeps a colour

    def __init__(
        self, clients: Clients, lookout: Lookout, fence: Fence, *, artifacts: Artifacts, pins: SecretPins
    ) -> None:
        self._clients, self._lookout, self._fence = clients, lookout, fence
        self._artifacts, self._pins = artifacts, pins
        self._said: dict[str, dict[int, int]] = {}  # by service and release, the sizes that were told last

    @abstractmethod
    async def _suspend(self, sight: Sight, before: Check) -> None:
        """Have the platform's own scaling rest while we say how many there are."""

    @abstractmethod
    async def _register(self, release: Release, secrets: Mapping[str, str], sight: Sight, before: Check) -> str:
        """The name of the release's definition, made where there is none yet."""

    @abstractmethod
    async def _tell(self, sight: Sight, side: Side, definition: str, count: int, token: int) -> None:
        """One colour's definition and count; nothing when it has been told the same already."""

    @abstractmethod
    async def _stop_renewing(self, place: Place, side: Side, before: Check) -> None:
        """Have the platform replace nothing more of one colour."""

    @abstractmethod
    async def _discard(self, release: Release, held: Collection[str], before: Check) -> None:
        """Take the release's definitions away, but for those that are `held`."""

    async def check(self, release: Release) -> None:
        await self._artifacts.require(release)

    async def instances(self, service: str) -> Sequence[Running]:
        sight = await self._lookout.look(service, fresh=True)
        found = [_running(service, task) for task in sight.tasks if task.release != NOBODYS or task.stopping]
        short = [side for side in sight.sides.values() if side.release and side.live < side.wanted]
        return found + [_never_running(service, side, one) for side in short for one in side.unplaced]

    async def sizes(self, service: str) -> Mapping[int, int]:
        sight = await self._lookout.look(service)
        found: dict[int, int] = {}
        for side in sight.sides.values():
            if side.release and (side.wanted or side.live):
                found[side.number] = found.get(side.number, 0) + side.wanted
        self._said[service] = found
        return found

    async def resize(self, release: Release, count: int, secrets: Mapping[str, str], token: int) -> None:
        key = release.service.key
        sight = await self._lookout.look(key, fresh=True)
        before = partial(self._fence.check, key, token)
        await before()
        try:
            await self._suspend(sight, before)
            side = sight.side_of(release.number)
            if side and grew_meanwhile(count, self._said.get(key, {}).get(release.number, side.wanted), side.wanted):
                raise grown(release, side.wanted)
            if side is not None and (_is(release, side.release) or not count):
                await self._tell(sight, side, side.definition, count, token)
            elif count:
                free = side or await self._room(sight, release, token)
                await self._pins.hold(release, before)
                definition = await self._register(release, secrets, sight, before)
                await self._tell(sight, free, definition, count, token)
            self._said.setdefault(key, {})[release.number] = count
        finally:
            self._lookout.changed(key)

    async def tend(self, service: str, token: int) -> None:  # noqa: B027  most have nothing more to do
        """Nothing: what runs a colour does the rest by itself."""

    async def break_off(self, release: Release, token: int) -> None:
        key = release.service.key
        before = partial(self._fence.check, key, token)
        await before()
        sight = await self._lookout.look(key, fresh=True)
        side = sight.side_of(release.number)
        if side is not None:
            await self._stop_renewing(sight.place, side, before)
            self._lookout.changed(key)

    def _require_ours(self, sight: Sight, release: Release) -> None:
        """TakenError where visitors get to what is nobody's release, and the one on record is kept no more."""
        side = sight.side_of(release.number)
        if side is not None and side.wanted:
            return
        for other in sight.sides.values():
            if other.release is None and other.wanted and other.weight:
                kept, definition = sight.place.colour(other.colour).service, other.definition.rpartition("/")[2]
                raise TakenError(
                    f"somebody else changed {self.keeper} {kept}: it keeps {other.wanted} of {definition}, which "
                    f"crossfade did not make, and release {release.label} is gone",
                    "see that nothing else deploys here; `crossfade deploy --force` brings a release in its place",
                )

    async def _keeps(self, release: Release) -> tuple[Place, Side]:
        """The colour that keeps a release. RefusedError where none does."""
        sight = await self._lookout.look(release.service.key, fresh=True)
        side = sight.side_of(release.number)
        if side is None or not side.wanted:
            raise RefusedError(f"no {self.noun} of {release.service.key} runs from release {release.label}")
        return sight.place, side

    async def name(self, release: Release, previous: Release | None, token: int) -> None:
        await self._artifacts.follow(release, previous, partial(self._fence.check, release.service.key, token))

    async def foresee(self, service: Service) -> Artifact | None:  # noqa: ARG002
        """Only the registry and the group say, and only to who deploys."""
        return None

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be launched: {self.told}, and names them itself")

    async def stop(self, instance: str, grace: float, token: int) -> bool:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be stopped: {self.told}, and chooses which go")

    async def execute(self, instance: str, *_: object, **__: object) -> HookResult:
        raise PlatformError(f"nothing can be run beside {instance}: {self.asked} has to be asked for its health")

    async def found(self) -> Sequence[Found]:
        """Nothing: what runs is where Terraform made a place for it, and these are asked one by one."""
        return []

    async def forget(self, release: Release, token: int) -> None:
        key = release.service.key
        before = partial(self._fence.check, key, token)
        await before()
        sight = await self._lookout.look(key)
        runs = next((task.id for task in sight.tasks if task.release == release.number and not task.gone), "")
        side = sight.side_of(release.number)
        if runs or (side is not None and side.wanted):
            raise RefusedError(f"{self.noun} {runs or 'of it'} runs from release {release.label}")
        await self._discard(release, {side.definition for side in sight.sides.values()}, before)
        await self._pins.let_go(release, before)

    async def silent(self, address: str) -> str:  # noqa: ARG002  the load balancer says what it hears
        return ""

    async def keep(self, service: str, digests: Collection[str]) -> None:  # noqa: B027  nobody has more to do
        """Nothing: images are the repository's to keep, by its own rule."""

    async def close(self) -> None:
        """The clients belong to whoever made them."""
        await self._artifacts.close()

    async def _room(self, sight: Sight, release: Release, token: int) -> Side:
        """A colour that is empty."""
        side = sight.free()
        if side is None:
            await self._send_home(sight, token)
            kept = ", ".join(
                f"{s.colour} by {s.release.label if s.release else 'nobody'}" for s in sight.sides.values()
            )
            raise PlatformError(
                f"there is no colour yet for release {release.label} of {sight.place.key}: they are taken, {kept}",
                "it goes on when one of them is empty",
            )
        return side

    async def _send_home(self, sight: Sight, token: int) -> None:
        """What ran here before us, once visitors do not get there any more."""
        for side in sight.sides.values():
            if side.release is None and side.wanted and not side.weight:
                await self._tell(sight, side, side.definition, 0, token)


def _is(release: Release, kept: Release | None) -> bool:
    """Not only its number: where a journal was lost they begin anew."""
    known = kept and (kept.number, kept.digest, kept.config_hash, kept.secrets)
    return known == (release.number, release.digest, release.config_hash, release.secrets)


def _never_running(service: str, side: Side, one: Unplaced) -> Running:
    """What could not be begun, as one that ended at once: a verdict has to know why there are too few."""
    return Running(
        id=one.id,
        service=service,
        release=side.number,
        address="",
        launched_at=one.at,
        exited=True,
        detail=one.why,
        blamed=False,
    )


def _running(service: str, task: Task) -> Running:
    return Running(
        id=task.id,
        service=service,
        release=task.release,
        address=task.address,
        launched_at=task.launched_at,
        exited=task.exited and task.release != NOBODYS,  # how others' end is nobody's business
        stopping=task.stopping,
        detail=task.detail,
        health=task.health,
        blamed=task.blamed,
        final=task.final,
    )
