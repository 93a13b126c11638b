"""A history played: the real controller on the platform in memory, under a time and a scheduler that we own."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

from tests.property.control import Control
from tests.property.history import CHECK, KEY, NEW, OLD, History, sound
from tests.property.invariants import Watch
from tests.property.trouble import (
    BalancerDead,
    BalancerGone,
    ClockSet,
    Denied,
    Frozen,
    Ordered,
    Rival,
    Scaled,
    Struck,
    Throttled,
    Timed,
)

from crossfade.controller.order import Order, Shell
from crossfade.core.actions import AwaitApproval, Finish
from crossfade.core.errors import CrossfadeError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout, State
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Service, Strategy
from crossfade.core.wire import encode, encode_action
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.cloud import DryCloud
from crossfade.engine.dry.journal import JournalPaper
from crossfade.engine.dry.platform import Exchange, Exposure, Life, Platform
from crossfade.engine.dry.timeline import Timeline
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event

EPOCH = 1_000_000.0
LONGEST = 3_000.0  # seconds until a rollout has to be over, whatever happened to it
QUIET = 9.0  # seconds in which nothing was done or waited for: it is at rest
SOMEBODY = Order(by="kim", force=True)


class Remembering(Platform):
    """A platform that has a life for who is gone, too: who looks on judges by them."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.ever: dict[str, Life] = {}

    def launch(self, name: str, release: Release, environment: Mapping[str, str]) -> None:
        super().launch(name, release, environment)
        life = self.lives.get(name)
        if life is not None:
            self.ever[name] = life


class Caught(logging.Handler):
    """Hears of each error that the controller caught and wrote into its log."""

    def __init__(self, heard: Callable[[BaseException], None]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self._heard(record.exc_info[1])


class Simulation:
    """One history. `run` plays it to its end and to rest; what is wrong is raised as an AssertionError."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.timeline = Timeline.new(history.seed)
        self.paper = JournalPaper()
        self.offset = EPOCH  # what the wall clock shows more than the time that passed
        clock = SystemClock(wall=lambda: self.timeline.time() + EPOCH, passed=self.timeline.time)
        self.platform = Remembering(behaves=self._behaves, command=self._command, clock=clock, seed=history.seed)
        self.platform.wall = self.wall
        self.cloud = DryCloud(self.platform, by_hand=history.seed % 2 == 0) if history.cloud else None
        self.calm = False  # from now on nothing goes wrong any more
        self.began = False
        self.orders: list[asyncio.Task[None]] = []  # what people asked for
        self.calls = 0
        self.struck = {t.nth: t for t in reversed(history.troubles) if isinstance(t, Struck)}
        self.writes = 0
        self.looks = 0  # how often it was asked what runs
        self.full_until = 0.0
        self.gone_until = 0.0  # the balancer
        self.throttled = (0.0, 0.0)  # until when, and which share of calls is refused
        self.denied: dict[str, float] = {}  # by operation, until when
        self.chance = Random(f"{history.seed}, throttled")
        self.stopped = (0.0, 0.0)  # when nobody worked last, and for how long
        self.control: Control | None = None
        self.watch = Watch(self)
        self._ids = 0

    @property
    def now(self) -> float:
        return self.timeline.time()

    @property
    def ledger(self) -> Ledger:
        return self.control.registry.ledger(KEY) if self.control else Ledger(service=KEY)

    def wall(self) -> float:
        return self.timeline.time() + self.offset

    def run(self) -> "Simulation":
        log, caught = logging.getLogger("crossfade"), Caught(self.watch.unexpected)
        log.addHandler(caught)
        try:
            self.timeline.run(self._play())
        finally:
            log.removeHandler(caught)
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
        for n in range(self.history.clients):
            self.timeline.call_later(0.1 * n + self.history.every, self._ask)
        try:
            await self._deploy()
            await self._until_over()
            await self._until_quiet()
            self.watch.at_rest()
            self.watch.judge()
        finally:
            if self.control:
                self.control.dead = True
            await self._end()

    async def _end(self) -> None:
        """Of all that goes on but ourselves."""
        tasks = [task for task in self.timeline.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _command(self, command: str) -> Behaviour:
        return Behaviour() if command == CHECK else self.history.hook

    def _behaves(self, release: Release, nth: int) -> Behaviour:
        if self.calm:
            return sound(0.5)
        history = self.history
        lives = history.beside_lives if history.beside and release.service.key == history.beside.key else history.lives
        mine = lives[OLD if release.service in {history.old, history.beside_old} else NEW]
        return mine[nth % len(mine)]

    def _lay_out(self) -> None:
        """The old releases as an earlier deploy left them: healthy, with all traffic, and on record."""
        self.calm = True
        laid = [self._launched(old) for old in (self.history.old, self.history.beside_old) if old is not None]
        self.calm = False
        if laid:
            self.timeline.skip(100.0)
        for release in laid:
            self._exposed(release)

    def _launched(self, old: Service) -> Release:
        release = Release(number=OLD, service=old, version="one", digest="one", config_hash="")
        rollout = Rollout(
            id=1, service=old.key, source=None, target=OLD, strategy=Strategy(), replicas=old.replicas, drain=old.drain
        )
        lines: list[tuple[str, int, dict[str, Any]]] = [
            ("release created", 0, {"release": encode(release)}),
            ("rollout started", 1, {"rollout": encode(rollout), "traffic": encode(Traffic())}),
            ("move", 1, {"action": encode_action(Finish(state=State.SUCCEEDED, reason="")), "counters": []}),
        ]
        events = self.paper.events
        for kind, of, data in lines:
            events.append(Event(kind=kind, service=old.key, rollout=of, data=data, seq=len(events) + 1, at=EPOCH))
        self.platform.artifacts.add((old.key, release.digest))
        for n in range(old.replicas):
            self.platform.launch(f"{old.key.replace('/', '-')}-1-{n}", release, {})
        if self.cloud:
            self.cloud.sizes[old.key] = {OLD: (release, old.replicas)}
        return release

    def _exposed(self, release: Release) -> None:
        if release.service.kind == "worker":
            return
        lives = sorted(self.platform.of(release.service.key), key=lambda life: life.id)
        names = tuple(life.id for life in lives)
        routing = Routing(
            groups=(TargetGroup(release=OLD, registered=names),) if names else (),
            weights=((OLD, 100),) if names else (),
        )
        addresses = {life.id: life.address for life in lives}
        self.platform.expose(Exposure(service=release.service, routing=routing, addresses=addresses, token=0))

    async def _start(self) -> None:
        """A controller that cannot start ends and says why; somebody starts another."""
        while True:
            self.control = Control(self)
            try:
                await self.control.registry.start()
                await self.control.orders.groups.start()
                if self.history.taken_down:
                    await self.control.orders.leftovers.take_up()
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
        services = [one for one in (self.history.beside, self.history.new) if one is not None]
        self.orders.append(asyncio.create_task(self._ordered(control.orders.deploy(services, SOMEBODY, Shell()))))

    async def _ordered(self, order: Awaitable[Any]) -> None:
        try:
            await order
        except CrossfadeError:
            pass  # it was told so, in words
        except Exception as error:
            self.watch.unexpected(error)
            raise

    async def _until_over(self) -> None:
        """Until the rollout is over and no trouble is to come; whoever dies comes back."""
        timed = sorted(
            (trouble for trouble in self.history.troubles if isinstance(trouble, Timed)), key=lambda trouble: trouble.at
        )
        while True:
            await asyncio.sleep(1.0)
            passed = self.now - self.t0
            if self.control and self.control.dead:
                await self._bury()
                continue
            while timed and timed[0].at <= passed:
                await self._meet(timed.pop(0))
            self._answer_questions()
            if passed > LONGEST:
                self.watch.fail("the rollout does not come to an end")
            if timed or not all(order.done() for order in self.orders):
                continue
            if self.control and not self._moves(self.control):
                return

    def _moves(self, control: Control) -> bool:
        under_way = any(loop.ledger.active for loop in control.registry.loops.values())
        return under_way or control.orders.groups.active("shop") is not None

    async def _until_quiet(self) -> None:
        """With all that is launched now sound, and no trouble any more: until nothing is left to do."""
        self.calm = True
        since, lines, there = self.now, len(self.paper.events), self._there()
        began = self.now
        while self.now - since < QUIET:
            await asyncio.sleep(2.0)
            if self.control and self.control.dead:
                await self._bury()
            loops = self.control.registry.loops.values() if self.control else ()
            going = any(i.stopping for loop in loops for i in loop.fleet.instances)  # in a grace as long as a job
            changed = (len(self.paper.events), self._there()) != (lines, there)  # a cloud replaces who ends by itself
            unseen = any(loop.observed_at < self.paper.events[-1].at for loop in loops)  # what failed is tried again
            going = going or bool(self.cloud and self.cloud.renews(KEY))  # also when its restart could not be given up
            if changed or unseen or going or any(loop.waits or loop.trouble for loop in loops):
                since, lines, there = self.now, len(self.paper.events), self._there()
            if self.now - began > LONGEST:
                self.watch.fail("the service does not come to rest")

    def _there(self) -> list[tuple[str, bool]]:
        """Who was ever launched and is not gone, and whether it has exited."""
        now = self.platform.clock.now()
        return [(life.id, life.truth(now) is Health.EXITED) for life in self.platform.lives.values()]

    async def _bury(self) -> None:
        """The controller is gone: nothing of it goes on. Another one comes."""
        control = self.control
        assert control is not None
        self.control = None
        await self._end()
        died = self.platform.clock.now()
        await asyncio.sleep(control.away)
        await self._start()
        self.stopped = (died, self.platform.clock.now() - died)

    async def _meet(self, trouble: Timed) -> None:
        control = self.control
        match trouble:
            case Frozen(seconds=seconds):
                self.stopped = (self.platform.clock.now(), seconds)
                self.timeline.skip(seconds)
            case ClockSet(seconds=seconds):
                self.offset += seconds
            case Rival(seconds=seconds) if KEY in self.paper.leases and control:
                held = self.paper.leases[KEY]
                self.paper.leases[KEY] = replace(held, holder="somebody else", token=held.token + 1)
                worked = held.expires - control.world.pace.lease - self.offset
                self.timeline.call_later(seconds, self._rival_leaves, worked)
            case BalancerDead(seconds=seconds) if control:
                control.balancer_back = self.now + seconds
            case BalancerGone(seconds=seconds):
                self.platform.lose_balancer()
                self.gone_until = max(self.gone_until, self.now + seconds)
                self.timeline.call_at(self.gone_until, self._balancer_back)
            case Throttled(seconds=seconds, share=share):
                self.throttled = (self.now + seconds, share)
            case Denied(seconds=seconds, what=what):
                self.denied[what] = self.now + seconds
            case Scaled(size=size) if self.cloud:
                self.cloud.scale(KEY, size)
            case Ordered() if control and KEY in control.registry.loops:
                self.orders.append(asyncio.create_task(self._ordered(self._order(control, trouble))))
            case _:
                pass

    def _balancer_back(self) -> None:
        if self.now >= self.gone_until:
            self.platform.balancer_gone = False

    def _rival_leaves(self, worked: float) -> None:
        """It did nothing, and tells by its own clock since when nobody has."""
        held = self.paper.leases[KEY]
        if held.holder == "somebody else":
            self.paper.leases[KEY] = replace(held, holder="", expires=worked + self.offset)

    async def _order(self, control: Control, order: Ordered) -> None:
        loop, orders = control.registry.loops[KEY], control.orders
        match order.verb:
            case "supersede":
                newer = self.history.new
                await orders.deploy([newer], Order(by="lee", force=True, supersede=True), Shell())
            case "rollback":
                await orders.rollback(loop, "previous", Order(by="lee", supersede=True))
            case "abort":
                await orders.abort("shop", "web", SOMEBODY)
            case "scale":
                await orders.scale(loop, order.size, SOMEBODY)
            case "restart":
                await orders.restart(loop, SOMEBODY)
                await orders.restarted(loop)
            case "down":
                await orders.down("shop", "web", SOMEBODY)
            case verb:
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

    def _ask(self) -> None:
        """A client asks. No task of its own: of all that happens in a history this happens most often."""
        with suppress(ConnectionRefusedError):
            exchange = self.platform.begin(KEY, {})
            life = self.platform.lives.get(exchange.instance)
            if life is not None:
                exchange.seconds = life.behaviour.answer
                well = life.truth(self.platform.clock.now()) is Health.HEALTHY
                self.timeline.call_later(exchange.seconds, self._answer, exchange, life, well)
                return
            self.platform.end(exchange)
        self.timeline.call_later(self.history.every, self._ask)

    def _answer(self, exchange: Exchange, life: Life, well: bool) -> None:
        """Its answer, if somebody lives to give it; then it asks again."""
        if self.watch.answered(life):
            failed = self.platform.random.random() < life.behaviour.error_rate
            exchange.status = 500 if failed or not well else 200
        self.platform.end(exchange)
        self.timeline.call_later(self.history.every, self._ask)
