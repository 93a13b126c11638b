"""Rounds: what costs as much for one as for many is done in one for all that wait meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from crossfade.core.errors import PlatformError

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Together(Generic[Asked, Given]):
    """Does `work` for all that ask in the meantime, one round after the other.

    A round begins after everybody in it has asked. `work` answers each in order, with an exception for one that it has
    no answer for; what it raises goes to all. Who stops waiting does not stop the round.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Given | Exception]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def served(self, asked: Asked) -> Given:
        """The answer of the next round."""
        answer: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._serve())
        return await answer

    def refuse(self, error: PlatformError) -> None:
        """Tell those whose round has not begun that there will be none."""
        waiting, self._waiting = self._waiting, []
        for _, answer in waiting:
            _give(answer, error)

    async def close(self) -> None:
        """End the round under way; who waits for it gets a PlatformError."""
        rounds = self._rounds
        if rounds is not None:
            rounds.cancel()
            await asyncio.gather(rounds, return_exceptions=True)

    async def _serve(self) -> None:
        asking: list[tuple[Asked, asyncio.Future[Given]]] = []
        try:
            while self._waiting:
                asking, self._waiting = [one for one in self._waiting if not one[1].done()], []
                if asking:
                    await self._serve_all(asking)
        finally:
            self._rounds = None
            self._waiting = [*asking, *self._waiting]
            self.refuse(PlatformError("what was asked for was broken off", "it is tried again"))

    async def _serve_all(self, asking: Sequence[tuple[Asked, asyncio.Future[Given]]]) -> None:
        try:
            answers = await self._work([asked for asked, _ in asking])
        except Exception as error:  # noqa: BLE001  theirs to handle, whatever it is
            answers = [error] * len(asking)
        for (_, answer), given in zip(asking, answers, strict=True):
            _give(answer, given)


def _give(answer: asyncio.Future[Given], given: Given | Exception) -> None:
    """Nothing happens when nobody waits for it any more."""
    if answer.done():
        return
    if isinstance(given, Exception):
        answer.set_exception(given)
    else:
        answer.set_result(given)
