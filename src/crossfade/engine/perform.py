"""Carrying out what was decided: the intent is on record before, the outcome after, and trouble is an outcome too."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import Any

from crossfade.core.actions import Effect, Launch, Probe, Resize, RunHook, Shift, Stop
from crossfade.core.errors import CrossfadeError, PlatformError, StaleTokenError, WrongInputError
from crossfade.core.fleet import Exit, Fleet, Health
from crossfade.core.release import Release
from crossfade.core.rollout import Hook
from crossfade.core.wire import encode, encode_action
from crossfade.engine.ports.balancer import last_report
from crossfade.engine.ports.runtime import HookResult, Runtime
from crossfade.engine.scribe import Scribe
from crossfade.engine.task import cancelled
from crossfade.engine.world import World

log = logging.getLogger(__name__)

SCHEMA_LINE = "CROSSFADE_SCHEMA="  # what a migrate hook may print: the version of the database from now on


class EffectOutcome(Enum):
    """What became of an effect."""

    DONE = auto()
    BEGUN = auto()  # it takes its time beside the loop, which is woken when it ends
    UNDER_WAY = auto()  # it was begun before
    FAILED = auto()  # that is on record; whether anything was done only a look can tell


class Performer:
    """Carries out effects on one service's instances and routing; what to do is decided elsewhere.

    What takes long (a stop's grace, a hook) runs beside the caller, once at a time; `ended` is called when it is over.
    """

    def __init__(self, world: World, scribe: Scribe, ended: Callable[[], None]) -> None:
        self._world = world
        self._scribe = scribe
        self._ended = ended
        self._waited = 0.0  # by the last effect, after it had changed something
        self.acted_at = 0.0  # when the last effect changed something
        self._beside: dict[str, asyncio.Task[None]] = {}
        self._unheard: tuple[int, str] | None = None  # in which rollout, and why, our own requests did not arrive last
        self._untended: dict[str, tuple[int, str]] = {}  # by runtime: in which rollout, and why, as it was told last

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

    async def perform(self, action: Effect, fleet: Fleet) -> EffectOutcome:
        """Do it, or begin it. StaleTokenError when the lease is somebody else's."""
        outcome = await self._perform(action, fleet)
        self.acted_at, self._waited = self._world.clock.now() - self._waited, 0.0
        return outcome

    async def _perform(self, action: Effect, fleet: Fleet) -> EffectOutcome:
        match action:
            case Launch():
                return await self._launch(action)
            case Resize():
                return await self._resize(action, fleet)
            case Shift():
                return await self._shift(action, fleet)
            case Stop():
                return self._begin(f"stop {action.instance}", partial(self._stop, action, fleet))
            case RunHook():
                return self._begin(f"hook {action.hook}", partial(self._run_hook, action))
            case Probe():
                return self._begin("probe", partial(self._probe, action))

    def _begin(self, name: str, work: Callable[[], Awaitable[None]]) -> EffectOutcome:
        if name in self._beside:
            return EffectOutcome.UNDER_WAY
        self._beside[name] = task = asyncio.create_task(self._guarded(name, work), name=name)
        task.add_done_callback(lambda _: self._over(name))  # also of one that is cancelled before it began
        return EffectOutcome.BEGUN

    def _over(self, name: str) -> None:
        del self._beside[name]
        self._ended()

    async def _guarded(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong beside the loop is recorded; the loop sees what is there and asks again."""
        try:
            await work()
        except StaleTokenError:
            pass  # the loop meets it too
        except asyncio.CancelledError:
            if cancelled():
                raise
            await self._went_wrong(name, PlatformError("it was broken off"))
        except CrossfadeError as error:
            await self._went_wrong(name, error)
        except Exception as error:
            log.exception("%s of %s met what it did not expect", name, self._scribe.key)
            await self._went_wrong(name, PlatformError(f"unexpected: {error!r}"))

    async def _went_wrong(self, name: str, error: CrossfadeError) -> None:
        with suppress(CrossfadeError):
            await self._scribe.record("failed", {"what": name, "error": str(error), **_lasting(error)})
        await self._world.clock.sleep(2 * self._world.pace.retry)

    async def _launch(self, action: Launch) -> EffectOutcome:
        """Count a launch that the release's own settings made impossible like an exit: back-off and verdicts hold."""
        scribe, release = self._scribe, self._scribe.ledger.release(action.release)
        secrets = self._world.secrets_of(release)
        for _ in range(action.count):
            # An id nobody had before: `feedback-web-7-x3f9`.
            instance = f"{scribe.key.replace('/', '-')}-{action.release}-{self._world.new_id()}"
            told = {"action": encode_action(action), "instance": instance}
            await scribe.record("intent", told)
            try:
                await self._runtime(release).launch(instance, release, secrets, scribe.token)
            except StaleTokenError:
                raise
            except CrossfadeError as error:
                await self._never_began(instance, action.release, str(error), blamed=isinstance(error, WrongInputError))
                return EffectOutcome.FAILED
            await scribe.record("done", told)
        return EffectOutcome.DONE

    async def _resize(self, action: Resize, fleet: Fleet) -> EffectOutcome:
        """Count a growth that did not come about like an exit: who is to blame for it is for verdicts to know."""
        scribe, releases = self._scribe, self._scribe.ledger.releases
        # What runs and is not on record is only ever told to go, for which its number is enough.
        release = next(
            (r for r in reversed(releases) if r.number == action.release), replace(releases[-1], number=action.release)
        )
        sizer, told = self._world.sizers[release.service.runtime], {"action": encode_action(action)}
        secrets = self._world.secrets_of(release)
        await scribe.record("intent", told)
        try:
            await sizer.resize(release, action.count, secrets, scribe.token)
        except StaleTokenError:
            raise
        except CrossfadeError as error:
            await scribe.record("failed", {**told, **_trouble(error)})
            if action.count > dict(fleet.sizes or ()).get(action.release, 0):
                why = f"could not keep {action.count} instances: {error.cause}"
                blamed = isinstance(error, WrongInputError)
                await self._never_began("the platform", action.release, why, blamed=blamed)
            return EffectOutcome.FAILED
        await scribe.record("done", told)
        return EffectOutcome.DONE

    async def _never_began(self, instance: str, release: int, why: str, *, blamed: bool) -> None:
        """Count it like an exit: it is held against a release whose own settings made it impossible."""
        exit_ = Exit(instance=instance, release=release, at=0.0, was_healthy=False, detail=why, blamed=blamed)
        await self._scribe.record("instance exited", encode(exit_))

    async def tend(self) -> None:
        """Have platforms that keep sizes go on with what they are at.

        One that cannot is no fault of a release. It is told of like an exit, and not at each step that it lasts.
        """
        scribe = self._scribe
        for name in sorted({r.service.runtime for r in scribe.ledger.releases} & self._world.sizers.keys()):
            try:
                await self._world.sizers[name].tend(scribe.key, scribe.token)
            except StaleTokenError:
                raise
            except CrossfadeError as error:
                active = scribe.ledger.active
                if active is None:
                    raise
                if self._untended.get(name) == (active.id, error.cause):
                    continue
                await scribe.record("failed", {"what": "tend", **_trouble(error), "blame": False})
                await self._never_began("the platform", active.target, error.cause, blamed=False)
                self._untended[name] = active.id, error.cause
            else:
                self._untended.pop(name, None)

    async def _shift(self, action: Shift, fleet: Fleet) -> EffectOutcome:
        scribe, balancer, routing = self._scribe, self._world.balancer, action.routing
        lead = scribe.ledger.release(action.lead or scribe.ledger.releases[-1].number)
        await scribe.record("intent", {"action": encode_action(action)})
        addresses = {i.id: i.address for i in fleet.instances}
        checks = {r.number: r.service.health for r in scribe.ledger.releases}
        try:
            inside = () if scribe.ledger.removed else await self._world.inside(lead.service)
            service = lead.service if inside == lead.service.inside else replace(lead.service, inside=inside)
            seconds = await balancer.apply(service, routing, addresses, scribe.token, checks)
        except StaleTokenError:
            raise
        except CrossfadeError as error:
            await scribe.record("failed", {"action": encode_action(action), **_trouble(error)})
            return EffectOutcome.FAILED
        self._waited = seconds
        now = self._world.clock.now()
        since = {i: scribe.ledger.draining.get(i, now) for i in sorted(routing.draining())}
        # Who had a share until now is kept from now on, also where the line that gave it one could not be written.
        kept = {r: since for r, since in scribe.ledger.unshared.items() if not fleet.routing.weight(r)}
        unshared = [[release, kept.get(release, now)] for release in routing.unshared()]
        targets = (await last_report(balancer, scribe.key)).targets
        silenced = fleet.routing.answering() - routing.answering()
        held = [targets[i].in_flight for i in silenced if i in targets]
        stood_in_for = scribe.ledger.current if scribe.ledger.stand_in(routing) else None
        await scribe.record(
            "routed",
            {
                "action": encode_action(action),
                "ms": round(seconds * 1000, 3),
                "draining": since,
                "drained": sum(n or 0 for n in held),
                "switched": routing.weights != fleet.routing.weights,
                **({"unshared": unshared} if unshared else {}),
                **({"stands_in_for": stood_in_for} if stood_in_for else {}),
                **({"uncounted": ["drained"]} if None in held else {}),
            },
        )
        return EffectOutcome.DONE

    async def _stop(self, action: Stop, fleet: Fleet) -> None:
        scribe = self._scribe
        instance = next((i for i in fleet.instances if i.id == action.instance), None)
        if instance is None:
            return
        releases = scribe.ledger.releases
        release = next((r for r in releases if r.number == instance.release), releases[-1])
        alive = instance.health is not Health.EXITED  # what a dead one held is counted as failed already
        told: dict[str, Any] = {
            "action": encode_action(action),
            "in_flight": (instance.in_flight or 0) if alive else 0,
            "streams": (instance.streams or 0) if alive else 0,
        }
        if alive and (instance.in_flight is None or instance.streams is None):
            told["uncounted"] = ["cut", "streams_closed"]
        await scribe.record("intent", told)
        serves = release.service.kind == "web"
        if release.service.hooks.drain and (instance.streams if serves else instance.up):
            env = {"CROSSFADE_INSTANCE": instance.id, "CROSSFADE_RELEASE": str(release.number)}
            await self._run(release, release.service.hooks.drain, env, 30.0)
        killed = await self._runtime(release).stop(action.instance, release.service.grace, scribe.token)
        await scribe.record("done", {"action": encode_action(action), **({"killed": True} if killed and alive else {})})

    async def _run_hook(self, action: RunHook) -> None:
        release = self._scribe.ledger.release(action.release)
        hooks = release.service.hooks
        command = hooks.migrate if action.hook is Hook.MIGRATE else hooks.smoke
        await self._scribe.record("intent", {"action": encode_action(action), "command": command})
        env = {}
        if action.hook is Hook.SMOKE and release.service.kind == "web":
            url, headers = await self._world.balancer.preview(release.service, action.release)
            env = {"CROSSFADE_URL": url, "CROSSFADE_HEADER": "".join(f"{k}: {v}" for k, v in headers.items())}
        before = await self._schema_before(release) if action.hook is Hook.MIGRATE and hooks.schema else ""
        result = await self._run(release, command, env, release.service.strategy.timeout)
        complaint = f"the {action.hook} hook `{command}` {result.words}" if result.code != 0 else ""
        data: dict[str, Any] = {
            "hook": action.hook,
            "complaint": complaint,
            "schema": _schema(result),
            "output": result.output,
            **({} if result.code is not None else {"blame": False}),
        }
        if action.hook is Hook.MIGRATE and hooks.schema and not complaint:
            after = await self._ask_schema(release)
            data["schema"], data["migrated"] = after, not before or not after or after != before
        await self._scribe.record("hook ended", data)

    async def _schema_before(self, release: Release) -> str:
        """On record before the migration begins: a controller that goes on with it must not take its work for old."""
        if not release.schema_before:
            told = {"release": release.number, "schema": await self._ask_schema(release)}
            await self._scribe.record("schema read", told)
        return self._scribe.ledger.release(release.number).schema_before

    async def _ask_schema(self, release: Release) -> str:
        """What stands for the schema now; empty when the command cannot say, and then everything may have changed."""
        command, limit = release.service.hooks.schema, release.service.strategy.timeout
        result = await self._run(release, command, {}, limit)
        if result.code != 0:
            await self._scribe.record("failed", {"what": "schema", "error": f"`{command}` {result.words}"})
        return result.digest[:16] if result.code == 0 else ""

    async def _probe(self, action: Probe) -> None:
        """Too few clients came for a verdict: ask the health path through the balancer, as they would.

        Under way until they are counted: a balancer whose figures come late is not asked again and again meanwhile.
        That they do not arrive is told once, and when why changes.
        """
        scribe, release = self._scribe, self._scribe.ledger.release(action.release)
        active = scribe.ledger.active.id if scribe.ledger.active else 0
        if self._unheard is None or self._unheard[0] != active:
            await scribe.record("intent", {"action": encode_action(action)})
        try:
            url, headers = await self._world.balancer.preview(release.service, action.release)
            patience = release.service.health.timeout  # what is asked is the health path, which may take as long
            await self._world.visit(url.rstrip("/") + release.service.asked, headers, action.count, patience)
        except PlatformError as error:
            known, self._unheard = self._unheard, (active, error.cause)
            if known != self._unheard:
                raise
            return await self._world.clock.sleep(2 * self._world.pace.retry)
        self._unheard = None
        await scribe.record("done", {"action": encode_action(action)})
        self._ended()
        return await self._world.clock.sleep(self._world.pace.counted)

    async def _run(self, release: Release, command: str, env: Mapping[str, str], limit: float) -> HookResult:
        result = await self._runtime(release).run(release, command, self._world.secrets_of(release), env, limit)
        return replace(result, output=self._world.discreet(release, result.output))

    def _runtime(self, release: Release) -> Runtime:
        return self._world.runtimes[release.service.runtime]


def _trouble(error: CrossfadeError) -> dict[str, Any]:
    """What is on record of a failed act: `blame` when the release's own settings cannot be met."""
    told = {"error": str(error), "cause": error.cause, "blame": isinstance(error, WrongInputError)}
    return {**told, **_lasting(error)}


def _lasting(error: CrossfadeError) -> dict[str, Any]:
    return {"lasting": True, "cause": error.cause, "way_out": error.way_out} if error.lasting else {}


def _schema(result: HookResult) -> str:
    lines = result.output.splitlines()
    return next((line.removeprefix(SCHEMA_LINE).strip() for line in lines if line.startswith(SCHEMA_LINE)), "")
