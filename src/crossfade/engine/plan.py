"""The plan of a deploy: the real loop on a platform in memory where all goes well, told from its journal."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossfade.core.actions import Action, Advance, Finish, Launch, RunHook, Shift, StartBake, Stop
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.rollout import Hook, Rollout
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import KEEPING, HealthCheck, RollbackOn, Service
from crossfade.core.wire import decode_action, encode
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.journal import DryJournal
from crossfade.engine.dry.platform import Exposure, Platform
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.dry.timeline import Timeline
from crossfade.engine.ledger import Ledger
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.runtime import Running
from crossfade.engine.world import Pace, World
from crossfade.strategies.phases import journey, phases

BOOT_SECONDS = 2.0  # of an instance until it is healthy
LOOKS = 1.0  # seconds between two where nothing is due: what happens wakes the loop, and a bake may take hours
RARELY = 60.0  # seconds between health checks of what is healthy and stays so
NOBODY = RollbackOn(error_rate=None, min_requests=0)  # there are no clients to judge by

Steps = list[dict[str, Any]]


def plan(service: Service, ledger: Ledger | None) -> Steps:
    """The steps of deploying `service` now: {"at": seconds from the start, "do": a sentence}, in order.

    Without a ledger it is a first deploy. Instances become healthy after 2 s, hooks take no time, and nobody has to
    promote: the times are those of the file's own settings. Runs in a thread that has no event loop under way.
    """
    timeline = Timeline.new()
    return timeline.run(_Rehearsal(timeline, service, ledger or Ledger(service=service.key)).steps())


class _Rehearsal:
    """One deploy of a service on a platform that knows nothing but what its ledger says runs."""

    def __init__(self, timeline: Timeline, service: Service, ledger: Ledger) -> None:
        self._service = service
        self._clock = SystemClock(wall=timeline.time, passed=timeline.time)
        self._journal = DryJournal(self._clock)
        checked = replace(service.health, interval=RARELY, healthy=1)
        self._target = Release(
            number=ledger.next_number,
            service=replace(service, health=checked),
            version="",
            digest="",
            config_hash="",
        )
        self._platform = Platform(behaves=self._behaves, clock=self._clock)
        self._serve(ledger)
        world = self._world({r.service.runtime for r in (*ledger.releases, self._target)})
        kept = replace(ledger, rollout=None, warm={}, exits=(), recording=False, seq=0)  # its past is not rehearsed
        self._loop = Loop(kept, world, "plan")

    async def steps(self) -> Steps:
        rollout = self._rollout(self._loop.ledger)
        await self._loop.acquire()
        await self._loop.record("release created", {"release": encode(self._target)})
        await self._loop.record("rollout started", {"rollout": encode(rollout), "traffic": encode(Traffic())})
        running = asyncio.create_task(self._loop.run())
        await self._loop.until(lambda loop: loop.ledger.active is None)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        steps: Steps = []
        for event in self._journal.events:
            words = _words(decode_action(event.data["action"]), self._service, rollout) if _decided(event) else ""
            if words and (not steps or steps[-1]["do"] != words):
                steps.append({"at": round(event.at, 1), "do": words})
        ends = steps[-1]["at"] if steps else 0.0
        for job in self._service.jobs:
            steps.append({"at": ends, "do": f"job {job.name} runs by {job.schedule} {job.timezone}: {job.command}"})
        return steps

    def _behaves(self, release: Release, _: int) -> Behaviour:
        boot = BOOT_SECONDS if release.number == self._target.number else 0.0
        return Behaviour(life=((boot, Health.HEALTHY),))

    def _serve(self, ledger: Ledger) -> None:
        """A healthy fleet that has all traffic, where there is a release already."""
        if ledger.current is None:
            return
        release = ledger.release(ledger.current)
        names = tuple(f"{release.number}-{n}" for n in range(ledger.wanted))
        for name in names:
            self._platform.launch(name, release, {})
        routing = Routing(
            groups=(TargetGroup(release=release.number, registered=names),) if names else (),
            weights=((release.number, 100),) if names else (),
        )
        if release.service.kind == "worker":
            return
        addresses = {name: self._platform.lives[name].address for name in names}
        self._platform.expose(Exposure(service=release.service, routing=routing, addresses=addresses, token=0))

    def _world(self, runtimes: set[str]) -> World:
        others = dict.fromkeys(runtimes, _Beside(self._platform, self._journal))
        return World(
            journal=self._journal,
            runtimes={**others, self._service.runtime: DryRuntime(self._platform, self._journal)},
            balancer=DryBalancer(self._platform, self._journal),
            ask=self._platform.ask,
            visit=_visit,
            clock=self._clock,
            secrets=lambda _: {},
            told=lambda _: None,
            pace=Pace(busy=LOOKS, idle=LOOKS, probe=(0.1, 0.1)),
        )

    def _rollout(self, ledger: Ledger) -> Rollout:
        """Nobody has to be asked, and there are no clients to judge by."""
        strategy = replace(self._service.strategy, approve=(), rollback_on=NOBODY)
        return replace(ledger.rollout_to(self._target), strategy=strategy)


class _Beside(DryRuntime):
    """The same platform by the name that an earlier release ran under. The instances are listed once."""

    async def instances(self, service: str) -> Sequence[Running]:  # noqa: ARG002  as above
        return ()


async def _visit(_url: str, _headers: Mapping[str, str], _count: int, _patience: float) -> None: ...


def _decided(event: Event) -> bool:
    return event.kind in {"intent", "move"}


def _words(action: Action, service: Service, rollout: Rollout) -> str:  # noqa: PLR0911  a table
    match action:
        case Launch(release=release, count=count):
            return f"launch {count} of release {release}, wait until {_healthy(service.health)}"
        case Shift(routing=routing):
            return f"{_shifted(routing)}{_kept_for_pages(routing, rollout)}"
        case Stop(instance=instance):
            return f"stop instance {instance}: SIGTERM, at most {service.grace:g} s, SIGKILL"
        case RunHook(hook=hook):
            return f"run the {hook} hook: {service.hooks.migrate if hook is Hook.MIGRATE else service.hooks.smoke}"
        case StartBake(step=step):
            phase = phases(service.strategy, rollout.replicas, rollout.before, rollout.kind)[step]
            ask = "; then ask for `crossfade promote`" if phase.approve else ""
            measure = _measure(service, rollout)
            return (
                f"watch step {step + 1} ({phase.label}) for {phase.bake:g} s{measure}{ask}" if phase.bake or ask else ""
            )
        case Advance(step=step):
            phase = journey(rollout)[step]
            return f"go on to step {step + 1}: {phase.label}"
        case Finish(reason=reason):
            return f"done: {reason}"
        case _:
            return ""


def _healthy(check: HealthCheck) -> str:
    if check.after is not None:
        return f"it has run for {check.after:g} s"
    return f"`{check.command}` passes" if check.command else f"{check.path} is healthy"


def _measure(service: Service, rollout: Rollout) -> str:
    """By what else than thresholds it will be judged."""
    if rollout.source is None or rollout.kind == "worker" or service.strategy.rollback_on.judged_alone:
        return ""
    return f", against what release {rollout.source} usually does"


def _kept_for_pages(routing: Routing, rollout: Rollout) -> str:
    """A release that nobody keeps warm, and whose pages are still read."""
    strategy = rollout.strategy
    most = 0.0 if strategy.keep_previous and strategy.name in KEEPING else strategy.keep_assets
    kept = (release for release in routing.unshared() if most and release not in routing.pinned)
    return "".join(f"; release {release} for {most:g} s more for pages that it sent" for release in kept)


def _shifted(routing: Routing) -> str:
    total = sum(weight for _, weight in routing.weights)
    shares = ", ".join(f"release {release} {100 * weight / total:.0f} %" for release, weight in routing.weights)
    leaving = f"; {len(routing.draining())} drain" if routing.draining() else ""
    stay = "".join(f"; release {release} for those who know it" for release in routing.pinned)
    unseen = routing.preview is not None and not routing.weight(routing.preview)
    preview = f"; release {routing.preview} by preview" if unseen else ""
    return f"traffic: {shares or 'nobody'}{stay}{leaving}{preview}"
