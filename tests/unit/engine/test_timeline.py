"""A time that passes when everybody waits."""

import asyncio

import pytest

from crossfade.engine.dry.timeline import Timeline


def test_an_hour_takes_no_time() -> None:
    """Whoever sleeps wakes at the right moment of the timeline, one after the other."""
    timeline, woke = Timeline.new(), list[tuple[str, float]]()

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woke.append((name, timeline.time()))

    async def main() -> None:
        await asyncio.gather(sleeper("late", 3600.0), sleeper("early", 60.0))

    timeline.run(main())
    assert woke == [("early", 60.0), ("late", 3600.0)]


def order(seed: int | None) -> list[int]:
    """In which order ten tasks come to their turn."""
    came = list[int]()

    async def one(n: int) -> None:
        await asyncio.sleep(0)
        came.append(n)

    async def main() -> None:
        await asyncio.gather(*(one(n) for n in range(10)))

    Timeline.new(seed).run(main())
    return came


def test_a_seed_says_who_goes_first() -> None:
    """Without one tasks take turns as everywhere; with one in an order of its own, the same each time."""
    assert order(None) == list(range(10))
    assert order(1) == order(1) != order(2)
    assert sorted(order(1)) == list(range(10))


def test_time_in_which_nobody_could_do_anything_makes_timers_late() -> None:
    """After a pause of a minute a timer of ten seconds goes off, fifty seconds late."""
    timeline = Timeline.new()

    async def main() -> float:
        timer = asyncio.create_task(asyncio.sleep(10.0))
        await asyncio.sleep(0)
        timeline.skip(60.0)
        await timer
        return timeline.time()

    assert timeline.run(main()) == 60.0


def test_a_timeout_is_a_timeout() -> None:
    """What takes longer than it may is ended when its time is over."""

    async def main() -> None:
        async with asyncio.timeout(5.0):
            await asyncio.sleep(10.0)

    with pytest.raises(TimeoutError):
        Timeline.new().run(main())


def test_waiting_for_nothing_is_an_error() -> None:
    """A program in which nobody can go on says so instead of standing still."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="everybody waits"):
        Timeline.new().run(main())


def test_who_goes_round_in_circles_is_stopped() -> None:
    """Work without end at one moment is an error: no time passes, and nothing else would ever end it."""

    async def main() -> None:
        again()
        await asyncio.Event().wait()

    def again() -> None:
        asyncio.get_running_loop().call_soon(again)

    with pytest.raises(RuntimeError, match="no time passes"):
        Timeline.new().run(main())
