"""Who asks while others are served is served with all others that wait."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.adapters.until import until

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.together import Together


class Counter:
    """Doubles what it is asked, a round at a time; each round waits until it may end."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.may = asyncio.Event()
        self.together: Together[int, int] = Together(self._work)

    async def _work(self, asked: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(asked))
        await self.may.wait()
        if 13 in asked:
            raise PlatformError("thirteen")
        return [PlatformError(f"{one} is odd") if one % 2 else 2 * one for one in asked]


async def test_all_that_wait_are_one_round() -> None:
    """The first is served at once; who comes meanwhile waits for the next, which begins after they asked."""
    work = Counter()
    first = asyncio.create_task(work.together.served(2))
    await until(lambda: work.rounds)
    others = [asyncio.create_task(work.together.served(n)) for n in (4, 6, 8)]
    await asyncio.sleep(0)
    work.may.set()
    assert [await first, *(await asyncio.gather(*others))] == [4, 8, 12, 16]
    assert work.rounds == [[2], [4, 6, 8]]
    assert await work.together.served(10) == 20


async def test_each_has_its_own_answer_and_its_own_error() -> None:
    """What fails for one fails for nobody else; a round that fails as a whole fails for all in it."""
    work = Counter()
    work.may.set()
    one, two = await asyncio.gather(work.together.served(1), work.together.served(2), return_exceptions=True)
    assert (str(one), two) == ("1 is odd", 4)
    failed = await asyncio.gather(work.together.served(13), work.together.served(2), return_exceptions=True)
    assert [str(error) for error in failed] == ["thirteen", "thirteen"]
    assert await work.together.served(4) == 8


async def test_who_leaves_stops_nobody() -> None:
    """One that was cancelled in its round is not missed, and one that waited for the next is not served."""
    work = Counter()
    going, staying = (asyncio.create_task(work.together.served(n)) for n in (2, 4))
    await until(lambda: work.rounds)
    later = asyncio.create_task(work.together.served(6))
    await asyncio.sleep(0)
    going.cancel()
    later.cancel()
    work.may.set()
    assert await staying == 8
    await asyncio.gather(going, later, return_exceptions=True)
    assert work.rounds == [[2, 4]]


async def test_nobody_waits_for_what_does_not_come() -> None:
    """Those that are refused, and those of a round that is ended, are told so."""
    work = Counter()
    asked = [asyncio.create_task(work.together.served(2))]
    await until(lambda: work.rounds)
    asked.append(asyncio.create_task(work.together.served(4)))
    await asyncio.sleep(0)
    work.together.refuse(PlatformError("there is another now"))
    await work.together.close()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in told] == [PlatformError, PlatformError]
    work.may.set()
    with pytest.raises(PlatformError, match="3 is odd"):
        await work.together.served(3)
