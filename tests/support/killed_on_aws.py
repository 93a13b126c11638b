"""`crossfade` that kills itself at a journal write: `python -m tests.support.killed_on_aws deploy ...`.

KILL_AT says which: of a rollout's "before 3" or "after 3", or any by its kind, "at service removed".
"""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.crash.controller import KillingJournal

from crossfade import adapters
from crossfade.cli.main import run
from crossfade.engine.ports.journal import Event, Lease
from crossfade.engine.world import RemoteEnvironment
from crossfade.platforms.aws.environment import environment as real


class KillingTable(KillingJournal):
    """What a journal that processes share can say besides; deadly by number, or right after an event of one kind."""

    def __init__(self, journal: Any, when: str) -> None:
        point, _, which = when.partition(" ")
        self._kind = which if point == "at" else None
        super().__init__(journal, point, 0 if self._kind else int(which))

    async def append(self, event: Event, token: int) -> Event:
        written = await super().append(event, token)
        if event.kind == self._kind:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    async def lease(self, service: str) -> Lease | None:
        return await self._journal.lease(service)


@asynccontextmanager
async def environment(app: str, name: str, **how: Any) -> AsyncIterator[RemoteEnvironment]:
    """The real one, with a journal that is deadly once."""
    async with real(app, name, **how) as made:
        journal: Any = KillingTable(made.world.journal, os.environ["KILL_AT"])
        yield replace(made, world=replace(made.world, journal=journal))


if __name__ == "__main__":
    adapters.PLATFORMS = {"aws": "tests.support.killed_on_aws:environment"}  # type: ignore[misc]
    run()
