"""The verbs: what a user can ask for. Each asks whether it may, writes it down, and leaves the rest to the loop."""

from collections.abc import Mapping
from dataclasses import replace

from crossfade.controller import admission
from crossfade.controller.leftovers import Leftovers
from crossfade.controller.order import Order
from crossfade.controller.registry import Registry
from crossfade.controller.releases import release_of, rollback_to, rollout_to
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import Service
from crossfade.core.wire import encode
from crossfade.engine.loop import Loop
from crossfade.engine.ports import Secrets


class Orders:
    """Orders to the services of one machine."""

    def __init__(self, registry: Registry, leftovers: Leftovers, secrets: Secrets) -> None:
        self.registry = registry
        self.leftovers = leftovers
        self._secrets = secrets
        self._world = registry.world
        self._building: dict[str, tuple[str, float]] = {}  # by service: who, since when

    async def deploy(self, service: Service, order: Order, secrets: Mapping[str, str]) -> Rollout:
        """Build a release and begin its rollout; returns once it is on record.

        Refused while another rollout runs, unless the order supersedes it: then that one is taken back first.
        Values of `secrets` are kept once the deploy is admitted; WrongInputError when one that it needs is not known.
        """
        loop = await self.registry.take_up(service.key)
        try:
            self._may_begin(loop, order)
            self._require_secrets(service, secrets)
            self._building[service.key] = (order.by, self._world.clock.now())
            try:
                return await self._build(loop, service, order, secrets)
            finally:
                del self._building[service.key]
        except CrossfadeError:
            if loop.ledger.removed or not loop.ledger.releases:
                await self.registry.drop(loop)
            raise

    async def _build(self, loop: Loop, service: Service, order: Order, secrets: Mapping[str, str]) -> Rollout:
        async with loop.artifacts:
            artifact = await self._world.runtimes[service.runtime].build(service)
            if loop.ledger.active:
                await self._take_back(loop, order, f"superseded by {order.by}")
            release = release_of(loop.ledger, service, artifact, order)
            self._secrets.save(service.app, secrets)
            await loop.record("release created", {"release": encode(release)})
            return await self._open(loop, rollout_to(loop.ledger, release, order, self._world.clock.now()))

    async def rollback(self, loop: Loop, to: str, order: Order) -> Rollout:
        """Go to an earlier release: the last good one, or the one named."""
        self._may_begin(loop, order)
        target = admission.destination(loop.ledger, to, order)
        await self._require_artifact(target)
        if loop.ledger.active:
            await self._take_back(loop, order, f"superseded by {order.by}")
        return await self._open(loop, rollback_to(loop.ledger, target, order, self._world.clock.now()))

    async def scale(self, loop: Loop, replicas: int, order: Order) -> None:
        """Change how many instances a service has, until it is scaled again."""
        if replicas < 0:
            raise WrongInputError(f"{loop.key} cannot have {replicas} instances", "0 or more")
        admission.idle(loop.ledger, "scale when it is done")
        await loop.record("service scaled", {"replicas": replicas, "by": order.by})
        loop.wake()

    async def tag(self, loop: Loop, word: str, tag: str, order: Order) -> Release:
        """Name a release, so that it is kept and can be rolled back to by that name."""
        release = loop.ledger.select(word)
        admission.tag_name(tag)
        admission.has_files(loop.ledger, release)
        await loop.record("release tagged", {"tag": tag, "release": release.number, "by": order.by})
        return release

    async def promote(self, loop: Loop, order: Order) -> None:
        await self._tell(loop, "rollout promoted", order)

    async def pause(self, loop: Loop, order: Order) -> None:
        await self._tell(loop, "rollout paused", order)

    async def resume(self, loop: Loop, order: Order) -> None:
        await self._tell(loop, "rollout resumed", order)

    async def abort(self, loop: Loop, order: Order, reason: str = "") -> None:
        """Take the rollout under way back."""
        await self._tell(loop, "rollout aborted", order, reason or f"aborted by {order.by}")

    async def lock(self, loop: Loop, reason: str, order: Order) -> None:
        """Forbid rollouts of a service until it is unlocked."""
        admission.thawed(loop.ledger, order)
        await loop.record("service locked", {"by": order.by, "reason": reason})

    async def unlock(self, loop: Loop, order: Order) -> None:
        await loop.record("service unlocked", {"by": order.by})

    async def down(self, app: str | None, service: str | None, order: Order) -> list[str]:
        """Stop services for good: no traffic, drained, stopped, forgotten by the balancer. Returns what was stopped.

        One service, an app's, or all of them. What runs unknown goes with its app. Refused in the middle of a rollout;
        with force it is taken back first.
        """
        loops = [loop for loop in self.registry.of(app) if service in {None, loop.key.split("/")[1]}]
        unknown = [] if service else [one for one in self.leftovers.unknown if app in {None, one.app}]
        if app and not loops and not unknown:
            self.registry.find(app, service)
        for loop in loops:
            if not order.force:
                admission.idle(loop.ledger, "abort it first, or use --force")
        for loop in loops:
            if loop.ledger.active:
                await self._take_back(loop, order, f"{loop.key} was taken down by {order.by}")
        for loop in loops:
            await loop.record("service removed", {"by": order.by})
            self.registry.take_down(loop)
        for loop in loops:
            await self.registry.gone(loop)
        ended = [] if service else await self.leftovers.end(app)
        return [loop.key for loop in loops] + ended

    def _may_begin(self, loop: Loop, order: Order) -> None:
        admission.may_begin(loop.ledger, order)
        if self.registry.leaves(loop.key):
            raise RefusedError(f"{loop.key} is being taken down", "wait until it is gone: `crossfade status`")
        if loop.key in self._building:
            by, since = self._building[loop.key]
            raise RefusedError(
                f"{by} has been building a release of {loop.key} since {admission.clock(since)}", "wait for it"
            )

    def _require_secrets(self, service: Service, given: Mapping[str, str]) -> None:
        known = self._secrets.of(service.app)
        missing = [name for name in service.secrets if name not in given and name not in known]
        if missing:
            raise WrongInputError(
                f"no value for the secret {', '.join(missing)} of {service.key}",
                "set it in the environment of `crossfade deploy`",
            )

    async def _require_artifact(self, release: Release) -> None:
        try:
            await self._world.runtimes[release.service.runtime].check(release)
        except PlatformError as error:
            raise RefusedError(error.cause, error.way_out) from error

    async def _take_back(self, loop: Loop, order: Order, reason: str) -> None:
        """The newer order wins: the running rollout is taken back completely before anything else begins."""
        await self.abort(loop, order, reason)
        await loop.until(lambda loop: loop.ledger.active is None)

    async def _tell(self, loop: Loop, kind: str, order: Order, reason: str = "") -> None:
        admission.under_way(loop.ledger)
        await loop.record(kind, {"by": order.by, "reason": reason})
        loop.wake()

    async def _open(self, loop: Loop, rollout: Rollout) -> Rollout:
        report = await self._world.balancer.report(loop.key)
        rollout = replace(rollout, baseline=tuple(sorted(report.groups.items())))
        await loop.record("rollout started", {"rollout": encode(rollout), "traffic": encode(report.traffic)})
        loop.wake()
        return rollout
