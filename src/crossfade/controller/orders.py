"""The verbs: what a user can ask for. Each checks that it may, writes it down, and leaves the rest to the loop."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crossfade.core.errors import CrossfadeError, RefusedError, UnchangedError, WrongInputError
from crossfade.core.release import Outcome, Release
from crossfade.core.rollout import Hook, Rollout
from crossfade.core.service import Service
from crossfade.core.wire import encode
from crossfade.engine.ledger import TELLING, Ledger, fold
from crossfade.engine.loop import Loop, World
from crossfade.engine.ports import Artifact, Event, Journal

PAGE = 1000  # events of the journal that are in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants something and how: common to deploy and rollback."""

    by: str
    path: str = ""  # PATH of the shell that asked
    version: str = ""  # the label for a new release
    force: bool = False
    supersede: bool = False


class Controller:
    """All services of one machine, each with its loop."""

    def __init__(self, world: World, holder: str) -> None:
        self.world = world
        self._holder = holder
        self._loops: dict[str, Loop] = {}
        self._retired: dict[str, Ledger] = {}  # services that were taken down: a new deploy goes on with their numbers
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deploying: dict[str, tuple[str, float]] = {}

    async def start(self) -> None:
        """Pick up every service where the journal left it."""
        await self.world.balancer.ensure()
        told = [event async for event in _pages(self.world.journal, kinds=TELLING)]
        for ledger in fold(told).values():
            if ledger.removed:
                self._retired[ledger.service] = ledger
            else:
                await self._begin(ledger)

    async def close(self) -> None:
        """Stop looking after the services; all of them go on serving."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    @property
    def loops(self) -> Mapping[str, Loop]:
        return self._loops

    def loop(self, app: str, service: str | None = None) -> Loop:
        """The loop of a service; the app's only one when none is named."""
        keys = [key for key in self._loops if key.split("/")[0] == app]
        if service is None and len(keys) == 1:
            return self._loops[keys[0]]
        if service is None and keys:
            names = ", ".join(sorted(key.split("/")[1] for key in keys))
            raise WrongInputError(f"{app} has several services: {names}", "name the one you mean")
        if f"{app}/{service}" not in self._loops:
            known = ", ".join(sorted(self._loops)) or "none yet"
            raise WrongInputError(
                f"nothing called {app if service is None else f'{app}/{service}'} was deployed here",
                f"deployed services: {known}; `crossfade deploy` brings one",
            )
        return self._loops[f"{app}/{service}"]

    async def deploy(self, service: Service, order: Order) -> Rollout:
        """Build a release and begin its rollout; returns once it is on record.

        Refused while another rollout runs, unless the order supersedes it: then that one is taken back first.
        """
        loop = self._loops.get(service.key) or await self._begin(
            self._retired.pop(service.key, Ledger(service=service.key))
        )
        self._admit(loop, order)
        self._deploying[service.key] = (order.by, self.world.clock.now())
        try:
            async with loop.artifacts:
                artifact = await self.world.runtimes[service.runtime].build(service)
                if loop.ledger.active:
                    await self._take_back(loop, order, f"superseded by {order.by}")
                return await self._begin_rollout(loop, self._release(loop, service, artifact, order), order)
        except CrossfadeError:
            if loop.ledger.removed or not loop.ledger.releases:
                await self._drop(loop)
            raise
        finally:
            self._deploying.pop(service.key, None)

    async def rollback(self, loop: Loop, to: str, order: Order) -> Rollout:
        """Go to an earlier release: the last good one, or the one named."""
        self._admit(loop, order)
        if to == "previous" and loop.ledger.previous is None:
            raise RefusedError(f"{loop.key} has no other good release to go back to", "deploy one: `crossfade deploy`")
        target = loop.ledger.select(to)
        current = loop.ledger.current
        if target.number == current:
            raise RefusedError(f"release {target.label} is the one that runs", "name another: `crossfade releases`")
        if target.outcome is not Outcome.GOOD and not order.force:
            raise RefusedError(
                f"release {target.label} is {target.outcome}{': ' + target.why if target.why else ''}",
                "`--force` goes there even so",
            )
        if target.number in loop.ledger.removed_artifacts:
            raise RefusedError(
                f"the files of release {target.label} were removed: "
                f"kept are the newest {target.service.retain} good releases and those with a tag",
                "deploy it again from its commit, and `crossfade tag` what must stay",
            )
        later = _later_migration(loop.ledger, target)
        if later and not order.force:
            raise RefusedError(
                f"release {later.label} migrated the database after release {target.label} was made: "
                "the older code may not understand it",
                "restore a backup or deploy a fix; `--force` goes back even so",
            )
        if loop.ledger.active:
            await self._take_back(loop, order, f"superseded by {order.by}")
        strategy = replace(target.service.strategy, name="rollback", bake=0.0)
        rollout = self._rollout(loop, target, order)
        return await self._open(loop, replace(rollout, strategy=strategy, hooks=frozenset()))

    async def scale(self, loop: Loop, replicas: int, order: Order) -> None:
        """Change how many instances a service has, until it is scaled again."""
        if replicas < 0:
            raise WrongInputError(f"{loop.key} cannot have {replicas} instances", "0 or more")
        if loop.ledger.active:
            raise RefusedError(_busy(loop.ledger), "scale when it is done")
        await loop.record("service scaled", {"replicas": replicas, "by": order.by})
        loop.wake()

    async def tag(self, loop: Loop, word: str, tag: str, order: Order) -> Release:
        """Name a release, so that it is kept and can be rolled back to by that name."""
        release = loop.ledger.select(word)
        if tag in {"latest", "previous"} or tag.isdecimal() or tag.startswith("sha-"):
            raise WrongInputError(
                f"'{tag}' already means something else", "choose another name, such as stable-2026-11"
            )
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
        self._thawed(loop.ledger, order)
        await loop.record("service locked", {"by": order.by, "reason": reason})

    async def unlock(self, loop: Loop, order: Order) -> None:
        await loop.record("service unlocked", {"by": order.by})

    async def down(self, app: str, order: Order) -> list[str]:
        """Stop an app's services for good: no traffic, drained, stopped, forgotten by the balancer.

        Refused in the middle of a rollout; with force it is taken back first.
        """
        loops = [loop for key, loop in self._loops.items() if key.split("/")[0] == app]
        if not loops:
            self.loop(app)
        for loop in loops:
            if loop.ledger.active and not order.force:
                raise RefusedError(_busy(loop.ledger), "abort it first, or use --force")
        for loop in loops:
            if loop.ledger.active:
                await self._take_back(loop, order, f"{app} was taken down by {order.by}")
        removed = {loop.key: (await loop.record("service removed", {"by": order.by})).at for loop in loops}
        for loop in loops:
            loop.wake()
        for loop in loops:
            # Seen empty after that: a controller that has just started has not looked yet, and sees nothing either.
            await loop.until(lambda loop: loop.observed_at >= removed[loop.key] and not loop.fleet.instances)
            await self.world.balancer.remove(loop.key, loop.token)
            await self._drop(loop)
        return [loop.key for loop in loops]

    async def _drop(self, loop: Loop) -> None:
        task = self._tasks.pop(loop.key)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._retired[loop.key] = loop.ledger
        del self._loops[loop.key]

    async def _begin(self, ledger: Ledger) -> Loop:
        loop = self._loops[ledger.service] = Loop(ledger, self.world, self._holder)  # before it waits: never two
        try:
            await loop.acquire()
        except CrossfadeError:
            del self._loops[ledger.service]
            raise
        self._tasks[ledger.service] = asyncio.create_task(loop.run(), name=f"loop {ledger.service}")
        return loop

    def _admit(self, loop: Loop, order: Order) -> None:
        """May this order begin a rollout now?"""
        self._thawed(loop.ledger, order)
        if loop.key in self._deploying:
            by, since = self._deploying[loop.key]
            raise RefusedError(f"{by} has been building a release of {loop.key} since {_clock(since)}", "wait for it")
        if loop.ledger.active and not order.supersede:
            raise RefusedError(
                _busy(loop.ledger), "wait for it, `crossfade abort` it, or use --supersede to take it back first"
            )

    def _thawed(self, ledger: Ledger, order: Order) -> None:
        if ledger.freeze and not order.force:
            held = ledger.freeze
            raise RefusedError(
                f"{held.by} locked {ledger.service} since {_clock(held.since)}: {held.reason or 'no reason given'}",
                "`crossfade lock --release` unlocks it",
            )

    async def _take_back(self, loop: Loop, order: Order, reason: str) -> None:
        """The newer order wins: the running rollout is taken back completely before anything else begins."""
        await self.abort(loop, order, reason)
        await loop.until(lambda loop: loop.ledger.active is None)

    async def _tell(self, loop: Loop, kind: str, order: Order, reason: str = "") -> None:
        if not loop.ledger.active:
            raise RefusedError(f"no rollout of {loop.key} is under way", "`crossfade status` shows what runs")
        await loop.record(kind, {"by": order.by, "reason": reason})
        loop.wake()

    def _release(self, loop: Loop, service: Service, artifact: Artifact, order: Order) -> Release:
        ledger = loop.ledger
        number = max((r.number for r in ledger.releases), default=0) + 1
        settings = json.dumps(encode(service), sort_keys=True).encode()
        release = Release(
            number=number,
            service=service,
            version=order.version or artifact.version or f"r{number}",
            digest=artifact.digest,
            config_hash=hashlib.sha256(settings).hexdigest()[:12],
            git_sha=artifact.git_sha,
            path=order.path,
            by=order.by,
        )
        if ledger.current is not None and not order.force:
            runs = ledger.release(ledger.current)
            if (runs.digest, runs.config_hash) == (release.digest, release.config_hash):
                raise UnchangedError(
                    f"release {runs.label} of {loop.key} already runs exactly this",
                    "change something, or use --force to deploy it again",
                )
        return release

    async def _begin_rollout(self, loop: Loop, release: Release, order: Order) -> Rollout:
        await loop.record("release created", {"release": encode(release)})
        return await self._open(loop, self._rollout(loop, release, order))

    def _rollout(self, loop: Loop, release: Release, order: Order) -> Rollout:
        ledger, service, now = loop.ledger, release.service, self.world.clock.now()
        hooks = {Hook.MIGRATE: service.hooks.migrate, Hook.SMOKE: service.hooks.smoke}
        return Rollout(
            id=ledger.rollouts + 1,
            service=loop.key,
            source=ledger.current,
            target=release.number,
            strategy=service.strategy,
            replicas=service.replicas if ledger.replicas is None else ledger.replicas,
            source_replicas=ledger.wanted if ledger.current is not None else None,
            drain=service.drain,
            by=order.by,
            started_at=now,
            hooks=frozenset(hook for hook, command in hooks.items() if command),
            step_since=now,
        )

    async def _open(self, loop: Loop, rollout: Rollout) -> Rollout:
        report = await self.world.balancer.report(loop.key)
        rollout = replace(rollout, baseline=tuple(sorted(report.groups.items())))
        await loop.record("rollout started", {"rollout": encode(rollout), "traffic": encode(report.traffic)})
        loop.wake()
        return rollout

    async def history(self, *, after: int = 0, service: str | None = None, newest: int = 0) -> AsyncIterator[Event]:
        """Events from the journal, oldest first: all, or the newest so many."""
        if newest:
            for event in await self.world.journal.read(after=after, service=service, limit=newest, newest=True):
                yield event
            return
        async for event in _pages(self.world.journal, after=after, service=service):
            yield event


async def _pages(journal: Journal, *, after: int = 0, **which: Any) -> AsyncIterator[Event]:
    """What is read, a page at a time: a year of it is larger than the controller."""
    while page := await journal.read(after=after, limit=PAGE, **which):
        for event in page:
            yield event
        after = page[-1].seq


def _later_migration(ledger: Ledger, target: Release) -> Release | None:
    """The newest release after `target` that changed the database; the same schema version on both is no change."""
    later = [
        r
        for r in ledger.releases
        if r.number > target.number and r.migrated and not (r.schema and r.schema == target.schema)
    ]
    return later[-1] if later else None


def _busy(ledger: Ledger) -> str:
    rollout = ledger.active
    if rollout is None:
        return f"{ledger.service} is busy"
    return (
        f"rollout {rollout.id} of {ledger.service} to release {ledger.release(rollout.target).label} "
        f"by {rollout.by or 'somebody'} has been {rollout.state.replace('_', ' ')} since {_clock(rollout.started_at)}"
    )


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
