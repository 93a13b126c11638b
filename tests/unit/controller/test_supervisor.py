"""No task ends silently: whatever happens to it, it is begun again, later each time, and told of."""

import asyncio

import pytest
from tests.adapters.until import until

from crossfade.controller.supervisor import Supervisor
from crossfade.core.errors import PlatformError


class Slept:
    """A clock that does not wait and remembers for how long it was to."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PlatformError("the disk is full"), "the disk is full"),
        (OSError(24, "Too many open files"), "unexpected: OSError(24, 'Too many open files')"),
        (asyncio.CancelledError(), "what it waited for was cancelled"),
    ],
)
async def test_a_task_that_fails_is_begun_again(error: BaseException, told: str) -> None:
    """Whatever it was, a cancellation that nobody ordered included; what failed is told for a minute."""
    clock, tries, done = Slept(), 0, asyncio.Event()
    supervisor = Supervisor(clock)

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise error
        await done.wait()

    supervisor.keep("the balancer", work)
    await until(lambda: tries == 4)
    assert clock.pauses == [0.5, 1.0, 2.0]
    assert supervisor.troubles() == {"the balancer": told}
    clock.time += 61.0
    assert supervisor.troubles() == {}
    await supervisor.close()
    assert not supervisor.runs("the balancer")


async def test_who_waits_for_a_task_can_leave_without_ending_it() -> None:
    """The task returns in its own time."""
    supervisor, done = Supervisor(Slept()), asyncio.Event()

    async def work() -> None:
        await done.wait()

    supervisor.keep("taking shop/web down", work)
    waiting = asyncio.create_task(supervisor.ended("taking shop/web down"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert supervisor.runs("taking shop/web down")
    done.set()
    await supervisor.ended("taking shop/web down")
    await asyncio.sleep(0)
    assert not supervisor.runs("taking shop/web down")
