"""The LoadBalancer port on nginx."""

import asyncio
import contextlib
import os
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.ports.balancer import Exposed, Report, Target
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.local.balancers import book, files, ports, previews, sockets, unprivileged
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.certificates import Certificates
from crossfade.platforms.local.balancers.known import died
from crossfade.platforms.local.balancers.nginx.config import ProcessSettings, render, server
from crossfade.platforms.local.balancers.nginx.counts import Counts
from crossfade.platforms.local.balancers.nginx.process import CONFIG, NginxProcess
from crossfade.platforms.local.balancers.nginx.settings import ACCESS, ERRORS, REQUESTS, STREAM_ERRORS
from crossfade.platforms.local.balancers.nginx.words import upstream
from crossfade.platforms.local.balancers.rules import doors, handed_over
from crossfade.platforms.local.balancers.tail import rotate

_BOOK = "book.json"
_LOG_LIMIT = 64 * 2**20  # bytes of a log before the next is begun; one older is kept
_LATE = 0.05  # seconds in which a line is in its log: more than twice what a log is flushed after
_SAVE_EVERY = 5.0  # seconds; a log is begun anew no sooner, for its writer has to follow first
_MANY_FILES = 16_384  # connections of one worker, where the machine allows: each costs it 232 bytes from the start


class NginxBalancer:
    """An nginx of our own, beside the system's; all state in `directory`, where a new controller finds it again.

    Each change is a reload: a client whose kept connection is closed just when it asks loses that request. nginx has
    no health check of its own, so every instance counts as healthy, and connections that fail are tried elsewhere.
    """

    def __init__(
        self,
        directory: Path,
        fence: Fence,
        *,
        binary: Path | None = None,
        shutdown: int = 3600,
        log_limit: int = _LOG_LIMIT,
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._who = unprivileged.nobody(looked_into=True)
        if self._who:
            unprivileged.let_in(directory)
        (directory / "certificates").mkdir(exist_ok=True)
        self._directory = directory
        self._fence = fence
        self._process = NginxProcess(directory, binary)
        self._shutdown = shutdown
        self._passes = previews.Passes(directory / "preview.key")
        self._certificates = Certificates(directory / "certificates")
        self._counts = Counts(directory / "counts.json", directory / REQUESTS, directory / ERRORS)
        self._book, self._spoilt = book.load(directory / _BOOK)
        self._adopted = False
        self._log_limit = log_limit
        self._saved_at = 0.0
        self._lock = asyncio.Lock()

    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        """See the port."""
        await self._fence.check(service.key, token)
        async with self._lock:
            await self._ensure()
            old = self._book.entries.get(service.key)
            new = book.enter(
                old, service=service, routing=routing, addresses=addresses, token=token, checks=checks or {}
            )
            entries = {**self._book.entries, service.key: new}
            text = self._render(entries)
            began = time.monotonic()
            if old is None or not old.same(new):
                ports.require_free(doors(self._book.entries), doors(entries))
                if self._who:
                    unprivileged.introduce(self._directory, addresses.values())
                await self._load(text)
            self._keep(self._book.with_entry(new))
            return time.monotonic() - began

    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        """See the port. Streams are in flight too: nginx does not tell them apart from requests."""
        entry = self._book.entries.get(service)
        if entry is None:
            return Report()
        self._count()
        # The kernel takes up to 100 ms to write its table when tens of thousands of connections wait for their end.
        addresses = [address for _, address in entry.addresses]
        held = await asyncio.to_thread(sockets.connections, addresses, self._process.workers)
        return Report(
            routing=entry.routing,
            targets={i: Target(in_flight=held[address]) for i, address in entry.addresses},
            groups={g.release: self._counts.group(upstream(service, g.release)) for g in entry.routing.groups},
            traffic=self._counts.traffic(service),
        )

    async def known(self) -> Mapping[str, Exposed]:
        """See the port."""
        return self._book.exposed()

    async def catch_up(self) -> None:
        """See the port: nginx does not say what it has yet to write."""
        await asyncio.sleep(_LATE)

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        """See the port. The header's value names the release in full: it leads there on any host and path."""
        return previews.preview(service, release, self._passes.of(service.key, release))

    async def remove(self, service: str, token: int) -> None:
        """See the port."""
        await self._fence.check(service, token)
        async with self._lock:
            entry = self._book.entries.get(service)
            if entry is None:
                return
            await self._ensure()
            without = self._book.without(service)
            # What nginx refuses is another service's matter: this one is forgotten all the same, and nginx goes on with
            # what it has until it takes a configuration again.
            with contextlib.suppress(PlatformError):
                await self._load(self._render(without.entries))
            self._keep(without)
            self._counts.forget(service, [upstream(service, group.release) for group in entry.routing.groups])

    def complaints(self) -> Sequence[str]:
        """See the port."""
        return (*self._spoilt, *self._certificates.complaints)

    async def ensure(self) -> None:
        """See the port; also takes in certificates that were renewed and begins a new log when one is large."""
        async with self._lock:
            await self._ensure()
            self._count()

    async def died(self, limit: float) -> bool:
        """See LocalBalancer."""
        return await died(lambda: self._process.master, limit)

    async def restart(self) -> None:
        """See the port: by nginx's own upgrade of its binary."""
        async with self._lock:
            await self._ensure()
            await self._process.replace()

    async def shutdown(self) -> None:
        """See the port."""
        async with self._lock:
            await self._process.stop()
            self._count()
            self._counts.save()
            self._adopted = False

    async def close(self) -> None:
        """See the port."""
        if self._adopted:
            self._counts.save()

    async def _ensure(self) -> None:
        if self._process.master is None:
            self._certificates.begin_anew()
            files.replace(self._directory / CONFIG, self._render(self._book.entries))
            await self._process.start(_workers())
        else:
            text = self._render(self._book.entries)
            if text != (self._directory / CONFIG).read_text(encoding="utf-8") or not self._adopted:
                await self._load(text)
        self._adopted = True

    async def _load(self, text: str) -> None:
        """Run this configuration, or go on with the one before. PlatformError says in nginx's words why not."""
        path = self._directory / CONFIG
        before = path.read_text(encoding="utf-8")
        files.replace(path, text)
        try:
            await self._process.test()
            await self._process.reload()
        except PlatformError:
            files.replace(path, before)
            raise

    def _render(self, entries: Mapping[str, Entry]) -> str:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        process = ProcessSettings(
            workers=_workers(),
            who=self._who,
            shutdown=self._shutdown,
            files=_MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES),
        )
        links = self._certificates.links(entries, self._book.entries)
        entries = handed_over(self._certificates.lit(entries, links))
        return render(entries, links, self._passes.previewed(entries), process)

    def _count(self) -> None:
        owners = {
            server(entry.address(i)): (key, upstream(key, group.release))
            for key, entry in self._book.entries.items()
            for group in entry.routing.groups
            for i in (*group.registered, *group.draining)
        }
        self._counts.read(owners)
        if time.monotonic() < self._saved_at + _SAVE_EVERY:
            return
        rotated = [rotate(self._directory / name, self._log_limit) for name in (STREAM_ERRORS, ACCESS)]
        if self._counts.rotate(self._log_limit) or any(rotated):
            self._process.reopen_logs()
        self._counts.save()
        self._saved_at = time.monotonic()

    def _keep(self, changed: book.RoutingBook) -> None:
        self._book = changed
        book.save(self._directory / _BOOK, changed)


def _workers() -> int:
    """One for each core that we may use."""
    return len(os.sched_getaffinity(0))
