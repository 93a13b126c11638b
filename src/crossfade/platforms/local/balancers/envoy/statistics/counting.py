"""What Envoy counts: asked of the process that runs now, taken into totals that outlive it, and kept on disk."""

import asyncio
import contextlib
import time
from collections import defaultdict
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.envoy import streams
from crossfade.platforms.local.balancers.envoy.admin import Admin, Host
from crossfade.platforms.local.balancers.envoy.bootstrap import EVERYTHING
from crossfade.platforms.local.balancers.envoy.clusters import group_of
from crossfade.platforms.local.balancers.envoy.listeners import ACCESS, FAILURES
from crossfade.platforms.local.balancers.envoy.process import EnvoyProcess
from crossfade.platforms.local.balancers.envoy.statistics.counts import Counts, pattern
from crossfade.platforms.local.balancers.envoy.statistics.targets import asked
from crossfade.platforms.local.balancers.tail import rotate

_SAVE_EVERY = 5.0  # seconds; a log is begun anew no sooner, for its writer has to follow first
_LAST_ANSWERS = 1.0  # seconds that a group without instances is kept for requests which are still to be answered


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
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, service: str) -> tuple[dict[str, str], list[Host]]:
        """The statistics and the endpoints of a service as they are now, taken into its totals."""
        async with self._locks[service]:  # no answer overtakes another: totals never go back
            self.totals.read_log()
            stats, hosts = await self._said_of(service)
            self._take(stats)
            return stats, hosts

    async def everything(self) -> dict[str, str]:
        """The statistics of all services, taken into the totals; of a process that is replaced or ends, before that."""
        self.totals.read_log()
        stats = await self._admin.fresh(EVERYTHING)
        self._take(stats)
        return stats

    async def for_the_last_time(self, service: str, going: frozenset[str]) -> None:
        """Envoy drops what it counted of a group with the group: it is taken in before, and is on disk.

        A request is counted when its answer begins. Where the instances are gone, only one that a stand-in has yet to
        answer can still be waiting.
        """
        end = time.monotonic() + _LAST_ANSWERS
        while going:
            _, hosts = await self.of(service)
            if time.monotonic() > end or not any(h.active and group_of(h.cluster) in going for h in hosts):
                self.totals.save()
                return
            await asyncio.sleep(0.01)

    def look_after(self) -> None:
        """Take in what the log says, and begin a new log when it is large."""
        self.totals.read_log()
        self._keep()

    async def _said_of(self, service: str) -> tuple[dict[str, str], list[Host]]:
        """The statistics and the endpoints of a service, of the process that runs now.

        While one replaces another, either may answer: totals of the old one taken for the new one's would count twice.
        """
        while True:
            async with self._process_lock:
                identity = self._process.identity
            try:
                said = await asyncio.gather(
                    self._admin.fresh(f"{pattern(service)}|{streams.COUNTED}"), self._admin.hosts(asked(service))
                )
            except PlatformError:
                if self._process.identity == identity and not self._process_lock.locked():
                    raise
            else:
                if self._process.identity == identity:
                    return said

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
