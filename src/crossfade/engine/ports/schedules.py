"""Jobs that the platform begins by itself."""

from collections.abc import Sequence
from typing import Protocol

from crossfade.core.job import Run
from crossfade.core.release import Release


class Schedules(Protocol):
    """A platform that begins jobs when their time comes, whether anybody of us is there or not (EventBridge)."""

    async def keep(self, release: Release, token: int) -> None:
        """The jobs of `release` begin from now on, and no others of its service. Absolute: repeatable."""
        ...

    async def end(self, service: str, token: int) -> None:
        """No job of `app/service` begins any more, and runs that are under way are told to end."""
        ...

    async def runs(self, release: Release) -> Sequence[Run]:
        """The newest run of each job of `release` that the platform knows of, whichever release it ran in."""
        ...
