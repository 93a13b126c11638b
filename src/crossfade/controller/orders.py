"""The verbs: what a user can ask for. Each asks whether it may, writes it down, and leaves the rest to the loop."""

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack

from crossfade.controller import admission, rollouts
from crossfade.controller.deploys.deploys import Begun, Deploys
from crossfade.controller.groups.groups import Groups
from crossfade.controller.groups.handovers import Handovers
from crossfade.controller.leftovers import Leftovers
from crossfade.controller.order import Order, Shell
from crossfade.controller.registry import LoopRegistry
from crossfade.controller.releases import back_by_name, rollback_to
from crossfade.controller.stores.stores import Stores
from crossfade.controller.values import WHERE, Kept, Values, no_value, nothing_kept
from crossfade.controller.visits import Visits
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, StaleTokenError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import Service
from crossfade.core.store import Store
from crossfade.engine.ledger import Ledger
from crossfade.engine.loop import Loop
from crossfade.engine.ports.seats import Seat
from crossfade.engine.ports.secrets import Secrets
from crossfade.engine.world import World

RESTART_EXITS = 3  # of new instances, after which the old ones are left as they are


class Orders:
    """Orders to the services of one machine, and what carries them out."""

    def __init__(self, world: World, holder: str, secrets: Secrets, kept: Kept = nothing_kept) -> None:
        self.registry = LoopRegistry(world, holder)
        self.leftovers = Leftovers(self.registry)
        self.groups = Groups(self.registry, holder)
        self.stores = Stores(self.registry, holder)
        values = self._values = Values(self.registry, secrets, kept)
        self.registry.listeners.append(values.tell)
        self._handovers = Handovers(self.registry, self.groups)
        self.deploys = Deploys(self.registry, self.groups, values)
        self.visits = Visits(self.registry)
        self._world = self.registry.world

    async def start(self) -> None:
        """Pick up everything where the journal left it, and what no journal knows."""
        await self.registry.start(further=self.leftovers.further)
        await self.leftovers.take_up()
        await self.groups.start()
        await self.stores.start()
        self.registry.supervisor.keep("the look for what runs unknown", self.leftovers.watch)
        self.registry.supervisor.keep("the end of what was succeeded", self._handovers.watch)

    async def know(self) -> None:
        """Know of everything as the journal left it, and look after none of it until it is held."""
        await self.registry.start(carry=False)
        await self.groups.start(carry=False)

    async def close(self) -> None:
        """Stop looking after all of it; all of it goes on serving."""
        await self.registry.close()
        await self.groups.close()
        await self.stores.close()

    async def require_values(
        self,
        services: Sequence[Service],
        shell: Shell,
        stores: Sequence[Store],
        *,
        replace: bool,
        channels: Sequence[str] = (),
    ) -> None:
        """WrongInputError that names every value that nobody gave: of services, of stores that would be made, and of
        `channels`, which says it.
        """
        lacking = await self.stores.lacking(stores, shell.secrets_of, replace=replace)
        said = [no_value(names, f"the store {key}") for key, names in lacking.items()]
        if not said and not channels:
            return  # of services alone the deploy says it
        try:
            await self._values.of_all(services, shell)
        except WrongInputError as error:
            said.append(error.cause)
        raise WrongInputError("; ".join([*said, *channels]), WHERE)

    def may_deploy(self, services: Sequence[Service], order: Order) -> None:
        """RefusedError while no rollout of one of them may begin: locked, or under way already."""
        for service in services:
            if (loop := self.registry.loops.get(service.key)) is not None:
                self.deploys.may_begin(loop, order, stops=order.supersede)

    async def deploy(
        self, services: Sequence[Service], order: Order, shell: Shell, stores: Sequence[Store] = ()
    ) -> Begun:
        """Bring new releases of services of one app: see `Deploys.deploy`. Before a migration stores are backed up."""
        kept = [store for store in stores if store.backup]

        async def before(releases: Sequence[Release]) -> None:
            if any(release.service.hooks.migrate for release in releases):
                for store in kept:
                    await self.stores.backup(store, order.by)

        return await self.deploys.deploy(services, order, shell, before)

    async def rollback(self, loop: Loop, to: str, order: Order) -> Rollout:
        """Go to an earlier release: the last good one, or the one named.

        A service that has none of its own but took another's place gives it back: the rollout is that one's.
        """
        if order.supersede:
            await self.deploys.stop([loop.key], f"superseded by {order.by}")
        self.deploys.may_begin(loop, order)
        if to == "previous" and loop.ledger.previous is None and (earlier := self.registry.predecessor(loop.ledger)):
            return await self._give_back(loop, earlier, order)
        target = admission.destination(loop.ledger, to, order)
        await self.deploys.require_apart([target.service])
        await self._require_artifact(target)
        async with loop.artifacts:
            self.deploys.may_go_on(loop, order)
            await self.deploys.take_back([loop], order, f"superseded by {order.by}")
            self.deploys.may_go_on(loop, order)
            return await rollouts.begin(
                self._world.balancer, loop, rollback_to(loop.ledger, target, order, self._world.clock.now())
            )

    async def _give_back(self, heir: Loop, earlier: Ledger, order: Order) -> Rollout:
        """The last good release under the earlier name takes the place of the service that took its own.

        Of two at once, or one after the other, the second meets the first one's rollout, which is the earlier name's.
        """
        target = admission.destination(earlier, "previous", order)
        admission.unmigrated(heir.ledger.releases, target, order)
        await self._require_artifact(target)
        async with heir.artifacts:
            self.deploys.may_go_on(heir, order)
            before = [loop] if (loop := self.registry.loops.get(earlier.service)) else []
            for loop in before:
                self.deploys.may_begin(loop, order)
            await self.deploys.take_back([*before, heir], order, f"superseded by {order.by}")
            self.deploys.may_go_on(heir, order)
            earlier = self.registry.ledger(earlier.service)
            release = back_by_name(earlier, target, heir.key, order, self._world.clock.now())
            await self.deploys.require_apart([release.service])
            await self.deploys.require_room({release.service: release.service.replicas})
            loop = await self.registry.take_up(earlier.service)
            await rollouts.add(loop, release)
            return await rollouts.begin(
                self._world.balancer, loop, rollback_to(loop.ledger, release, order, self._world.clock.now())
            )

    async def scale(self, loop: Loop, replicas: int, order: Order) -> None:
        """Change how many instances a service has, until it is scaled again."""
        if replicas < 0:
            raise WrongInputError(f"{loop.key} cannot have {replicas} instances", "0 or more")
        admission.idle(loop.ledger, "scale when it is done")
        await self.deploys.require_room({admission.running(loop.ledger).service: replicas})
        await loop.record("service scaled", {"replicas": replicas, "by": order.by})
        loop.wake()

    async def restart(self, loop: Loop, order: Order) -> None:
        """Replace the instances of the release that runs, one by one or as many as its strategy lets go at once."""
        admission.idle(loop.ledger, "restart when it is done")
        self.deploys.may_begin(loop, order, can_supersede=False)
        release = admission.running(loop.ledger)
        if not loop.ledger.wanted:
            name = loop.key.partition("/")[2]
            raise RefusedError(f"{loop.key} has no instances to restart", f"`crossfade scale {name}=1` starts one")
        await loop.until(lambda loop: loop.observed_at > 0.0 or loop.hopeless is not None)
        if loop.hopeless:
            raise loop.hopeless
        old = [i.id for i in loop.fleet.of(release.number) if i.up]
        await loop.record("service restarted", {"instances": old, "by": order.by})
        sizer = self._world.sizers.get(release.service.runtime)
        if sizer is not None:
            try:
                await sizer.renew(release, loop.token)
            except CrossfadeError:
                await loop.record("service restarted", {"instances": [], "by": ""})
                raise
        loop.wake()

    async def restarted(self, loop: Loop) -> str:
        """Wait until a restart is over; why it was given up, empty when all instances are new ones.

        New ones that exit time and again end it, or that do not get healthy in the time of as many batches: the old
        ones go on serving.
        """
        began, exits, clock = loop.ledger.outdated, len(loop.ledger.exits), self._world.clock
        service = admission.running(loop.ledger).service
        limit = max(1, len(began)) * (service.strategy.timeout + service.strategy.warmup + service.drain)
        until, failed = clock.now() + limit, ""

        def over(loop: Loop) -> bool:
            nonlocal failed
            new = [e for e in loop.ledger.exits[exits:] if e.instance not in began]
            if len(new) >= RESTART_EXITS:
                failed = f"exited {RESTART_EXITS} times: {new[-1].detail}"
            elif clock.now() > until:
                failed = f"were not all healthy within {limit:g} s"
            return loop.ledger.removed or loop.ledger.outdated != began or _is_fresh(loop) or bool(failed)

        await loop.until(over)
        if loop.ledger.removed:
            return f"{loop.key} was taken down meanwhile"
        if failed and loop.ledger.outdated == began:
            return f"new instances of {loop.key} {failed}{await self._give_up_restart(loop, began)}"
        return "" if loop.ledger.outdated == began else "something else began meanwhile"

    async def _give_up_restart(self, loop: Loop, began: Collection[str]) -> str:
        """It ends on record once the platform, where that replaces them, was told to try no more; else why not."""
        release = admission.running(loop.ledger)
        try:
            if sizer := self._world.sizers.get(release.service.runtime):
                await sizer.break_off(release, loop.token)
        except StaleTokenError:
            raise
        except CrossfadeError as error:
            return f"; the platform goes on trying, because it could not be told to stop: {error}"
        if loop.ledger.outdated == began:  # else another one began meanwhile
            await loop.record("service restarted", {"instances": [], "by": ""})
            loop.wake()
        return ""

    async def tag(self, loop: Loop, word: str, tag: str, order: Order) -> tuple[Release, int | None]:
        """Name a release, so that it is kept and can be rolled back to by that name. Also which one had the name."""
        release = loop.ledger.select(word)
        admission.tag_name(tag)
        admission.has_files(loop.ledger, release)
        before = loop.ledger.tags.get(tag)
        await loop.record("release tagged", {"tag": tag, "release": release.number, "by": order.by})
        return release, before

    async def promote(self, loop: Loop, order: Order) -> None:
        await self._tell(loop, "rollout promoted", order)

    async def pause(self, loop: Loop, order: Order) -> None:
        await self._tell(loop, "rollout paused", order)

    async def resume(self, loop: Loop, order: Order) -> None:
        await self._tell(loop, "rollout resumed", order)

    async def abort(self, app: str, service: str | None, order: Order, reason: str = "") -> list[str]:
        """Stop what is being built, or take back what is under way; returns the services meant.

        Of a release group all of it goes back, whichever service is named.
        """
        why = reason or f"aborted by {order.by}"
        group = self.groups.active(app)
        if group and (service is None or group.member(f"{app}/{service}")):
            await self.groups.abort(app, why)
            return [member.service for member in group.members]
        building = [b.service for b in self.deploys.builds.under_way() if b.service.split("/")[0] == app]
        stopped = await self.deploys.stop([key for key in building if service in {None, key.split("/")[1]}], why)
        if stopped:
            return stopped
        loop = self.registry.find(app, service)
        admission.under_way(loop.ledger)
        await rollouts.abort(loop, order.by, why)
        return [loop.key]

    async def lock(self, loop: Loop, reason: str, order: Order) -> None:
        """Forbid rollouts of a service until it is unlocked."""
        admission.thawed(loop.ledger, order)
        await loop.record("service locked", {"by": order.by, "reason": reason})

    async def unlock(self, loop: Loop, order: Order) -> None:
        await loop.record("service unlocked", {"by": order.by})

    async def down(self, app: str | None, service: str | None, order: Order) -> list[str]:
        """Stop services for good: no traffic, drained, stopped, forgotten by the balancer. Returns what was stopped.

        One service, an app's, or all of them. What runs unknown goes with its app, and builds are stopped. Refused
        where one is locked, and in the middle of a rollout; with force it is taken back first.
        """
        loops = [loop for loop in self.registry.of(app) if service in {None, loop.key.split("/")[1]}]
        unknown = [] if service else [one for one in self.leftovers.unknown if app in {None, one.app}]
        if app and service and f"{app}/{service}" in self.stores.records:
            return await self._end_store(app, service, order)
        kept = () if service else await self.stores.found(app)
        if app and not loops and not unknown and not kept:
            self.registry.find(app, service)
        for loop in loops:
            admission.thawed(loop.ledger, order)
            if not order.force:
                admission.idle(loop.ledger, "abort it first, or use --force")
        await self.deploys.stop([loop.key for loop in loops], f"taken down by {order.by}")
        loops = [loop for loop in loops if loop.key in self.registry.loops]  # a first build leaves nothing behind
        await self._take_down(loops, order)
        for loop in loops:
            await self.registry.gone(loop)
        ended = [] if service else await self.leftovers.end(app)
        if not service:  # last: whoever needs them is gone
            ended += await self.stores.stop(app, order.by)
        return [loop.key for loop in loops] + ended

    async def _take_down(self, loops: Sequence[Loop], order: Order) -> None:
        """Nobody who waits for the same rollout to end begins another one between that end and this one."""
        async with AsyncExitStack() as held:
            for loop in loops:
                await held.enter_async_context(loop.artifacts)
            for loop in loops:
                await loop.catch_up()  # a rollout may be on record whose answer was lost
                await self.deploys.take_back([loop], order, f"{loop.key} was taken down by {order.by}")
            for loop in loops:
                there = self.registry.loops.get(loop.key) is loop  # of a first deploy nothing is: its group went back
                if there and not self.registry.leaves(loop.key):
                    await rollouts.remove(loop, order.by)
                    self.registry.take_down(loop)

    async def _end_store(self, app: str, name: str, order: Order) -> list[str]:
        """Also one that never was ready, which Docker starts again and again."""
        key = f"{app}/{name}"
        was_up = key in self.stores.up(app)
        stopped = await self.stores.stop(app, order.by, name)
        if not (stopped or was_up):
            raise WrongInputError(f"the store {key} was taken down", "`crossfade deploy` starts it, with its data")
        return stopped

    async def delete_data(self, app: str, order: Order) -> list[str]:
        """Remove what an app that was taken down kept. RefusedError while something of it runs."""
        running = [loop.key for loop in self.registry.of(app)]
        if running:
            raise RefusedError(f"{', '.join(running)} still runs", "take it down first: its data is in use")
        return await self.stores.delete(app, order.by)

    async def enter(self, named: str, words: Sequence[str], by: str, *, app: str, interactive: bool) -> Seat:
        """A seat beside an instance, or in a store of `app`, which is called by its name."""
        store = self.stores.named(named, app) if words else None
        if store is not None:
            return await self.stores.enter(store, by)
        return await self.visits.enter(named, words, by, interactive=interactive)

    async def _tell(self, loop: Loop, kind: str, order: Order) -> None:
        admission.under_way(loop.ledger)
        await loop.record(kind, {"by": order.by, "reason": ""})
        loop.wake()

    async def _require_artifact(self, release: Release) -> None:
        try:
            await self._world.runtimes[release.service.runtime].check(release)
        except PlatformError as error:
            raise RefusedError(error.cause, error.way_out) from error


def _is_fresh(loop: Loop) -> bool:
    """No outdated instance is left, and those that came for them serve."""
    there = {i.id for i in loop.fleet.instances}
    return not there & loop.ledger.outdated and len(loop.at_work) >= loop.ledger.wanted
