"""Deploys: admitted, built, put on record, and begun as one rollout or as one release group."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from crossfade.controller import admission, rollouts
from crossfade.controller.deploys.builds import Builds
from crossfade.controller.groups import moves
from crossfade.controller.groups.groups import Groups
from crossfade.controller.order import Order, Shell
from crossfade.controller.registry import LoopRegistry
from crossfade.controller.releases import release_of, rollout_to
from crossfade.controller.values import Values
from crossfade.core.errors import CrossfadeError, RefusedError, UnchangedError, WrongInputError
from crossfade.core.group import Group
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import Service
from crossfade.engine.loop import Loop
from crossfade.engine.ports.runtime import Artifact
from crossfade.telling.text import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a deploy began: a rollout, or a group when several services change. `unchanged` says which do not."""

    rollout: Rollout | None = None
    group: Group | None = None
    unchanged: tuple[str, ...] = ()


Before = Callable[[Sequence[Release]], Awaitable[None]]
"""What is done with the releases of a deploy before they are on record; a failure ends it, and nothing was changed."""


async def nothing(_releases: Sequence[Release]) -> None:
    """Where no store has to be backed up."""


class Deploys:
    """Brings new releases of services, one at a time an app's service."""

    def __init__(self, registry: LoopRegistry, groups: Groups, values: Values) -> None:
        self.builds = Builds(registry.world.clock)
        self._users = Counter[str]()  # by service, deploys of it that somebody has asked for and that are not over
        self._registry = registry
        self._groups = groups
        self._values = values
        self._world = registry.world

    async def deploy(self, services: Sequence[Service], order: Order, shell: Shell, before: Before = nothing) -> Begun:
        """Build releases of services of one app and begin their rollouts; returns once these are on record.

        Services come in the order in which they are to go out. Refused while another rollout runs, unless the order
        supersedes it: then that one is taken back first. A deploy that is refused leaves nothing behind.
        """
        over, keys = asyncio.Event(), [service.key for service in services]
        self._users.update(keys)
        try:
            return await self._deploy(services, order, shell, before, over)
        except CrossfadeError:
            await self._leave_nothing(keys)
            raise
        finally:
            self._users.subtract(keys)
            over.set()

    async def _deploy(
        self, services: Sequence[Service], order: Order, shell: Shell, before: Before, over: asyncio.Event
    ) -> Begun:
        loops = [await self._registry.take_up(service.key) for service in services]
        services = moves.claimed(services, await self._world.balancer.known(), self._world.clock.now())
        if order.supersede:
            await self.builds.stop([loop.key for loop in loops], f"superseded by {order.by}")
        for loop, service in zip(loops, services, strict=True):
            self.may_begin(loop, order)
            admission.same_kind(loop.ledger, service)
            self._may_follow(service, order)
        await self.require_apart(services)
        await self.require_room({service: service.replicas for service in services})
        values = await self._values.of_all(services, shell)
        async with AsyncExitStack() as held:
            for loop in sorted(loops, key=lambda loop: loop.key):
                await held.enter_async_context(loop.artifacts)
            work = self._build(services, order, shell, values)
            artifacts = await self.builds.run([loop.key for loop in loops], order.by, work, over)
            for loop in loops:
                self.may_go_on(loop, order)
                if self._world.sizers:  # its size may be another one than is on record: the first step tells
                    await loop.until(lambda loop: loop.knows_its_size)
                if (stuck := loop.hopeless or loop.without) and not order.force:
                    raise stuck
            await self.require_apart(services)
            await self.take_back(loops, order, f"superseded by {order.by}")
            for loop in loops:
                self.may_go_on(loop, order)
            return await self._begin(loops, services, artifacts, order, values=values, before=before)

    async def _leave_nothing(self, keys: Sequence[str]) -> None:
        """Of services that have no release, unless another deploy is about to bring them one."""
        for key in keys:
            loop = self._registry.loops.get(key)
            if loop is None or self._users[key] > 1 or self._registry.leaves(key):
                continue
            if loop.ledger.removed or not loop.ledger.releases:
                await self._registry.drop(loop)

    async def require_apart(self, services: Sequence[Service], together: Sequence[str] = ()) -> None:
        """RefusedError when one could not be reached beside what the balancer serves already, or has no port left.

        `together` are keys of other services that change in the same deploy.
        """
        known = await self._world.balancer.known()
        admission.apart(services, known, together)
        wanted = {service.key: service for service in services if service.kind == "web"}
        self._world.openable(wanted.values(), [one.service for key, one in known.items() if key not in wanted])

    async def require_room(self, replicas: Mapping[Service, int]) -> None:
        """RefusedError when that many instances of each cannot run beside everything else."""
        more: Counter[str] = Counter()
        for service, wanted in replicas.items():
            running = await self._world.runtimes[service.runtime].instances(service.key)
            more[service.runtime] += max(0, wanted - len(running))
        for runtime, number in more.items():
            self._world.room(runtime, number)

    async def unchanged(self, service: Service, shell: Shell) -> str:
        """Why a deploy of it would do nothing; empty where it would, or where only building it shows that."""
        loop = self._registry.loops.get(service.key)
        if loop is None or loop.ledger.current is None:
            return ""
        try:
            made = await self._world.runtimes[service.runtime].foresee(service)
            if made is None:
                return ""
            values = await self._values.of_all([service], shell)
            mark = self._values.mark(service, values[service.key])
            release_of(self._values.marked(loop.ledger), service, made, Order(by=""), mark)
        except UnchangedError as error:
            return error.cause
        except WrongInputError:  # a folder or a value is missing, which a deploy says
            return ""
        return ""

    def may_begin(self, loop: Loop, order: Order, *, stops: bool = False, can_supersede: bool = True) -> None:
        """RefusedError when no rollout of this service may begin now.

        A build is not in the way of who `stops` it first. `can_supersede`: the order is of a kind that may, and is told
        how.
        """
        admission.may_begin(loop.ledger, order, can_supersede=can_supersede)
        build = self.builds.of(loop.key)
        if build and not stops:
            raise RefusedError(
                f"{build.by} has been building a release of {loop.key} since {clock(build.since)}",
                admission.way_past("stop it first", can_supersede=can_supersede),
            )
        if self._registry.leaves(loop.key):
            raise RefusedError(f"{loop.key} is being taken down", "wait until it is gone: `crossfade status`")
        group = self._groups.active(loop.key.split("/")[0])
        if group and group.member(loop.key) and not order.supersede:
            raise RefusedError(
                f"release group {group.id} of {group.app} by {group.by or 'somebody'} has been "
                f"{group.state.replace('_', ' ')} since {clock(group.started_at)}",
                admission.way_past("take it back first", can_supersede=can_supersede),
            )

    def may_go_on(self, loop: Loop, order: Order) -> None:
        """The same after a wait, in which somebody may have taken it down."""
        if self._registry.loops.get(loop.key) is not loop:
            raise RefusedError(f"{loop.key} was taken down meanwhile", "`crossfade deploy` brings it back")
        self.may_begin(loop, order)

    def _may_follow(self, service: Service, order: Order) -> None:
        """RefusedError while the service whose place it takes is not to be touched."""
        old = self._registry.loops.get(service.follows)
        if old is not None:
            self.may_begin(old, replace(order, supersede=False), can_supersede=False)

    async def take_back(self, loops: Sequence[Loop], order: Order, reason: str) -> None:
        """The newer order wins: what is under way is taken back completely before anything else begins."""
        for loop in loops:
            group = self._groups.active(loop.key.split("/")[0])
            if group and group.member(loop.key):
                await self._groups.abort(group.app, reason)
                await self._groups.ended(group)
            if loop.key in self._registry.loops:  # of a first deploy nothing is left once its group went back
                await rollouts.take_back(loop, order.by, reason)

    async def stop(self, keys: Sequence[str], why: str) -> list[str]:
        """Stop builds that are under way: which these were."""
        return await self.builds.stop(keys, why)

    async def _build(
        self, services: Sequence[Service], order: Order, shell: Shell, values: Mapping[str, Mapping[str, str]]
    ) -> list[Artifact]:
        """With what the deploying shell brought along and nothing of the controller's, which may be weeks old."""
        path = {"PATH": order.path} if order.path else {}
        return [
            await self._world.runtimes[service.runtime].build(
                service, {**path, **shell.environment, **values[service.key]}
            )
            for service in services
        ]

    async def _begin(
        self,
        loops: Sequence[Loop],
        services: Sequence[Service],
        artifacts: Sequence[Artifact],
        order: Order,
        *,
        values: Mapping[str, Mapping[str, str]],
        before: Before,
    ) -> Begun:
        changed: list[tuple[Loop, Release]] = []
        unchanged: list[UnchangedError] = []
        for loop, service, artifact in zip(loops, services, artifacts, strict=True):
            try:
                mark = self._values.mark(service, values[service.key])
                changed.append((loop, release_of(self._values.marked(loop.ledger), service, artifact, order, mark)))
            except UnchangedError as error:
                unchanged.append(error)
        if not changed:
            one = unchanged[0] if len(unchanged) == 1 else None
            raise one or UnchangedError("all services already run exactly this", "change something, or use --force")
        notes = {loop.key: artifact.notes for loop, artifact in zip(loops, artifacts, strict=True)}
        await before([release for _, release in changed])
        for loop, release in changed:
            self._values.keep(release.service, values[loop.key])
            await rollouts.add(loop, release, notes[loop.key])
        same = tuple(error.cause for error in unchanged)
        if len(changed) == 1:
            loop, release = changed[0]
            rollout = rollout_to(loop.ledger, release, order, self._world.clock.now())
            return Begun(rollout=await rollouts.begin(self._world.balancer, loop, rollout), unchanged=same)
        app = loops[0].key.split("/")[0]
        return Begun(group=await self._groups.begin(app, moves.members(changed), order), unchanged=same)
