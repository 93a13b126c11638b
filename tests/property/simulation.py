"""A history played: the real controller on the platform in memory, under a time and a scheduler that we own."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from tests.property.history import CHECK, KEY, NEW, OLD, History, sound
from tests.property.invariants import Watch
from tests.property.trouble import BalancerDead, ClockSet, DiskFull, Frozen, Killed, LineLost, Ordered, Rival, Struck

from crossfade.controller.order import Order, Shell
from crossfade.controller.orders import Orders
from crossfade.core.actions import AwaitApproval, Finish
from crossfade.core.errors import CrossfadeError, PlatformError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout, State
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Strategy
from crossfade.core.wire import encode, encode_action
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.cloud import LAG, Cloud, CloudBalancer, CloudRuntime
from crossfade.engine.dry.journal import DryJournal, Paper
from crossfade.engine.dry.platform import Exposure, Platform
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.dry.timeline import Timeline
from crossfade.engine.journal import Event, Journal
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports import LoadBalancer, Traffic
from crossfade.engine.world import Pace, World

EPOCH = 1_000_000.0
PACE = Pace(busy=2.0, idle=4.0, probe=(0.5, 2.0))
CLOUD_PACE = Pace(busy=4.0, idle=8.0, retry=4.0, lease=60.0, settle=LAG + 0.5)
LONGEST = 3_000.0  # seconds until a rollout has to be over, whatever happened to it
QUIET = 9.0  # seconds in which nothing was done or waited for: it is at rest
SOMEBODY = Order(by="kim", force=True)


class Simulation:
    """One history. `run` plays it to its end and to rest; what is wrong is raised as an AssertionError."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.timeline = Timeline.new(history.seed)
        self.paper = Paper()
        self.offset = EPOCH  # what the wall clock shows more than the time that passed
        clock = SystemClock(wall=lambda: self.timeline.time() + EPOCH, passed=self.timeline.time)
        self.platform = Platform(behaves=self._behaves, command=self._command, clock=clock, seed=history.seed)
        self.platform.wall = self.wall
        self.cloud = Cloud(self.platform) if history.cloud else None
        self.calm = False  # from now on nothing goes wrong any more
        self.began = False
        self.calls = 0
        self.writes = 0
        self.full_until = 0.0
        self.stopped = (0.0, 0.0)  # when the controller was stopped last, and for how long
        self.control: Control | None = None
        self.watch = Watch(self)
        self._ids = 0

    @property
    def now(self) -> float:
        return self.timeline.time()

    @property
    def ledger(self) -> Ledger:
        if self.control and KEY in self.control.registry.loops:
            return self.control.registry.loops[KEY].ledger
        return Ledger(service=KEY)

    def wall(self) -> float:
        return self.timeline.time() + self.offset

    def run(self) -> "Simulation":
        self.timeline.run(self._play())
        return self

    def text(self) -> str:
        """The journal as lines: the same seed gives the same, byte for byte."""
        return "\n".join(json.dumps([e.at, e.kind, e.rollout, e.data], sort_keys=True) for e in self.paper.events)

    def new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:04x}"

    async def _play(self) -> None:
        self._lay_out()
        await self._start()
        clients = [asyncio.create_task(self._client(n)) for n in range(self.history.clients)]
        world = {asyncio.current_task(), *clients}
        try:
            await self._deploy()
            await self._until_over(world)
            await self._until_quiet(world)
            self.watch.at_rest()
            self.watch.judge()
        finally:
            if self.control:
                self.control.dead = True
            await self._end([task for task in self.timeline.tasks if task is not asyncio.current_task()])

    async def _end(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _command(self, command: str) -> Behaviour:
        return Behaviour() if command == CHECK else self.history.hook

    def _behaves(self, release: Release, nth: int) -> Behaviour:
        if self.calm:
            return sound(0.5)
        lives = self.history.lives[OLD if release.service == self.history.old else NEW]
        return lives[nth % len(lives)]

    def _lay_out(self) -> None:
        """The old release as an earlier deploy left it: healthy, with all traffic, and on record."""
        old = self.history.old
        if old is None:
            return
        digest = "one"
        release = Release(number=OLD, service=old, version="one", digest=digest, config_hash="")
        rollout = Rollout(
            id=1, service=KEY, source=None, target=OLD, strategy=Strategy(), replicas=old.replicas, drain=old.drain
        )
        lines: list[tuple[str, int, dict[str, Any]]] = [
            ("release created", 0, {"release": encode(release)}),
            ("rollout started", 1, {"rollout": encode(rollout), "traffic": encode(Traffic())}),
            ("move", 1, {"action": encode_action(Finish(state=State.SUCCEEDED, reason="")), "counters": []}),
        ]
        for seq, (kind, of, data) in enumerate(lines, start=1):
            self.paper.events.append(Event(kind=kind, service=KEY, rollout=of, data=data, seq=seq, at=EPOCH))
        self.platform.artifacts.add((KEY, digest))
        self.calm = True
        for n in range(old.replicas):
            self.platform.launch(f"shop-web-1-{n}", release, {})
        if self.cloud:
            self.cloud.sizes[KEY] = {OLD: (release, old.replicas)}
        self.calm = False
        self.timeline.skip(100.0)
        if old.kind == "worker":
            return
        names = tuple(sorted(self.platform.lives))
        routing = Routing(
            groups=(TargetGroup(release=OLD, registered=names),) if names else (),
            weights=((OLD, 100),) if names else (),
        )
        addresses = {name: life.address for name, life in self.platform.lives.items()}
        self.platform.expose(Exposure(service=old, routing=routing, addresses=addresses, token=0))

    async def _start(self) -> None:
        """A controller that cannot start ends and says why; somebody starts another."""
        while True:
            self.control = Control(self)
            try:
                await self.control.registry.start()
                await self.control.orders.groups.start()
            except CrossfadeError:
                await self.control.registry.close()
                await asyncio.sleep(1.0)
            else:
                return

    async def _deploy(self) -> None:
        self.began = True
        self.t0 = self.now
        control = self.control
        assert control is not None
        self.deploying = asyncio.create_task(
            self._ordered(control.orders.deploy([self.history.new], SOMEBODY, Shell()))
        )

    async def _ordered(self, order: Awaitable[Any]) -> None:
        with suppress(CrossfadeError):
            await order

    async def _until_over(self, world: set[Any]) -> None:
        """Until the rollout is over and no trouble is to come; whoever dies comes back."""
        timed = sorted(
            (t for t in self.history.troubles if isinstance(t, BalancerDead | Frozen | ClockSet | Rival | Ordered)),
            key=lambda t: t.at,
        )
        while True:
            await asyncio.sleep(1.0)
            passed = self.now - self.t0
            if self.control and self.control.dead:
                await self._bury(world)
                continue
            while timed and timed[0].at <= passed:
                await self._meet(timed.pop(0))
            self._answer_questions()
            if passed > LONGEST:
                self.watch.fail("the rollout does not come to an end")
            if not timed and self.deploying.done() and self.ledger.active is None and self.control:
                return

    async def _until_quiet(self, world: set[Any]) -> None:
        """With all that is launched now sound, and no trouble any more: until nothing is left to do."""
        self.calm = True
        since, lines = self.now, len(self.paper.events)
        began = self.now
        while self.now - since < QUIET:
            await asyncio.sleep(2.0)
            if self.control and self.control.dead:
                await self._bury(world)
            loop = self.control.registry.loops.get(KEY) if self.control else None
            going = loop and any(i.stopping for i in loop.fleet.instances)  # in a grace as long as a job
            if len(self.paper.events) != lines or (loop and (loop.waits or loop.trouble or going)):
                since, lines = self.now, len(self.paper.events)
            if self.now - began > LONGEST:
                self.watch.fail("the service does not come to rest")

    async def _bury(self, world: set[Any]) -> None:
        """The controller is gone: nothing of it goes on. Another one comes."""
        control = self.control
        assert control is not None
        self.control = None
        await self._end([task for task in self.timeline.tasks if task not in world])
        await asyncio.sleep(control.away)
        await self._start()

    async def _meet(self, trouble: Any) -> None:
        control = self.control
        match trouble:
            case Frozen(seconds=seconds):
                self.stopped = (self.platform.clock.now(), seconds)
                self.timeline.skip(seconds)
            case ClockSet(seconds=seconds):
                self.offset += seconds
            case Rival(seconds=seconds) if KEY in self.paper.leases:
                held = self.paper.leases[KEY]
                self.paper.leases[KEY] = replace(held, holder="somebody else", token=held.token + 1)
                self.timeline.call_later(seconds, self._rival_leaves)
            case BalancerDead(seconds=seconds) if control:
                control.balancer_back = self.now + seconds
            case Ordered(verb=verb) if control and KEY in control.registry.loops:
                asyncio.create_task(self._ordered(self._order(control, verb)))  # noqa: RUF006  the timeline keeps it
            case _:
                pass

    def _rival_leaves(self) -> None:
        held = self.paper.leases[KEY]
        if held.holder == "somebody else":
            self.paper.leases[KEY] = replace(held, holder="", expires=self.wall())

    async def _order(self, control: "Control", verb: str) -> None:
        loop, orders = control.registry.loops[KEY], control.orders
        match verb:
            case "supersede":
                newer = self.history.new
                await orders.deploy([newer], Order(by="lee", force=True, supersede=True), Shell())
            case "rollback":
                await orders.rollback(loop, "previous", Order(by="lee", supersede=True))
            case "abort":
                await orders.abort("shop", "web", SOMEBODY)
            case _:
                await getattr(orders, verb)(loop, SOMEBODY)

    def _answer_questions(self) -> None:
        """Who is asked promotes; what was paused is resumed after a while."""
        control = self.control
        loop = control.registry.loops.get(KEY) if control else None
        if control is None or loop is None or loop.ledger.active is None:
            return
        rollout = loop.ledger.active
        if any(isinstance(action, AwaitApproval) for action in loop.waits) and rollout.approved < rollout.step:
            asyncio.create_task(self._ordered(control.orders.promote(loop, SOMEBODY)))  # noqa: RUF006
        if rollout.paused and int(self.now) % 40 == 0:
            asyncio.create_task(self._ordered(control.orders.resume(loop, SOMEBODY)))  # noqa: RUF006

    async def _client(self, n: int) -> None:
        """Somebody who asks, again and again."""
        await asyncio.sleep(0.1 * n)
        while True:
            await asyncio.sleep(self.history.every)
            with suppress(ConnectionRefusedError):
                async with self.platform.request(KEY, {}) as exchange:
                    life = self.platform.lives.get(exchange.instance)
                    if life is None:
                        continue
                    exchange.seconds = life.behaviour.answer
                    well = life.truth(self.platform.clock.now()) is Health.HEALTHY
                    await asyncio.sleep(exchange.seconds)
                    if not self.watch.answered(life):
                        continue
                    failed = self.platform.random.random() < life.behaviour.error_rate
                    exchange.status = 500 if failed or not well else 200


class Control:
    """One controller: what it is connected to is cut when it dies."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.dead = False
        self.away = 0.0  # how long nobody comes after it
        self.balancer_back = 0.0
        clock = SystemClock(wall=simulation.wall, passed=simulation.timeline.time)
        lines = simulation.paper.events
        clock.not_before(lines[-1].at if lines else 0.0)
        journal = DryJournal(clock, simulation.paper)
        platform, cloud = simulation.platform, simulation.cloud
        balancer = CloudBalancer(cloud, journal) if cloud else DryBalancer(platform, journal)
        adapter = CloudRuntime(cloud, journal) if cloud else DryRuntime(platform, journal)
        runtime = cast(CloudRuntime, Port(self, "runtime", adapter, self._called))
        self.world = World(
            journal=cast(Journal, Port(self, "journal", journal, self._written)),
            runtimes={"process": runtime},
            sizers={"process": runtime} if cloud else {},
            balancer=cast(LoadBalancer, Port(self, "balancer", balancer, self._called)),
            ask=platform.ask,
            visit=self._visit,
            clock=clock,
            secrets=lambda _: {},
            told=lambda _: None,
            pace=CLOUD_PACE if cloud else PACE,
            new_id=simulation.new_id,
        )
        self.orders = Orders(self.world, "the controller", Secrets())
        self.registry = self.orders.registry

    async def gone(self) -> Any:
        """Nothing is answered to the dead."""
        await asyncio.get_running_loop().create_future()

    def die(self, seconds: float) -> None:
        self.dead, self.away = True, seconds

    async def _visit(self, _url: str, headers: Mapping[str, str], count: int) -> None:
        for _ in range(count):
            with suppress(ConnectionRefusedError):
                async with self.simulation.platform.request(KEY, headers) as exchange:
                    exchange.status = 200

    async def _written(self, name: str, act: Callable[[], Awaitable[Any]]) -> Any:
        """A line is to be written: maybe the disk is full, the answer is lost, or we die over it."""
        simulation = self.simulation
        if not simulation.began or simulation.calm or name in {"journal.read", "journal.token", "journal.check"}:
            return await act()
        if not name.endswith(".append"):
            if simulation.now < simulation.full_until:
                raise PlatformError("the disk is full")
            return await act()
        simulation.writes += 1
        for trouble in simulation.history.troubles:
            match trouble:
                case DiskFull(nth=nth, seconds=seconds) if nth == simulation.writes:
                    simulation.full_until = simulation.now + seconds
                case Killed(nth=nth, written=written, seconds=seconds) if nth == simulation.writes:
                    if written:
                        await act()
                    self.die(seconds)
                    return await self.gone()
                case LineLost(nth=nth) if nth == simulation.writes:
                    await act()
                    raise PlatformError("the line's answer was lost")
                case _:
                    pass
        if simulation.now < simulation.full_until:
            raise PlatformError("the disk is full")
        return await act()

    async def _called(self, name: str, act: Callable[[], Awaitable[Any]]) -> Any:
        simulation = self.simulation
        if not simulation.began or simulation.calm:
            return await act()
        if name.startswith("balancer") and simulation.now < self.balancer_back:
            raise PlatformError("the balancer does not answer")
        simulation.calls += 1
        struck = next(
            (t for t in simulation.history.troubles if isinstance(t, Struck) and t.nth == simulation.calls), None
        )
        if struck is None:
            return await act()
        return await self._strike(struck, act)

    async def _strike(self, struck: Struck, act: Callable[[], Awaitable[Any]]) -> Any:
        match struck.how:
            case "refused":
                raise PlatformError("the platform refuses")
            case "lost":
                await act()
                raise PlatformError("the answer was lost")
            case "slow":
                await asyncio.sleep(struck.seconds)
                raise PlatformError("the call timed out")
            case "late":
                done = await act()
                await asyncio.sleep(struck.seconds)
                return done
            case "twice":
                await act()
                return await act()


class Port:
    """An adapter as one controller reaches it: every call may meet trouble, and none goes through once it is dead."""

    def __init__(self, control: Control, name: str, adapter: Any, struck: Any) -> None:
        self._control, self._name, self._adapter, self._struck = control, name, adapter, struck

    def __getattr__(self, method: str) -> Any:
        act = getattr(self._adapter, method)
        if not callable(act):
            return act
        control = self._control
        name = f"{self._name}.{method}"

        async def called(*args: Any, **kwargs: Any) -> Any:
            if control.dead:
                raise PlatformError("its controller is dead")

            async def really() -> Any:
                simulation = control.simulation
                simulation.watch.before(method, args)
                newest = simulation.paper.leases[KEY].token if KEY in simulation.paper.leases else 0
                result = await act(*args, **kwargs)
                simulation.watch.nobody_acts_under_an_old_token(method, args, newest)
                return result

            return await self._struck(name, really)

        return called


class Secrets:
    """None are needed."""

    def mark(self, service: str, values: Mapping[str, str]) -> str:
        return ""

    def save(self, service: str, values: Mapping[str, str]) -> str:
        return ""

    def of(self, release: Release) -> Mapping[str, str]:
        return {}

    def forget(self, mark: str) -> None: ...
