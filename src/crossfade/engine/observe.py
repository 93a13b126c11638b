"""The observer: instances as their runtimes, their probes and the balancer see them, put together into one look."""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from crossfade.core.errors import CrossfadeError
from crossfade.core.fleet import Exit, Fleet, Health, Instance
from crossfade.core.health import Probed
from crossfade.core.release import Release
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.balancer import GoneError, Report
from crossfade.engine.ports.logs import LogQuery
from crossfade.engine.ports.runtime import Running, Sizer
from crossfade.engine.prober import Prober, Question
from crossfade.engine.world import World
from crossfade.telling.traces import LOOKED_AT, error_in

_LOOKS_UP_AFTER = 2.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at a service. `ended` are instances whose end nobody has written down yet.

    `without`: the balancer is gone for good, and `report` is what it would begin with.
    """

    fleet: Fleet
    report: Report
    ended: tuple[Exit, ...]
    without: GoneError | None = None


class Observer:
    """Looks at one service, and remembers of each instance what only a look before could tell."""

    def __init__(self, world: World, ledger: Ledger, changed: Callable[[], None]) -> None:
        self.watched_since = world.clock.now()  # nobody looked before, or not for long
        self._world = world
        self._prober = Prober(world.clock, changed, world.pace.probe)
        self._noted = {e.instance for e in ledger.exits}
        self._was_healthy: set[str] = set()
        self._errors: dict[str, tuple[float, str]] = {}  # when their logs were looked at, and what was found
        self._told_health: dict[str, Probed] = {}  # of those whose platform checks them
        self._registered: dict[str, float] = {}  # since when the balancer was seen to send them traffic
        self._known: set[str] = set()
        self._lasts: dict[str, float] = {}  # of those that are healthy by running: for how long they have to
        self._anew = True  # what is there at the next look may be from before we looked
        self._launched: dict[str, float] = {}  # by our own time: the platform's clock may have been set
        self._draining: dict[str, float] = {}  # since when, for those whose `routed` event a crash swallowed
        self._lost_share: dict[int, float] = {}  # the same of releases that are kept without a share

    async def look(self, ledger: Ledger, leaving: frozenset[str], age: float = 0.0) -> Look:
        """See what is there; `leaving` are instances whose stop is under way.

        What the balancer counted may be `age` seconds old.
        """
        runtimes = sorted({r.service.runtime for r in ledger.releases})
        sizers = [self._world.sizers[name] for name in runtimes if name in self._world.sizers]
        running = await self._running(ledger.service, runtimes)
        sizes = await self._sizes(ledger.service, sizers)
        report, without = await self._report(ledger, age)
        self._watch(ledger, running, report)
        draining, trusted = report.routing.draining(), self._trusted(report)
        self._forget({r.id for r in running})
        self._date(running)
        instances = tuple(
            self._instance(r, report, ledger, leaving, drains=r.id in draining, trusted=r.id in trusted)
            for r in running
        )
        fleet = Fleet(
            instances=instances,
            routing=report.routing,
            counters=tuple(sorted(report.groups.items())),
            exits=ledger.exits,
            sizes=sizes,
            places=min((sizer.places for sizer in sizers if sizer.places is not None), default=None),
            watched_since=self.watched_since,
            unshared=self._unshared(ledger, report),
        )
        begun = ledger.active.started_at if ledger.active else math.inf
        explained = {r.id for r in running if r.health is not None and self._launched[r.id] >= begun}
        failing = {r.id for r in running if r.exited and r.stopping}
        ended = tuple(self._ended(instances, explained, failing))
        return Look(fleet=fleet, report=report, ended=ended, without=without)

    async def _report(self, ledger: Ledger, age: float) -> tuple[Report, GoneError | None]:
        """What is taken down need not wait for a balancer that is gone; nor what stays or goes back, where it is gone
        for good. Who goes on does: while nobody asks a release anything, nobody can say whether it is good.
        """
        if ledger.kind == "worker":
            return Report(), None
        try:
            return await self._world.balancer.report(ledger.service, age), None
        except GoneError as error:
            needed = error.deserted or not error.lasting or ledger.goes_on
            if needed and not ledger.removed:
                raise
            return error.told, error if error.lasting else None

    def _unshared(self, ledger: Ledger, report: Report) -> tuple[tuple[int, float], ...]:
        now = self._world.clock.now()
        self._lost_share = {r: self._lost_share.get(r, now) for r in report.routing.unshared()}
        return tuple((r, ledger.unshared.get(r, since)) for r, since in self._lost_share.items())

    def begin_anew(self) -> None:
        """Nobody looked for a while: what ended since, nobody saw end, and who was healthy has to be asked again.

        Whoever has traffic keeps it until it fails.
        """
        self.watched_since = self._world.clock.now()
        self._prober.close()
        self._known.clear()
        self._anew = True

    def close(self) -> None:
        self._prober.close()

    async def _running(self, service: str, runtimes: Iterable[str]) -> Sequence[Running]:
        """By id: the same fleet always looks the same."""
        found = [r for name in runtimes for r in await self._world.runtimes[name].instances(service)]
        return sorted(found, key=lambda r: r.id)

    async def _sizes(self, service: str, sizers: Collection[Sizer]) -> tuple[tuple[int, int], ...] | None:
        sizes = [size for sizer in sizers for size in (await sizer.sizes(service)).items()]
        return tuple(sorted(sizes)) if sizers else None

    def _watch(self, ledger: Ledger, running: Iterable[Running], report: Report) -> None:
        releases = {r.number: r for r in ledger.releases}
        asked = [r for r in running if r.health is None and not (r.exited or r.stopping) and r.release in releases]
        checks = {r.id: releases[r.release].service.health for r in asked}
        self._lasts = {r.id: after for r in asked if (after := checks[r.id].after) is not None}
        self._prober.watch(
            {r.id: (self._question(r, releases[r.release]), checks[r.id]) for r in asked if r.id not in self._lasts},
            trusted=report.routing.registered(),
        )

    def _question(self, running: Running, release: Release) -> Question:
        check = release.service.health
        if check.command:
            return partial(self._run_check, running.id, release)
        return partial(self._ask, running, release)

    async def _ask(self, running: Running, release: Release) -> str:
        """The complaint; with the error that one which never got healthy wrote into its log, for that is the cause."""
        said = await self._world.ask(running.asked_at or running.address, release.service.health)
        if not said or running.id in self._was_healthy:
            return said
        error = await self._error_in_log(running.id, release)
        return f"{said}; it wrote: {self._world.discreet(release, error)}" if error else said

    async def _error_in_log(self, instance: str, release: Release) -> str:
        """Looked up every few seconds only: a boot may take minutes."""
        now = self._world.clock.now()
        when, error = self._errors.get(instance, (-math.inf, ""))
        if now - when < _LOOKS_UP_AFTER:
            return error
        runtime, query = self._world.runtimes[release.service.runtime], LogQuery(instance=instance, lines=LOOKED_AT)
        with suppress(CrossfadeError, OSError):
            error = error_in([line.line async for line in runtime.logs(release.service.key, query)])
        self._errors[instance] = (now, error)
        return error

    async def _run_check(self, instance: str, release: Release) -> str:
        """The health command beside an instance: the complaint, empty when it passes.

        That the platform could not run it says why one is not healthy yet, and nothing of one that was healthy.
        """
        check = release.service.health
        runtime, secrets = self._world.runtimes[release.service.runtime], self._world.secrets_of(release)
        try:
            result = await runtime.execute(instance, release, check.command, secrets, check.timeout)
        except CrossfadeError as error:
            if instance in self._was_healthy or self._prober.seen(instance).health is not Health.STARTING:
                raise  # it may have got healthy since we looked last
            return error.cause
        return f"`{check.command}` {self._world.discreet(release, result.words)}" if result.code != 0 else ""

    def _instance(
        self, running: Running, report: Report, ledger: Ledger, leaving: frozenset[str], *, drains: bool, trusted: bool
    ) -> Instance:
        probed = self._told(running, trusted=trusted) if running.health else self._probed(running)
        target = report.targets.get(running.id)
        since = None
        if drains:
            now = self._draining.setdefault(running.id, self._world.clock.now())
            since = ledger.draining.get(running.id, now)
        health = probed.health
        if running.exited:
            health = Health.UNHEALTHY if running.stopping else Health.EXITED
        if health is Health.HEALTHY:
            self._was_healthy.add(running.id)
        return Instance(
            id=running.id,
            release=running.release,
            health=health,
            launched_at=self._launched[running.id],
            healthy_since=probed.healthy_since,
            draining_since=since,
            in_flight=target.in_flight if target else 0,
            streams=target.streams if target else 0,
            stopping=running.stopping or running.id in leaving,
            abandoned=running.stopping and running.id not in leaving and not self._world.sizers,
            outdated=running.id in ledger.outdated,
            address=running.address,
            detail=self._discreet(ledger, running) if running.exited else probed.detail,
            blamed=running.blamed,
            final=running.final,
        )

    def _discreet(self, ledger: Ledger, running: Running) -> str:
        """How it ended, with the last line it wrote."""
        release = next((one for one in ledger.releases if one.number == running.release), None)
        return running.detail if release is None else self._world.discreet(release, running.detail)

    def _trusted(self, report: Report) -> frozenset[str]:
        """Who had been let in when the platform was asked for its instances.

        The balancer is asked after it: one that got healthy between both questions is starting by the first answer and
        registered by the second, and has lost nothing.
        """
        now, settle = self._world.clock.now(), self._world.pace.settle
        known = frozenset(i for i, since in self._registered.items() if now - since > settle)
        self._registered = {i: self._registered.get(i, now) for i in report.routing.registered()}
        return known

    def _probed(self, running: Running) -> Probed:
        """What our own probes say; of one that only has to last, whether it has."""
        after = self._lasts.get(running.id)
        if after is None:
            return self._prober.seen(running.id)
        since = self._launched[running.id] + after
        if self._world.clock.now() < since:
            return Probed(detail=f"is healthy once it has run for {after:g} s")
        return Probed(health=Health.HEALTHY, healthy_since=since)

    def _date(self, running: Iterable[Running]) -> None:
        """When each was launched: one that came while we looked came when we saw it, and none comes later than now."""
        now = self._world.clock.now()
        for one in running:
            said = min(one.launched_at, now)
            self._launched.setdefault(one.id, said if self._anew else now)
        self._anew = False

    def _told(self, running: Running, *, trusted: bool) -> Probed:
        """The platform's word, and since when we have heard it. One that lost its health was healthy before."""
        before, health = self._told_health.get(running.id), running.health or Health.STARTING
        if health is Health.STARTING and (trusted or (before and before.healthy_since is not None)):
            health = Health.UNHEALTHY
        if before is None or before.health is not health:
            since = self._world.clock.now() if health is Health.HEALTHY else None
            before = self._told_health[running.id] = Probed(health=health, healthy_since=since, detail=running.detail)
        return before if before.detail == running.detail else replace(before, detail=running.detail)

    def _forget(self, present: set[str]) -> None:
        self._noted &= present
        if self._launched.keys() <= present:  # nobody left since the last look
            return
        self._was_healthy &= present
        self._errors = {i: found for i, found in self._errors.items() if i in present}
        self._launched = {i: at for i, at in self._launched.items() if i in present}
        self._draining = {i: since for i, since in self._draining.items() if i in present}
        self._told_health = {i: told for i, told in self._told_health.items() if i in present}

    def _ended(
        self, instances: Iterable[Instance], explained: AbstractSet[str], failing: AbstractSet[str]
    ) -> Iterable[Exit]:
        """An instance that exits, or loses its health, is told of once; one of `failing` while it is in its grace yet.

        One that we never saw alive in all our time ended while nobody worked: that is held against no release. But a
        platform that checks its instances itself was there, and says how each ended; `explained` are those that the
        rollout under way brought. And what is final would end so again, whoever looks.
        """
        for instance in instances:
            if instance.id in self._noted or (instance.stopping and instance.id not in failing):
                continue
            if instance.health in {Health.EXITED, Health.UNHEALTHY}:
                self._noted.add(instance.id)
                yield Exit(
                    instance=instance.id,
                    release=instance.release,
                    at=0.0,
                    was_healthy=instance.id in self._was_healthy
                    or (instance.health is Health.UNHEALTHY and not instance.stopping),
                    detail=instance.detail or "exited",
                    blamed=instance.blamed and (instance.final or instance.id in explained or self._saw(instance)),
                    final=instance.final,
                )
        self._known = {i.id for i in instances}

    def _saw(self, instance: Instance) -> bool:
        """It was there at the look before this one, or came after that."""
        return instance.id in self._known or instance.launched_at >= self.watched_since
