"""How often instances that start are asked whether they are well."""

import asyncio

import pytest

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
