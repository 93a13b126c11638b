"""Orders to whoever carries a service, from a process that does not: another machine's shell, a job of CI.

The carrier alone writes the journal and acts. So what others want of it lies in a place that all can reach, until it
looks there, does it as if it had been asked itself, and leaves its answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An order of the API, `path` and `body`, for the holder of the lease that has `token`, and for no later one."""

    id: str
    service: str
    token: int
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)


class Letters(Protocol):
    """The place where letters lie.

    An order is done once or not at all: it is taken before, and what is taken cannot come back.
    """

    async def send(self, letter: Letter) -> None: ...

    async def waiting(self) -> Sequence[Letter]:
        """Those that nobody has taken yet, in no order."""
        ...

    async def take(self, letter: Letter) -> bool:
        """It is ours to do now; False when it was taken back, or by another."""
        ...

    async def answer(self, letter: Letter, answer: Mapping[str, Any]) -> None:
        """What came of it, as the API answers: an object, which says `error` when it was not done."""
        ...

    async def answered(self, letter: Letter) -> Mapping[str, Any] | None:
        """The answer, which is gone with that; None while there is none."""
        ...

    async def take_back(self, letter: Letter) -> bool:
        """Nobody shall do it any more; False when somebody has taken it."""
        ...
