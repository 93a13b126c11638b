"""How often instances that start are asked whether they are well."""

import asyncio

import pytest
from tests.adapters.until import until

from crossfade.core.errors import PlatformError
from crossfade.core.fleet import Health
from crossfade.core.service import HealthCheck
from crossfade.engine.prober import Prober
from crossfade.engine.world import Pace


class _Clock:
    """A time that passes only by those who sleep."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        due = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, due)


async def _found(boot: float, instances: int = 1) -> tuple[float, int]:
    """When the first of so many, each of which answers after `boot` seconds, is healthy, and how often it was asked."""
    clock, asked = _Clock(), 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        return "" if clock.now() >= boot else "nothing listens"

    prober = Prober(clock, lambda: None, Pace().probe)
    prober.watch({f"web-{n}": (ask, HealthCheck(path="/", healthy=2)) for n in range(instances)}, frozenset())
    while prober.seen("web-0").health is not Health.HEALTHY:  # noqa: ASYNC110  whose time is what is measured
        await asyncio.sleep(0)
    when = clock.now()
    prober.close()
    return when, asked // instances


@pytest.mark.parametrize(("boot", "later"), [(0.06, 0.03), (1.0, 0.05), (10.0, 0.11)])
async def test_one_that_answers_is_found_soon(boot: float, later: float) -> None:
    """Both healthy answers of one that boots in a second are had within a twentieth of it."""
    when, asked = await _found(boot)
    assert boot <= when <= boot + later
    assert asked <= 100 + 20 * boot


async def test_many_that_start_at_once_are_asked_less_often_each() -> None:
    """A hundred of them get as many questions a second as processors have time for."""
    _, asked = await _found(1.0, instances=100)
    assert asked <= 23


async def test_an_answer_that_we_came_too_late_for_is_no_failure() -> None:
    """Who was stopped, or got no time on a busy machine, finds a check's timeout over: that says nothing of anybody."""
    clock, late = _Clock(), [0.0, 3.0, 0.0, 60.0, 0.0]

    async def ask() -> str:
        await clock.sleep(1.0 + (late.pop() if late else 0.0))
        return "did not answer within 1 s"

    prober = Prober(clock, lambda: None, Pace().probe)
    prober.watch({"web": (ask, HealthCheck(path="/", timeout=1.0, unhealthy=3))}, frozenset({"web"}))
    health = []
    for left in range(4, -1, -1):
        while len(late) > left:  # noqa: ASYNC110  it sleeps in a time of its own
            await asyncio.sleep(0)
        health.append(prober.seen("web").health)
    assert health == [Health.HEALTHY] * 5
    while not (lost := prober.seen("web").health is not Health.HEALTHY) and clock.now() < 1000:  # noqa: ASYNC110
        await asyncio.sleep(0)
    prober.close()
    assert lost


async def test_one_that_hangs_is_found_also_where_we_are_always_late() -> None:
    """Of two late answers in a row one counts: with three failures needed it is out after six."""
    clock, asked = _Clock(), 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        await clock.sleep(5.0)
        return "did not answer within 1 s"

    prober = Prober(clock, lambda: None, Pace().probe)
    prober.watch({"web": (ask, HealthCheck(path="/", timeout=1.0, unhealthy=3))}, frozenset({"web"}))
    while prober.seen("web").health is Health.HEALTHY and asked < 100:  # noqa: ASYNC110  it sleeps in a time of its own
        await asyncio.sleep(0)
    prober.close()
    assert asked == 6


async def test_one_that_is_slow_to_answer_is_told_so_while_it_is_asked() -> None:
    """In place of what was found before it listened, which is no longer true; once it answered, of that nothing."""
    clock, answer = _Clock(), asyncio.Event()
    said = ["nothing listens on $PORT"]

    async def ask() -> str:
        if said:
            return said.pop()
        await answer.wait()
        return ""

    prober = Prober(clock, lambda: None, Pace().probe)
    prober.watch({"web-1": (ask, HealthCheck(path="/", healthy=1, timeout=12))}, frozenset())
    while said or prober._watched["web-1"].asked is None:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)
    assert prober.seen("web-1").detail == "nothing listens on $PORT"
    clock.time += 8.0
    silent = "has not answered its health check for 8 s"
    assert prober.seen("web-1").detail == f"{silent}; before that: nothing listens on $PORT"
    answer.set()
    while prober.seen("web-1").health is not Health.HEALTHY:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)
    assert prober.seen("web-1").detail == ""
    prober.close()


async def test_a_complaint_is_not_told_as_if_it_were_so_after_a_check_was_passed() -> None:
    """Between the checks of one that needs several of them: the complaint is from before."""
    clock, said = _Clock(), ["", "nothing listens on $PORT"]

    async def ask() -> str:
        if said:
            return said.pop()
        await asyncio.Event().wait()
        return ""

    prober = Prober(clock, lambda: None, Pace().probe)
    prober.watch({"web-1": (ask, HealthCheck(path="/", healthy=2))}, frozenset())
    while said or prober._watched["web-1"].asked is None:  # noqa: ASYNC110  as above
        await asyncio.sleep(0)
    passed = "passed 1 of 2 health checks in a row"
    assert prober.seen("web-1").detail == f"{passed}; before that: nothing listens on $PORT"
    clock.time += 8.0
    assert prober.seen("web-1").detail == f"has not answered its health check for 8 s; before that: {passed}"
    prober.close()


async def test_what_could_not_be_asked_is_told_of_who_starts_and_held_against_nobody() -> None:
    """The controller has no file left, say: of one that serves nothing was found out."""
    clock, asked = _Clock(), 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        raise PlatformError("it could not be asked from here: Too many open files")

    prober, check = Prober(clock, lambda: None, Pace().probe), HealthCheck(path="/")
    prober.watch({"new": (ask, check), "serves": (ask, check)}, frozenset({"serves"}))
    await until(lambda: asked >= 20)
    new, serves = prober.seen("new"), prober.seen("serves")
    prober.close()
    assert (new.health, "Too many open files" in new.detail) == (Health.STARTING, True)
    assert (serves.health, serves.detail) == (Health.HEALTHY, "")
