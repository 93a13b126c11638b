"""A controller that kills itself, truly, at its N-th journal write: before the write, or after it and before the act.

Used by the crash tests as `python -m tests.crash.controller STATE BALANCER` with KILL_AT=before:7 in the environment.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from crossfade import daemon
from crossfade.engine.ports import Event, Journal, Lease
from crossfade.paths import State


class KillingJournal:
    """The real journal, and a SIGKILL at the chosen write of a rollout."""

    def __init__(self, journal: Journal, when: str, count: int) -> None:
        self._journal = journal
        self._when = when
        self._left = count
        self._rollout = False

    def append(self, event: Event, token: int) -> Event:
        self._rollout |= event.kind == "rollout started"
        counts = self._rollout and event.kind != "rollout started"
        self._left -= counts
        now = counts and self._left == 0
        if now and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        written = self._journal.append(event, token)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    def read(self, *, after: int = 0, service: str | None = None, limit: int | None = None) -> Sequence[Event]:
        return self._journal.read(after=after, service=service, limit=limit)

    def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        return self._journal.acquire(service, holder, ttl)

    def renew(self, lease: Lease, ttl: float) -> Lease:
        return self._journal.renew(lease, ttl)

    def release(self, lease: Lease) -> None:
        self._journal.release(lease)

    def token(self, service: str) -> int:
        return self._journal.token(service)

    def close(self) -> None:
        self._journal.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    when, _, number = os.environ["KILL_AT"].partition(":")
    asyncio.run(
        daemon.run(
            State(Path(sys.argv[1])),
            "nginx" if sys.argv[2] == "nginx" else "envoy",
            journal=lambda real: KillingJournal(real, when, int(number)),
        )
    )
