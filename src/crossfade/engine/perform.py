"""Performing what was decided: the intent is on record before, the outcome after, and trouble is an outcome too."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from crossfade.core.actions import Effect, Launch, Probe, RollBack, RunHook, Shift, Stop
from crossfade.core.errors import CrossfadeError, PlatformError, StaleTokenError, WrongInputError
from crossfade.core.fleet import Exit, Fleet, Health
from crossfade.core.release import Release
from crossfade.core.rollout import Hook, State
from crossfade.core.wire import encode, encode_action
from crossfade.engine.ports import Runtime

if TYPE_CHECKING:
    from crossfade.engine.loop import Loop

# A balancer that is busy answers within a second; one that refused five times over two refuses for good.
REFUSALS = 5
REFUSAL_PAUSE = 0.5
SCHEMA_LINE = "CROSSFADE_SCHEMA="  # what a migrate hook may print: the version of the database from now on


class Performer:
    """Carries out effects for one loop. What takes long (a stop's grace, a hook) runs beside it, once at a time."""

    def __init__(self, loop: "Loop") -> None:
        self._loop = loop
        self._beside: dict[str, asyncio.Task[None]] = {}
        self._refused = 0  # routings in a row

    def stopping(self) -> frozenset[str]:
        """Instances whose stop is under way."""
        return frozenset(name.removeprefix("stop ") for name in self._beside if name.startswith("stop "))

    def cancel_hooks(self) -> None:
        """The rollout is taken back: its hook has nothing to decide any more."""
        for name, task in self._beside.items():
            if name.startswith("hook "):
                task.cancel()

    async def close(self) -> None:
        """Leave off at once; the next controller finds what is half done and goes on."""
        tasks = list(self._beside.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def perform(self, action: Effect, fleet: Fleet) -> bool:
        """Do it; True when it was done, so that another look is due at once."""
        match action:
            case Launch():
                return await self._launch(action)
            case Shift():
                return await self._shift(action, fleet)
            case Stop():
                return self._start(f"stop {action.instance}", self._stop(action, fleet))
            case RunHook():
                return self._start(f"hook {action.hook}", self._run_hook(action))
            case Probe():
                return self._start("probe", self._probe(action))

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        if name in self._beside:
            work.close()
            return False
        task = asyncio.create_task(self._guarded(name, work), name=name)
        self._beside[name] = task
        return True

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Trouble beside the loop is recorded; the loop sees what is there and asks again."""
        try:
            await work
        except StaleTokenError:
            pass  # the loop meets it too, and ends
        except CrossfadeError as error:
            with suppress(CrossfadeError):
                await self._loop.record("failed", {"what": name, "error": str(error)})
            await self._loop.world.clock.sleep(1.0)
        finally:
            self._beside.pop(name, None)
            self._loop.wake()

    async def _launch(self, action: Launch) -> bool:
        loop = self._loop
        release = loop.ledger.release(action.release)
        secrets = self._secrets(release)
        for _ in range(action.count):
            instance = loop.new_instance(action.release)
            await loop.record("intent", {"action": encode_action(action), "instance": instance})
            try:
                await loop.world.runtimes[release.service.runtime].launch(instance, release, secrets, loop.token)
            except (PlatformError, WrongInputError) as error:
                # Counted like an exit, so that back-off and the crash-loop verdict hold for this too.
                exit_ = Exit(instance=instance, release=action.release, at=0.0, was_healthy=False, detail=str(error))
                await loop.record("instance exited", encode(exit_))
                return False
            await loop.record("done", {"action": encode_action(action), "instance": instance})
        return True

    async def _shift(self, action: Shift, fleet: Fleet) -> bool:
        loop = self._loop
        routing = action.routing
        lead = max(routing.weights, key=lambda w: w[1], default=(loop.ledger.releases[-1].number, 0))[0]
        if loop.ledger.active and routing.weight(loop.ledger.active.target):
            lead = loop.ledger.active.target
        await loop.record("intent", {"action": encode_action(action)})
        addresses = {i.id: i.address for i in fleet.instances}
        checks = {r.number: r.service.health for r in loop.ledger.releases}
        try:
            seconds = await loop.world.balancer.apply(
                loop.ledger.release(lead).service, routing, addresses, loop.token, checks
            )
        except (PlatformError, WrongInputError) as error:
            await loop.record("failed", {"action": encode_action(action), "error": str(error)})
            self._refused += 1
            if self._refused >= REFUSALS and loop.ledger.active and loop.ledger.active.state is State.RUNNING:
                self._refused = 0
                await loop.move(RollBack(reason=f"the balancer refused the new routing: {error.cause}"))
                return True
            await loop.world.clock.sleep(REFUSAL_PAUSE)
            return False
        self._refused = 0
        now = loop.world.clock.now()
        since = {i: loop.ledger.draining.get(i, now) for i in sorted(routing.draining())}
        report = await loop.world.balancer.report(loop.key)
        silenced = fleet.routing.serving() - routing.serving()
        drained = sum(report.targets[i].in_flight for i in silenced if i in report.targets)
        await loop.record(
            "routed",
            {
                "action": encode_action(action),
                "ms": round(seconds * 1000, 3),
                "draining": since,
                "drained": drained,
                "switched": routing.weights != fleet.routing.weights,
            },
        )
        return True

    async def _stop(self, action: Stop, fleet: Fleet) -> None:
        loop = self._loop
        instance = next((i for i in fleet.instances if i.id == action.instance), None)
        if instance is None:
            return
        release = next((r for r in loop.ledger.releases if r.number == instance.release), loop.ledger.releases[-1])
        alive = instance.health is not Health.EXITED  # what a dead one held is counted as failed already
        held = {"in_flight": instance.in_flight if alive else 0, "streams": instance.streams if alive else 0}
        await loop.record("intent", {"action": encode_action(action), **held})
        if release.service.hooks.drain and instance.streams:
            await self._runtime(release).run(
                release, release.service.hooks.drain, self._secrets(release), _names(release, instance.id), 30.0
            )
        await self._runtime(release).stop(action.instance, release.service.grace, loop.token)
        await loop.world.balancer.close_streams(loop.key, action.instance, loop.token)
        await loop.record("done", {"action": encode_action(action)})

    async def _run_hook(self, action: RunHook) -> None:
        loop = self._loop
        release = loop.ledger.release(action.release)
        hooks = release.service.hooks
        command = hooks.migrate if action.hook is Hook.MIGRATE else hooks.smoke
        await loop.record("intent", {"action": encode_action(action), "command": command})
        env = {}
        if action.hook is Hook.SMOKE:
            url, headers = await loop.world.balancer.preview(release.service, action.release)
            env = {"CROSSFADE_URL": url, "CROSSFADE_HEADER": "".join(f"{k}: {v}" for k, v in headers.items())}
        limit = release.service.strategy.timeout
        result = await self._runtime(release).run(release, command, self._secrets(release), env, limit)
        complaint = ""
        if result.code:
            last = next((line for line in reversed(result.output.splitlines()) if line.strip()), "it wrote nothing")
            complaint = f"the {action.hook} hook `{command}` failed with code {result.code}: {last.strip()}"
        schema = next(
            (
                line.removeprefix(SCHEMA_LINE).strip()
                for line in result.output.splitlines()
                if line.startswith(SCHEMA_LINE)
            ),
            "",
        )
        data = {"hook": action.hook, "complaint": complaint, "schema": schema, "output": result.output}
        await loop.record("hook ended", data)

    async def _probe(self, action: Probe) -> None:
        """Too few clients came for a verdict: ask the health path through the balancer, as they would."""
        loop = self._loop
        release = loop.ledger.release(action.release)
        await loop.record("intent", {"action": encode_action(action)})
        url, headers = await loop.world.balancer.preview(release.service, action.release)
        await loop.world.visit(url.rstrip("/") + release.service.health.path, headers, action.count)
        await loop.record("done", {"action": encode_action(action)})

    def _runtime(self, release: Release) -> Runtime:
        return self._loop.world.runtimes[release.service.runtime]

    def _secrets(self, release: Release) -> Mapping[str, str]:
        known = self._loop.world.secrets(release.service.app)
        return {name: known[name] for name in release.service.secrets if name in known}


def _names(release: Release, instance: str) -> dict[str, str]:
    return {"CROSSFADE_INSTANCE": instance, "CROSSFADE_RELEASE": str(release.number)}
