"""`Runtime` and `Sizer` on ECS: two services by colour, each told how many tasks of which definition to keep.

What another tool had run here before is nobody's release: it serves until one of ours does, and then goes.

Only two things are ever changed, both absolute: a service's desired count and its definition. So a change that is
repeated, or whose answer was lost, changes nothing; and ECS takes a task out of the load balancer, lets its requests
end and only then stops it, which StopTask would not.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial

from crossfade.core.errors import PlatformError, RefusedError, TakenError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.runtime import Artifact, Found, HookResult, Running
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.ecs.definition import platform, require_told
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.ecs.errand import Errands
from crossfade.platforms.aws.ecs.logs import Logs
from crossfade.platforms.aws.ecs.scaling import Scaling
from crossfade.platforms.aws.images.images import Images
from crossfade.platforms.aws.secrets import Pins
from crossfade.platforms.aws.sight import NOBODYS, Lookout, Side, Sight, Task, Unplaced
from crossfade.platforms.aws.snapshots import Snapshots


class EcsRuntime:
    """The tasks of one environment. A release is kept by the colour whose definition is its own."""

    places: int | None = 2  # colours

    def __init__(
        self,
        clients: Clients,
        lookout: Lookout,
        definitions: Definitions,
        fence: Fence,
        *,
        errands: Errands,
        images: Images,
        logs: Logs,
        scaling: Scaling,
        pins: Pins,
        snapshots: Snapshots,
    ) -> None:
        self._clients, self._lookout, self._definitions, self._fence = clients, lookout, definitions, fence
        self._snapshots = snapshots
        self._errands, self._images, self._logs, self._scaling, self._pins = errands, images, logs, scaling, pins

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        sight = await self._lookout.look(service.key, fresh=True)  # says what of its place is missing, at once
        template, _ = await self._definitions.template(service.key)
        require_told(template, sight.place.container, service)
        return await self._images.pinned(service, env or {}, platform(template))

    async def check(self, release: Release) -> None:
        await self._images.require(release)

    async def instances(self, service: str) -> Sequence[Running]:
        sight = await self._lookout.look(service, fresh=True)
        tasks = [_running(service, task) for task in sight.tasks if task.release != NOBODYS or task.stopping]
        short = [side for side in sight.sides.values() if side.release and side.live < side.wanted]
        return tasks + [_never_running(service, side, one) for side in short for one in side.unplaced]

    async def sizes(self, service: str) -> Mapping[int, int]:
        sight = await self._lookout.look(service)
        found: dict[int, int] = {}
        for side in sight.sides.values():
            if side.release and (side.wanted or side.live):
                found[side.number] = found.get(side.number, 0) + side.wanted
        return found

    async def resize(self, release: Release, count: int, secrets: Mapping[str, str], token: int) -> None:
        key = release.service.key
        sight = await self._lookout.look(key, fresh=True)
        before = partial(self._fence.check, key, token)
        await before()
        try:
            await self._scaling.suspend(sight.place, before)
            side = sight.side_of(release.number)
            if side is not None and (_is(release, side.release) or not count):
                await self._tell(sight, side, side.definition, count, token)
            elif count:
                free = side or await self._room(sight, release, token)
                await self._pins.hold(release, before)
                definition = await self._definitions.register(release, secrets, sight.place.container, before)
                await self._tell(sight, free, definition.arn, count, token)
        finally:
            self._lookout.changed(key)

    async def rest(self, release: Release, warm: Mapping[int, float], token: int) -> int | None:
        sight = await self._lookout.look(release.service.key)
        before = partial(self._fence.check, release.service.key, token)
        _require_ours(sight, release)
        await self._send_home(sight, token)
        return await self._scaling.resume(sight, release.number, warm, before)

    async def name(self, release: Release, previous: Release | None, token: int) -> None:
        await self._images.follow(release, previous, partial(self._fence.check, release.service.key, token))

    async def launch(self, instance: str, release: Release, secrets: Mapping[str, str], token: int) -> None:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be launched: ECS is told how many tasks to keep, and names them itself")

    async def stop(self, instance: str, grace: float, token: int) -> bool:  # noqa: ARG002
        raise PlatformError(f"{instance} cannot be stopped: ECS is told how many tasks to keep, and chooses which go")

    async def execute(
        self,
        instance: str,
        release: Release,  # noqa: ARG002
        command: str,  # noqa: ARG002
        secrets: Mapping[str, str],  # noqa: ARG002
        limit: float,  # noqa: ARG002
    ) -> HookResult:
        raise PlatformError(f"nothing can be run beside {instance}: ECS itself has to be asked for its health")

    async def found(self) -> Sequence[Found]:
        """Nothing: what runs is in the services that Terraform made, and these are asked one by one."""
        return []

    async def run(
        self, release: Release, command: str, secrets: Mapping[str, str], env: Mapping[str, str], limit: float
    ) -> HookResult:
        key, service = release.service.key, release.service
        if service.snapshot and command == service.hooks.migrate:
            await self._snapshots.take(release, limit, _free)
        sight = await self._lookout.look(key)
        side = sight.side_of(release.number)
        if side is not None:
            definition = await self._definitions.of(side.definition, sight.place.container)
        else:  # before its first task: a migration comes ahead of them
            definition = await self._definitions.register(release, secrets, sight.place.container, _free)
        return await self._errands.run(sight.place, definition, command, env, limit)

    def logs(self, service: str, *, instance: str | None, lines: int, follow: bool) -> AsyncIterator[tuple[str, str]]:
        return self._logs.read(service, instance=instance, lines=lines, follow=follow)

    async def forget(self, release: Release, token: int) -> None:
        key = release.service.key
        before = partial(self._fence.check, key, token)
        await before()
        sight = await self._lookout.look(key)
        runs = next((task.id for task in sight.tasks if task.release == release.number and not task.exited), "")
        side = sight.side_of(release.number)
        if runs or (side is not None and side.wanted):
            raise RefusedError(f"task {runs or 'of it'} runs from release {release.label}")
        held = {side.definition for side in sight.sides.values()}
        for arn in await self._definitions.registered(release):
            if arn not in held:
                await self._definitions.deregister(arn, before)
        await self._pins.let_go(release, before)

    def silent(self, address: str) -> str:  # noqa: ARG002  the load balancer says what it hears
        return ""

    async def keep(self, service: str, digests: Collection[str]) -> None:
        """Nothing: images are the repository's to keep, by its own rule."""

    async def close(self) -> None:
        """The clients belong to whoever made them."""
        await self._images.close()

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

    async def _tell(self, sight: Sight, side: Side, definition: str, count: int, token: int) -> None:
        """One service's definition and count; nothing when it has been told the same already."""
        anew = side.failed and count > 0 and side.definition == definition
        if (side.definition, side.wanted) == (definition, count) and not anew:
            return
        place, key = sight.place, sight.place.key
        await self._clients.call(
            "ecs",
            "update_service",
            partial(self._fence.check, key, token),
            cluster=place.cluster,
            service=place.colour(side.colour).service,
            taskDefinition=definition,
            desiredCount=count,
            forceNewDeployment=anew,
        )


async def _free() -> None: ...


def _require_ours(sight: Sight, release: Release) -> None:
    """TakenError where visitors get to what is nobody's release, and the one on record is kept no more."""
    side = sight.side_of(release.number)
    if side is not None and side.wanted:
        return
    for other in sight.sides.values():
        if other.release is None and other.wanted and other.weight:
            service, definition = sight.place.colour(other.colour).service, other.definition.rpartition("/")[2]
            raise TakenError(
                f"another hand changed service {service}: it keeps {other.wanted} of {definition}, which crossfade did "
                f"not make, and release {release.label} is gone",
                "see that nothing else deploys here; `crossfade deploy --force` brings a release in its place",
            )


def _is(release: Release, kept: Release | None) -> bool:
    """Not only its number: where a journal was lost they begin anew."""
    known = kept and (kept.number, kept.digest, kept.config_hash, kept.secrets)
    return known == (release.number, release.digest, release.config_hash, release.secrets)


def _never_running(service: str, side: Side, one: Unplaced) -> Running:
    """What ECS could not begin, as one that ended at once: a verdict has to know why there are too few."""
    return Running(
        id=one.id,
        service=service,
        release=side.number,
        address="",
        launched_at=one.at,
        exited=True,
        stopping=False,
        detail=one.why,
        health=None,
        blamed=False,
    )


def _running(service: str, task: Task) -> Running:
    return Running(
        id=task.id,
        service=service,
        release=task.release,
        address=task.address,
        launched_at=task.launched_at,
        exited=task.exited,
        stopping=task.stopping,
        detail=task.detail,
        health=task.health,
        blamed=task.blamed,
    )
