"""Jobs through the real controller on the platform in memory, under a time of their own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

from tests.property.control import Secrets

from crossfade.controller.order import Order, Shell
from crossfade.controller.orders import Orders
from crossfade.core.actions import Finish
from crossfade.core.job import Job, Timetable
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout, State
from crossfade.core.service import HealthCheck, RollbackOn, Service, Strategy
from crossfade.core.wire import encode, encode_action
from crossfade.engine.clock import SystemClock
from crossfade.engine.dry.balancer import DryBalancer
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.journal import DryJournal, JournalPaper
from crossfade.engine.dry.platform import Platform
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.dry.timeline import Timeline
from crossfade.engine.fold import fold
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event, Journal
from crossfade.engine.world import World

MINUTE = 60.0
EPOCH = 1_000_000.0  # 20 s before a full minute, 800 s before a full hour
JOB = Job(name="digest", schedule="* * * * *", command="./digest")
KEY = "shop/web"


class DeadError(Exception):
    """The controller was killed over a line."""


class Killing:
    """A journal over whose `nth` line its controller dies: before the line is written, or right after."""

    def __init__(self, journal: Any, nth: int, *, written: bool) -> None:
        self._journal, self._nth, self._written = journal, nth, written
        self.dead = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def append(self, event: Event, token: int) -> Event:
        self._nth -= 1
        if self._nth == 0 and self._written:
            await self._journal.append(event, token)
        if self._nth <= 0:
            self.dead.set()
            await asyncio.get_running_loop().create_future()
        return cast(Event, await self._journal.append(event, token))


class Machine:
    """What outlives a controller: a service that runs nothing but its jobs."""

    def __init__(self, *jobs: Job, **program: Any) -> None:
        self.timeline = Timeline.new()
        self.clock = SystemClock(wall=lambda: self.timeline.time() + EPOCH, passed=self.timeline.time)
        self.wall: Callable[[], float] = self.clock.now
        program = {"code": 0, "seconds": 5.0, "says": lambda env: [f"of {env['CROSSFADE_RELEASE']}"], **program}
        self.platform = Platform(command=lambda _: Behaviour(**program), clock=self.clock)
        self.paper = JournalPaper()
        service = Service(app="shop", name="web", replicas=0, jobs=jobs)
        self.release = Release(number=1, service=service, version="", digest="d", config_hash="")
        self.platform.artifacts.add((KEY, "d"))
        rollout = Rollout(id=1, service=KEY, source=None, target=1, strategy=Strategy(), replicas=0, drain=0.0)
        lines: list[tuple[str, dict[str, Any]]] = [
            ("release created", {"release": encode(self.release)}),
            ("rollout started", {"rollout": encode(rollout), "traffic": encode(Traffic())}),
            ("move", {"action": encode_action(Finish(state=State.SUCCEEDED, reason="")), "counters": []}),
        ]
        for seq, (kind, data) in enumerate(lines, start=1):
            self.paper.events.append(Event(kind=kind, service=KEY, rollout=1, data=data, seq=seq, at=self.clock.now()))

    def controller(self, journal: Any = None) -> Orders:
        own = DryJournal(self.clock, self.paper)
        runtime = DryRuntime(self.platform, own)
        world = World(
            journal=cast(Journal, journal or own),
            runtimes={"process": runtime},
            job_runners={"process": runtime},
            balancer=DryBalancer(self.platform, own),
            ask=self.platform.ask,
            visit=_visit,
            clock=self.clock,
            secrets=lambda _: {},
            told=lambda _: None,
            wall=self.wall,
        )
        return Orders(world, "the controller", Secrets())

    def play(self, story: Callable[["Machine"], Awaitable[None]]) -> None:
        self.timeline.run(_played(self, story))

    async def lasts(self, seconds: float) -> Orders:
        """A controller that works for so long and is stopped in order."""
        orders = self.controller()
        await orders.registry.start()
        await asyncio.sleep(seconds)
        self.ledger = orders.registry.ledger(KEY)
        await orders.registry.close()
        return orders

    def told(self, kind: str) -> list[Event]:
        return [event for event in self.paper.events if event.kind == kind]

    def timetable(self, name: str = "digest") -> Timetable:
        return self.ledger.jobs[name]


async def _played(machine: Machine, story: Callable[[Machine], Awaitable[None]]) -> None:
    await story(machine)


async def _visit(_url: str, _headers: Any, _count: int, _patience: float) -> None: ...


def begun_at(machine: Machine) -> list[float]:
    """Seconds after the minute at which runs began."""
    return [round(event.at % MINUTE, 1) for event in machine.told("job started")]


def test_a_job_runs_at_its_time_on_the_release_that_runs() -> None:
    """Every minute, within a second of it; how it ended and what it wrote is on record."""
    machine = Machine(JOB)
    machine.play(lambda m: m.lasts(3 * MINUTE))
    assert len(machine.told("job started")) == 3
    assert max(begun_at(machine)) < 1.0
    assert [e.data["code"] for e in machine.told("job ended")] == [0, 0, 0]
    assert machine.told("job ended")[0].data["output"] == "of 1"
    run = machine.timetable().run
    assert run
    assert (run.under_way, run.failed) == (False, False)
    assert machine.platform.runs == {}


def test_a_release_is_made_ready_before_a_run_is_due() -> None:
    """Once for all jobs of a moment, and not again while another one comes; at the moment itself only a run begins."""
    machine = Machine(JOB, replace(JOB, name="report"), replace(JOB, name="hourly", schedule="0 * * * *"))
    machine.play(lambda m: m.lasts(3 * MINUTE))
    before = [MINUTE - at % MINUTE for at, release in machine.platform.ready_for if release == 1]
    assert len(before) == 3
    assert all(8.0 <= seconds <= 10.0 for seconds in before)
    assert max(begun_at(machine)) == 0.0


def test_a_job_that_fails_says_how() -> None:
    """With its code and the last line that it wrote."""
    machine = Machine(JOB, code=3)
    machine.play(lambda m: m.lasts(MINUTE))
    run = machine.timetable().run
    assert run
    assert run.failed
    assert run.detail == "failed with code 3: of 1"


def test_a_job_that_takes_too_long_is_ended() -> None:
    """At its timeout, and counts as failed."""
    machine = Machine(replace(JOB, timeout=10.0), seconds=1000.0)
    machine.play(lambda m: m.lasts(MINUTE))
    run = machine.timetable().run
    assert run
    assert (run.code, run.detail) == (124, "failed with code 124: timed out after 10 s")
    assert machine.platform.runs == {}


def test_an_overlap_is_left_out_or_waits() -> None:
    """Runs of 90 s every minute: every other one is left out, or each begins when the one before is over."""
    skips, queues = Machine(JOB, seconds=90.0), Machine(replace(JOB, overlap="queue"), seconds=90.0)
    for machine in (skips, queues):
        machine.play(lambda m: m.lasts(5 * MINUTE))
    assert len(skips.told("job skipped")) == 2
    assert [round(event.data["run"]["due"] - EPOCH - 20) for event in skips.told("job started")] == [0, 120, 240]
    assert queues.told("job skipped") == []
    began = [event.at for event in queues.told("job started")]
    assert {round(after - before) for before, after in pairwise(began)} <= {90, 91}


def test_nobody_was_there_for_an_hour() -> None:
    """One run makes it good, or none, as the job says; and after that it goes on as ever."""

    async def away(machine: Machine) -> None:
        await machine.lasts(MINUTE)
        machine.timeline.skip(3600)
        await machine.lasts(MINUTE)

    made_good, left_out = Machine(JOB), Machine(replace(JOB, missed="skip", schedule="0 * * * *"))
    made_good.play(away)
    left_out.play(away)
    assert len(made_good.told("job started")) == 3
    assert len(left_out.told("job started")) == 0
    assert [event.data["why"] for event in left_out.told("job skipped")] == ["no controller ran at its time"]


def test_a_clock_that_was_wrong_by_years_keeps_no_job_from_running_once_it_is_set_right() -> None:
    """Its moments count from then on. One that is set back by hours runs nothing twice."""

    async def ahead(machine: Machine, seconds: float) -> None:
        right = machine.wall
        machine.wall = lambda: right() + seconds
        await machine.lasts(2 * MINUTE)
        machine.wall = right
        await machine.lasts(2 * MINUTE)

    years, hours = Machine(JOB), Machine(JOB)
    years.play(lambda m: ahead(m, 10 * 365 * 86_400.0))
    hours.play(lambda m: ahead(m, 5 * 3600.0))
    assert len(years.told("job started")) == 4
    assert len(hours.told("job started")) == 2


def test_a_run_that_ended_while_nobody_was_there_leaves_none_out() -> None:
    """What was missed after it is made good: only the record still said that it was under way."""

    async def away(machine: Machine) -> None:
        await machine.lasts(50.0)
        await asyncio.sleep(5 * MINUTE)
        await machine.lasts(5.0)

    machine = Machine(JOB, seconds=70.0)
    machine.play(away)
    assert machine.told("job skipped") == []
    assert [event.data["code"] for event in machine.told("job ended")] == [0]
    first, second = machine.told("job started")
    assert round(second.at - first.at) == round(50.0 + 5 * MINUTE - 20)
    assert second.data["run"]["due"] - first.data["run"]["due"] == 5 * MINUTE


def test_a_run_outlives_its_controller_and_is_seen_through_by_the_next() -> None:
    """It goes on while nobody is there, and its end is told by who comes."""

    async def restarted(machine: Machine) -> None:
        await machine.lasts(50.0)
        await asyncio.sleep(100.0)
        await machine.lasts(5.0)

    machine = Machine(replace(JOB, schedule="0 * * * *"), seconds=60.0)
    machine.timeline.skip(780.0)
    machine.play(restarted)
    assert len(machine.told("job started")) == len(machine.told("job ended")) == 1
    assert machine.told("job ended")[0].data["code"] == 0


def test_no_run_is_done_twice_whichever_line_a_controller_dies_over() -> None:
    """Killed at each of its lines, before and after it is written: each moment has one run, begun once."""
    for nth in range(1, 9):
        for written in (False, True):
            machine = Machine(JOB, seconds=20.0)

            async def killed(machine: Machine, nth: int = nth, written: bool = written) -> None:
                journal = Killing(DryJournal(machine.clock, machine.paper), nth, written=written)
                orders = machine.controller(journal)
                await orders.registry.start()
                await journal.dead.wait()
                for task in [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]:
                    task.cancel()
                await asyncio.sleep(1.0)
                await machine.lasts(2 * MINUTE)

            machine.play(killed)
            dues = [event.data["run"]["due"] for event in machine.told("job started")]
            assert len(dues) == len(set(dues)), (nth, written, dues)
            assert max(machine.platform.begun.values()) == 1
            assert len(machine.platform.begun) == len(dues)


def test_what_was_taken_down_runs_no_more() -> None:
    """A run that is under way is ended, and its end is on record."""

    async def down(machine: Machine) -> None:
        orders = machine.controller()
        await orders.registry.start()
        await asyncio.sleep(MINUTE)
        await orders.down("shop", None, Order(by="kim"))
        machine.ledger = orders.registry.ledger(KEY)
        await asyncio.sleep(2 * MINUTE)
        await orders.registry.close()

    machine = Machine(JOB, seconds=1000.0)
    machine.play(down)
    run = machine.timetable().run
    assert run
    assert run.failed
    assert "taken down" in run.detail
    assert len(machine.told("job started")) == 1
    assert machine.platform.runs == {}


def test_each_moment_is_one_services_whoever_has_the_name() -> None:
    """A rename at any time of the minute, and the way back across it: no moment is run twice, and none is left out.

    The old name goes with the group's end, 20 s after the new one is good.
    """
    bakes = Strategy(bake=20.0, rollback_on=RollbackOn(min_requests=0))
    mailer = Service(
        app="shop", name="mailer", kind="worker", source="/src", health=HealthCheck(after=1.0), strategy=bakes
    )
    for begun in (5, 20, 35, 50):
        machine = Machine(JOB, seconds=0.0)

        async def renamed(machine: Machine, begun: float = begun) -> None:
            orders, kim = machine.controller(), Order(by="kim")
            await orders.start()
            await asyncio.sleep(begun)
            heir = replace(machine.release.service, name="site", was="web", source="/src/two")
            await orders.deploy([heir, mailer], kim, Shell())
            await until_gone(orders, KEY)
            await asyncio.sleep(2 * MINUTE + 10.0)
            await orders.rollback(orders.registry.loops["shop/site"], "previous", kim)
            await until_gone(orders, "shop/site")
            await asyncio.sleep(2 * MINUTE)
            await orders.close()

        machine.play(renamed)
        dues = [event.data["run"]["due"] for event in machine.told("job started")]
        assert dues == [dues[0] + n * MINUTE for n in range(len(dues))], begun
        assert {event.service for event in machine.told("job started")} == {KEY, "shop/site"}


async def until_gone(orders: Orders, key: str) -> None:
    while key in orders.registry.loops:  # noqa: ASYNC110  time is the machine's own, and takes none
        await asyncio.sleep(0.1)


def test_what_was_taken_down_has_missed_nothing() -> None:
    """It is deployed again after an hour: its next run is at its next time."""

    async def again(machine: Machine) -> None:
        orders = machine.controller()
        await orders.start()
        await asyncio.sleep(MINUTE)
        await orders.down("shop", None, Order(by="kim"))
        await until_gone(orders, KEY)
        await asyncio.sleep(60 * MINUTE + 5.0)
        await orders.deploy([machine.release.service], Order(by="kim", force=True), Shell())
        await asyncio.sleep(MINUTE)
        await orders.close()

    machine = Machine(JOB, seconds=0.0)
    machine.play(again)
    assert begun_at(machine) == [0.0, 0.0]
    assert fold(machine.paper.events)[KEY].runs == (), "the next controller reads it"
