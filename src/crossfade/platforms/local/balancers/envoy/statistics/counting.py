"""The counting: asked of the Envoy that runs now, taken into totals that outlive it, and kept on disk."""

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.counted.tail import rotate
from crossfade.platforms.local.balancers.envoy.admin import Admin
from crossfade.platforms.local.balancers.envoy.bootstrap import EVERYTHING
from crossfade.platforms.local.balancers.envoy.clusters import group_of
from crossfade.platforms.local.balancers.envoy.filters import streams
from crossfade.platforms.local.balancers.envoy.listeners import ACCESS, FAILURES
from crossfade.platforms.local.balancers.envoy.process import EnvoyProcess
from crossfade.platforms.local.balancers.envoy.statistics.counts import Counts, pattern
from crossfade.platforms.local.balancers.envoy.statistics.said import ASKED_OF_ALL, EnvoySaid
from crossfade.platforms.local.balancers.envoy.statistics.targets import asked
from crossfade.platforms.local.together import Together

_SAVE_EVERY = 5.0  # seconds; a log is begun anew no sooner, for its writer has to follow first
_NAMED = 20  # services that are asked for by name; of more, all are
_LAST_ANSWERS = 1.0  # seconds that a group without instances is kept for requests which are still to be answered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What was counted of a service, as it is now or at most `age` seconds old."""

    service: str
    age: float


class Counting:
    """The `totals` of all services. `process_lock` is held while one process replaces another."""

    def __init__(
        self, directory: Path, admin: Admin, process: EnvoyProcess, process_lock: asyncio.Lock, log_limit: int
    ) -> None:
        self.totals = Counts(directory / "counts.json", directory / FAILURES)
        self._access = directory / ACCESS
        self._admin = admin
        self._process = process
        self._process_lock = process_lock
        self._log_limit = log_limit
        self._saved_at = 0.0
        # No answer overtakes another: totals never go back.
        self._asked: Together[_Question, EnvoySaid] = Together(self._answer)
        self._all = EnvoySaid()  # the newest answer for all services
        self._all_at = -math.inf

    async def of(self, service: str, age: float = 0.0) -> EnvoySaid:
        """The statistics and the endpoints of a service, taken into its totals: as they are now, or at most so old.

        Envoy looks through all that it counts to answer for one service. So those that move are asked for together, and
        the many that are at rest share an answer.
        """
        return await self._asked.served(_Question(service=service, age=age))

    async def everything(self) -> dict[str, str]:
        """The statistics of all services, taken into the totals; of a process that is replaced or ends, before that."""
        self.totals.read_log()
        stats = await self._admin.fresh(EVERYTHING)
        self._take(stats)
        return stats

    async def for_the_last_time(self, service: str, going: frozenset[str]) -> None:
        """Envoy drops what it counted of a group with the group: it is taken in before.

        A request is counted when its answer begins. Where the instances are gone, only one that a stand-in has yet to
        answer can still be waiting.
        """
        end = time.monotonic() + _LAST_ANSWERS
        while going:
            said = await self.of(service)
            if time.monotonic() > end or not any(h.active and group_of(h.cluster) in going for h in said.hosts):
                return
            await asyncio.sleep(0.01)

    def look_after(self) -> None:
        """Take in what the log says, and begin a new log when it is large."""
        self.totals.read_log()
        self._keep()

    async def _answer(self, questions: Sequence[_Question]) -> list[EnvoySaid]:
        moving = sorted({q.service for q in questions if not q.age})
        began = time.monotonic()
        if len(moving) > _NAMED or any(q.age and began > self._all_at + q.age for q in questions):
            now = self._all = await self._ask(f"{EVERYTHING}|{streams.COUNTED}", ASKED_OF_ALL)
            self._all_at = began
        elif moving:
            statistics = [*map(pattern, moving), streams.COUNTED]
            now = await self._ask("|".join(statistics), "|".join(map(asked, moving)))
        else:
            now = self._all
        return [(self._all if q.age else now).of(q.service) for q in questions]

    async def _ask(self, statistics: str, clusters: str) -> EnvoySaid:
        """The statistics and the endpoints that match, of the process that runs now, taken into the totals.

        While one replaces another, either may answer: totals of the old one taken for the new one's would count twice.
        """
        self.totals.read_log()
        while True:
            async with self._process_lock:
                identity = self._process.identity
            try:
                stats, hosts = await asyncio.gather(self._admin.fresh(statistics), self._admin.hosts(clusters))
            except PlatformError:
                if self._process.identity == identity and not self._process_lock.locked():
                    raise
            else:
                if self._process.identity == identity:
                    self._take(stats)
                    return EnvoySaid(stats, hosts)

    def _take(self, stats: dict[str, str]) -> None:
        self.totals.see(self._process.identity, stats)
        self._keep()

    def _keep(self) -> None:
        if time.monotonic() < self._saved_at + _SAVE_EVERY:
            return
        if any([self.totals.rotate(self._log_limit), rotate(self._access, self._log_limit)]):
            self._process.reopen_logs()
        self._saved_at = time.monotonic()
        # A full disk costs no more than what was counted since, should we end before there is room again.
        with contextlib.suppress(PlatformError):
            self.totals.save()
