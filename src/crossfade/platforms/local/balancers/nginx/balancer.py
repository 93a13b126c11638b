"""The LoadBalancer port on nginx."""

import asyncio
import contextlib
import os
import resource
import time
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.engine.ports.balancer import Target
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.local.balancers import files, unprivileged
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.certificates import Entries
from crossfade.platforms.local.balancers.counted.tail import rotate
from crossfade.platforms.local.balancers.installed import InstalledBalancer
from crossfade.platforms.local.balancers.nginx.config import ProcessSettings, render, server
from crossfade.platforms.local.balancers.nginx.connections import connections
from crossfade.platforms.local.balancers.nginx.counts import Counts
from crossfade.platforms.local.balancers.nginx.process import CONFIG, NginxProcess
from crossfade.platforms.local.balancers.nginx.settings import ACCESS, ERRORS, REQUESTS, STREAM_ERRORS
from crossfade.platforms.local.balancers.nginx.words import upstream

_LOG_LIMIT = 64 * 2**20  # bytes of a log before the next is begun; one older is kept
_LATE = 0.05  # seconds in which a line is in its log: more than twice what a log is flushed after
_MANY_FILES = 16_384  # connections of one worker, where the machine allows: each costs it 232 bytes from the start


class NginxBalancer(InstalledBalancer):
    """An nginx of our own, beside the system's; all state in `directory`, where a new controller finds it again.

    Each change is a reload: a client whose kept connection is closed just when it asks loses that request. nginx has
    no health check of its own, so every instance counts as healthy, and connections that fail are tried elsewhere.
    """

    _untold = ("streams_closed",)  # they are in flight like requests: those that outlast the drain are cut

    def __init__(
        self,
        directory: Path,
        fence: Fence,
        *,
        binary: Path | None = None,
        shutdown: int = 3600,
        log_limit: int = _LOG_LIMIT,
    ) -> None:
        super().__init__(directory, fence, unprivileged.nobody(looked_into=True))
        self._shutdown = shutdown
        self._log_limit = log_limit
        self._config = directory / CONFIG
        self._process: NginxProcess = NginxProcess(directory, binary)
        self._counts: Counts = Counts(directory / "counts.json", directory / REQUESTS, directory / ERRORS)

    async def catch_up(self) -> None:
        """See the port: nginx does not say what it has yet to write."""
        await asyncio.sleep(_LATE)

    async def _start(self) -> None:
        files.replace(self._config, self._render(self._book.entries))
        await self._process.start(_workers())

    async def _adopt(self) -> None:
        await self._load(self._render(self._book.entries))

    async def _look_after(self) -> None:
        await self._publish(self._book.entries)

    async def _change(self, old: Entry | None, new: Entry) -> float:  # noqa: ARG002  a reload takes everything at once
        text = self._render(self._book.with_entry(new).entries)
        began = time.monotonic()
        await self._load(text)
        return time.monotonic() - began

    async def _publish(self, entries: Entries) -> None:
        text = self._render(entries)
        if text != self._config.read_text(encoding="utf-8"):
            await self._load(text)

    async def _withdraw(self, entries: Entries) -> None:
        """What nginx refuses is another service's matter: this one is forgotten all the same, and nginx goes on with
        what it has until it takes a configuration again.
        """
        with contextlib.suppress(PlatformError):
            await super()._withdraw(entries)

    async def _replace(self) -> None:
        """By nginx's own upgrade of its binary."""
        await self._process.replace()

    async def _targets(self, entry: Entry) -> dict[str, Target]:
        """Streams are in flight too: nginx does not tell them apart from requests."""
        self._count()
        # The kernel takes up to 100 ms to write its table when tens of thousands of connections wait for their end.
        addresses = [address for _, address in entry.addresses]
        workers = self._process.orphans if self._gone() else self._process.workers
        held = await asyncio.to_thread(connections, addresses, workers)
        return {
            instance: Target(in_flight=None if held is None else held[address]) for instance, address in entry.addresses
        }

    def _count(self) -> None:
        owners = {
            server(entry.address(i)): (key, upstream(key, group.release))
            for key, entry in self._book.entries.items()
            for group in entry.routing.groups
            for i in (*group.registered, *group.draining)
        }
        self._counts.read(owners)

    async def _tidy(self) -> None:
        rotated = [rotate(self._directory / name, self._log_limit) for name in (STREAM_ERRORS, ACCESS)]
        if self._counts.rotate(self._log_limit) or any(rotated):
            self._process.reopen_logs()
        self._counts.save()

    def _deserted(self) -> bool:
        return self._gone() and self._process.deserted

    @staticmethod
    def _group(service: str, release: int) -> str:
        return upstream(service, release)

    async def _load(self, text: str) -> None:
        """Run this configuration, or go on with the one before. PlatformError says in nginx's words why not."""
        before = self._config.read_text(encoding="utf-8")
        files.replace(self._config, text)
        try:
            await self._process.test()
            await self._process.reload()
        except PlatformError:
            files.replace(self._config, before)
            raise

    def _render(self, entries: Entries) -> str:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        process = ProcessSettings(
            workers=_workers(),
            who=self._who,
            shutdown=self._shutdown,
            files=_MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES),
        )
        served, links, secrets = self._servable(entries)
        return render(served, links, secrets, process)


def _workers() -> int:
    """One for each core that we may use."""
    return len(os.sched_getaffinity(0))
