"""A controller that kills itself, truly, at its N-th journal write: before it, or after it and before the act."""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import crossfade.platforms.local.balancers.envoy.balancer  # noqa: F401  as below
from crossfade.controller import daemon
from crossfade.core.counters import Counters
from crossfade.core.fleet import Exit
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout
from crossfade.core.service import Service
from crossfade.core.wire import decode
from crossfade.engine.ports.balancer import Traffic
from crossfade.engine.ports.journal import Event, Journal, Lease
from crossfade.paths import StateDirectory
from crossfade.platforms.local.balancers import book

# What every controller would make for itself: all of them are forked from the process that imported this.
book.load(Path("/nowhere/book.json"))
for noun in (Service, Release, Rollout, Counters, Traffic, Exit):
    with suppress(ValueError):  # nothing is one without its fields, but now it is known how one is decoded
        decode(noun, {})

BEGINNING = "rollout started"
OUTCOMES = {"done", "routed", "failed", "hook ended", "instance exited"}


class KillingJournal:
    """The real journal, and a SIGKILL at the chosen write of a rollout.

    Before which: those that say how an act ended. What else is written follows no act, so that dying right before it
    is dying after the write before.
    """

    def __init__(self, journal: Journal, when: str, count: int) -> None:
        self._journal = journal
        self._when = when
        self._left = count
        self._rollout = False

    @property
    def called(self) -> str:
        return self._journal.called

    async def append(self, event: Event, token: int) -> Event:
        self._rollout |= event.kind == BEGINNING
        counts = self._rollout and (event.kind in OUTCOMES if self._when == "before" else event.kind != BEGINNING)
        self._left -= counts
        now = counts and self._left == 0
        if now and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        written = await self._journal.append(event, token)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    async def read(self, **which: Any) -> Sequence[Event]:
        return await self._journal.read(**which)

    async def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        return await self._journal.acquire(service, holder, ttl)

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        return await self._journal.renew(lease, ttl)

    async def release(self, lease: Lease) -> None:
        await self._journal.release(lease)

    async def token(self, service: str) -> int:
        return await self._journal.token(service)

    async def close(self) -> None:
        await self._journal.close()


def run(state: Path, balancer: str, kill_at: tuple[str, int] | None = None) -> None:
    """Be the controller; `kill_at` is ("before", 7) or ("after", 7)."""
    logging.basicConfig(level=logging.INFO)
    killing = (lambda real: KillingJournal(real, *kill_at)) if kill_at else None
    asyncio.run(daemon.run(StateDirectory(state), balancer, journal=killing))
