"""A platform, a balancer and a clock in memory, with everything that may go wrong with them.

Synchronous and repeatable: the same effects, behaviour and faults give the same world.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crossfade.core.actions import Effect, Launch, Probe, RunHook, Shift, Stop
from crossfade.core.counters import Counters
from crossfade.core.errors import CrossfadeError, PlatformError
from crossfade.core.fleet import Exit, Fleet, Health, Instance
from crossfade.core.rollout import Hook

PROBING = 2.0  # seconds until a new controller knows an instance's health


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What an instance makes of its life: (seconds after its launch, the health it has from then on), ascending."""

    life: tuple[tuple[float, Health], ...] = ((2.0, Health.HEALTHY),)
    request: float = 0.1  # seconds its longest plain request takes
    streams: int = 0  # long connections it holds once it served
    grace: float = 0.1  # seconds from SIGTERM to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a release answers."""

    error_rate: float = 0.0
    latency_ms: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one effect: it takes `seconds`, is done `times`; then it is reported failed, or we die."""

    seconds: float = 0.0
    times: int = 1
    failed: bool = False
    crash: bool = False


class CrashError(CrossfadeError):
    """The controller died in the middle of an effect."""


@dataclass(slots=True, kw_only=True)
class _Life:
    """One simulated instance: what it is (`truth`), and what the controller knows of it."""

    id: str
    release: int
    behaviour: Behaviour
    launched_at: float
    truth: Health = Health.STARTING
    health: Health = Health.STARTING
    healthy_since: float | None = None
    draining_since: float | None = None
    served: bool = False
    quiet_at: float | None = None  # when its last request is answered; None while it gets new ones
    gone_at: float | None = None  # when the stop under way is done

    def seen(self, time: float) -> Instance:
        return Instance(
            id=self.id,
            release=self.release,
            health=self.health,
            launched_at=self.launched_at,
            healthy_since=self.healthy_since,
            draining_since=self.draining_since,
            in_flight=int(self.served and (self.quiet_at is None or time < self.quiet_at)),
            streams=self.behaviour.streams if self.served else 0,
            stopping=self.gone_at is not None,
            detail="" if self.health in {Health.STARTING, Health.HEALTHY} else f"is {self.health}",
        )


@dataclass(slots=True, kw_only=True)
class _Answers:
    """What one release answered so far."""

    requests: float = 0.0
    errors: float = 0.0


class World:
    """What runs, who gets traffic and what time it is.

    `behaves` gives the n-th instance of a release its life, `manners` says how releases answer, `requests` is how
    many come a second, `hooks` maps a hook to its seconds and its complaint, and `fault` strikes effects.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        behaves: Callable[[int, int], Behaviour] = lambda _release, _nth: Behaviour(),
        manners: Mapping[int, Manner] | None = None,
        requests: float = 50.0,
        hooks: Mapping[Hook, tuple[float, str]] | None = None,
        fault: Callable[[Effect], Fault] = lambda _effect: Fault(),
        now: float = 0.0,
    ) -> None:
        self.time = 0.0
        self.clock_ahead = now  # the controller's clock shows this much more than the time that passed
        self.routing = fleet.routing
        self.exits = list(fleet.exits)
        self.behaves, self.fault = behaves, fault
        self._manners, self._requests, self._hooks = manners or {}, requests, hooks or {}
        self._hook: tuple[Hook, float] | None = None  # the one that runs, and when it ends
        self._lives: dict[str, _Life] = {}
        self._launched: Counter[int] = Counter()
        self._answers = {release: _Answers(requests=c.requests, errors=c.errors) for release, c in fleet.counters}
        self._due: list[tuple[float, int, str, Health | None]] = []  # heap of changes to come; None: a new look
        self._order = 0
        for instance in fleet.instances:
            self._found(instance)

    @property
    def now(self) -> float:
        """The controller's clock."""
        return self.time + self.clock_ahead

    def jump(self, seconds: float) -> None:
        """Somebody set the clock."""
        self.clock_ahead += seconds

    def observe(self) -> Fleet:
        """What the controller sees. When it first sees an instance draining is on record, as `routed` events are."""
        for name in self.routing.draining():
            life = self._lives.get(name)
            if life and life.draining_since is None:
                life.draining_since = self.now
        return Fleet(
            instances=tuple(life.seen(self.time) for life in self._lives.values()),
            routing=self.routing,
            counters=tuple((release, self._counters(release)) for release in sorted(self._answers)),
            exits=tuple(self.exits),
        )

    def perform(self, effect: Effect) -> None:
        """Do an effect, or what a fault makes of it: PlatformError says it failed, CrashError that we died in it."""
        fault = self.fault(effect)
        for _ in range(fault.times):
            self._do(effect)
        self.wait(fault.seconds)
        if fault.crash:
            raise CrashError("the controller died")
        if fault.failed:
            self._refused(effect)
            raise PlatformError(f"{effect} failed")

    def hook_ended(self) -> tuple[Hook, str] | None:
        """The hook that has just ended and its complaint."""
        if self._hook is None or self.time < self._hook[1]:
            return None
        hook, self._hook = self._hook[0], None
        return hook, self._hooks.get(hook, (0.0, ""))[1]

    def cancel_hook(self) -> None:
        self._hook = None

    def forget(self, seconds: float) -> None:
        """The controller dies and another one starts: what only it knew is lost, what was begun is begun again.

        Instances that the balancer has registered are trusted until they fail, the others are probed anew.
        """
        self._hook = None
        self.wait(seconds)
        registered = self.routing.registered()
        for life in self._lives.values():
            if life.gone_at is not None:
                life.gone_at = self.time + life.behaviour.grace
            elif life.health is not Health.EXITED:
                trusted = life.id in registered
                life.health = Health.HEALTHY if trusted else Health.STARTING
                life.healthy_since = self.now if trusted else None
                self._schedule(self.time + PROBING, life.id, None)

    def next_change(self) -> float:
        """Seconds until an instance or a hook does something by itself; infinite when none will."""
        times = [life.gone_at for life in self._lives.values() if life.gone_at is not None]
        times += [life.quiet_at for life in self._lives.values() if life.quiet_at and life.quiet_at > self.time]
        if self._due:
            times.append(self._due[0][0])
        if self._hook:
            times.append(self._hook[1])
        return max(0.0, min(times, default=float("inf")) - self.time)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.time + seconds
        while self._due and self._due[0][0] <= end:
            time, _, name, health = heapq.heappop(self._due)
            self._answer(time - self.time)
            self.time = max(self.time, time)
            if name in self._lives:
                self._turn(self._lives[name], health or self._lives[name].truth)
        self._answer(end - self.time)
        self.time = end
        self._lives = {n: life for n, life in self._lives.items() if life.gone_at is None or life.gone_at > end}

    def _found(self, instance: Instance) -> None:
        """One that is there already: the first change of its life, becoming healthy, is behind it."""
        life = self._born(instance.id, instance.release, since=None)
        life.truth = life.health = instance.health
        life.launched_at, life.healthy_since = instance.launched_at, instance.healthy_since
        life.draining_since = instance.draining_since
        life.served = instance.id in self.routing.serving()

    def _born(self, name: str, release: int, *, since: float | None) -> _Life:
        behaviour = self.behaves(release, self._launched[release])
        self._launched[release] += 1
        life = _Life(id=name, release=release, behaviour=behaviour, launched_at=self.now)
        self._lives[name] = life
        first = behaviour.life[0][0] if behaviour.life else 0.0
        for after, health in behaviour.life if since is not None else behaviour.life[1:]:
            self._schedule(since + after if since is not None else after - first, name, health)
        return life

    def _schedule(self, time: float, name: str, health: Health | None) -> None:
        self._order += 1
        heapq.heappush(self._due, (time, self._order, name, health))

    def _turn(self, life: _Life, health: Health) -> None:
        """The instance changes, and the controller notices."""
        life.truth = health
        if life.health in {health, Health.EXITED} or life.gone_at is not None:
            return
        if health is Health.HEALTHY:
            life.health, life.healthy_since = health, self.now
        elif health is Health.EXITED or life.health is Health.HEALTHY:
            self._lost(life, health)

    def _lost(self, life: _Life, health: Health) -> None:
        if all(e.instance != life.id for e in self.exits):
            healthy = life.healthy_since is not None
            self.exits.append(
                Exit(instance=life.id, release=life.release, at=self.now, was_healthy=healthy, detail=f"is {health}")
            )
        life.health = health

    def _do(self, effect: Effect) -> None:
        match effect:
            case Launch():
                for _ in range(effect.count):
                    self._born(f"{effect.release}-{self._launched[effect.release]}", effect.release, since=self.time)
            case Shift():
                self._route(effect)
            case Stop():
                self._stop(effect.instance)
            case RunHook():
                if self._hook is None:
                    self._hook = (effect.hook, self.time + self._hooks.get(effect.hook, (0.0, ""))[0])
            case Probe():
                self._count(effect.release, effect.count)

    def _refused(self, effect: Effect) -> None:
        """A launch that failed counts like an exit, so that back-off and verdicts hold for it too."""
        if isinstance(effect, Launch):
            name = f"{effect.release}-{self._launched[effect.release]}"
            self.exits.append(
                Exit(instance=name, release=effect.release, at=self.now, was_healthy=False, detail="was not launched")
            )

    def _route(self, shift: Shift) -> None:
        self.routing = shift.routing
        serving, draining = self.routing.serving(), self.routing.draining()
        for life in self._lives.values():
            if life.id in serving:
                life.served, life.quiet_at = True, None
            elif life.served and life.quiet_at is None:
                life.quiet_at = self.time + life.behaviour.request
            if life.id not in draining:
                life.draining_since = None

    def _stop(self, name: str) -> None:
        life = self._lives.get(name)
        if life and life.health is Health.EXITED:
            del self._lives[name]
        elif life and life.gone_at is None:
            life.gone_at = self.time + life.behaviour.grace

    def _answer(self, seconds: float) -> None:
        total = sum(weight for _, weight in self.routing.weights)
        for release, weight in self.routing.weights:
            self._count(release, self._requests * seconds * weight / total)

    def _count(self, release: int, requests: float) -> None:
        answers = self._answers.setdefault(release, _Answers())
        answers.requests += requests
        answers.errors += requests * self._manners.get(release, Manner()).error_rate

    def _counters(self, release: int) -> Counters:
        answers, manner = self._answers[release], self._manners.get(release, Manner())
        requests = int(answers.requests)
        return Counters(requests=requests, errors=int(answers.errors), latency=((manner.latency_ms, requests),))
