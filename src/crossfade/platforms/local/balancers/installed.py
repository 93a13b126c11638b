"""The LoadBalancer port on an installed program that reads from files what it is to do and writes to logs what it did.

HAProxy and nginx are such programs. Envoy is none: it asks for what it is to run, of many services at once, and counts
by itself.
"""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Protocol

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service, Tls
from crossfade.engine.ports.balancer import Exposed, Report, Target
from crossfade.engine.ports.journal import Fence
from crossfade.paths import BOOK
from crossfade.platforms.local.balancers import book, files, gone, ports, previews, process, unprivileged
from crossfade.platforms.local.balancers.book import Entry, RoutingBook
from crossfade.platforms.local.balancers.certificates import Certificates, Entries, Pair
from crossfade.platforms.local.balancers.counted.totals import Totals
from crossfade.platforms.local.balancers.known import KnownProcess, died, working_in
from crossfade.platforms.local.balancers.rules import doors, handed_over, newly_open
from crossfade.platforms.local.balancers.shared import SharedDoors
from crossfade.platforms.local.balancers.unprivileged import Unprivileged

_TIDY_EVERY = 5.0  # seconds; a log is begun anew no sooner, for its writer has to follow first
_END_LIMIT = 5.0  # seconds for workers that nobody leads before they are killed


class BalancerProcess(Protocol):
    """The program as it runs."""

    @property
    def master(self) -> KnownProcess | None:
        """The one process that stays while its workers come and go; None when none is known."""
        ...

    @property
    def died(self) -> bool:
        """It is on record and does not run: nobody told it to end."""
        ...

    def forget(self) -> None:
        """Take one that died off the record."""
        ...

    async def stop(self) -> None:
        """End all of it, also what only finishes what it holds."""
        ...


class Counts(Protocol):
    """What its logs say, added up."""

    totals: Totals

    def save(self) -> None:
        """Keep it on disk, with how far the logs were read."""
        ...


class InstalledBalancer(ABC):
    """One program a machine, shared by all apps; all state in `directory`, where a new controller finds it again.

    It makes one change after the other. How the program is begun, told and asked is said by who extends this.
    """

    _process: BalancerProcess
    _counts: Counts
    _untold: ClassVar[tuple[str, ...]] = ()  # what of a `Proof` it never tells

    def __init__(self, directory: Path, fence: Fence, who: Unprivileged | None) -> None:
        """`who` is who its workers are; None: who we are."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        if who:
            unprivileged.let_in(directory)
        (directory / "certificates").mkdir(exist_ok=True)
        self._directory = directory
        self._fence = fence
        self._who = who
        self._passes = previews.Passes(directory / "preview.key")
        self._certificates = Certificates(directory / "certificates")
        self._book, self._spoilt = book.load(directory / BOOK)
        self._shared = SharedDoors(directory)
        self._adopted, self._starts = False, gone.Starts()
        self._tidied_at = 0.0
        self._lock = asyncio.Lock()

    @files.troubles()
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
            there = await self._starts.reached(self._ensure, self._gone, routing, self._deserted)
            old = self._book.entries.get(service.key)
            new = book.enter(
                old, service=service, routing=routing, addresses=addresses, token=token, checks=checks or {}
            )
            changed = self._book.with_entry(new)
            if not there or (old is not None and old.same(new)):
                self._keep(changed)
                if not there:
                    await self._end_deserted()
                return 0.0
            for door in newly_open(doors(self._book.entries), doors(changed.entries)):
                ports.require_free(door.host, door.port)
            if self._who:
                unprivileged.introduce(self._directory, addresses.values())
            try:
                seconds = await self._change(old, new)
                self._keep(changed)
            except PlatformError:
                with contextlib.suppress(PlatformError):  # it is in trouble: the files are right when it is back
                    await self._publish(self._book.entries)
                raise
            return seconds

    @files.troubles()
    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        """See the port."""
        entry = self._book.entries.get(service)
        if entry is None:
            return Report()
        held: dict[str, Target] = {}
        with self._starts.told(self._gone, lambda: self._reported(entry, held), self._deserted):
            held = await self._targets(entry)
            if self._gone():
                raise PlatformError("its process is not there", "it is started again by itself")
        return self._reported(entry, held)

    def _reported(self, entry: Entry, held: Mapping[str, Target]) -> Report:
        service, totals = entry.service.key, self._counts.totals
        return Report(
            routing=entry.routing,
            targets=held,
            groups={g.release: totals.counters(self._group(service, g.release)) for g in entry.routing.groups},
            traffic=replace(totals.traffic(service), uncounted=self._untold),
        )

    async def known(self) -> Mapping[str, Exposed]:
        """See the port."""
        return self._book.exposed()

    def complaints(self) -> Sequence[str]:
        """See the port."""
        return (*self._spoilt, *self._certificates.complaints, *self._shared.shut.values())

    @staticmethod  # noqa: B027  as it says
    def require_doors(wanted: Iterable[Service], beside: Iterable[Service]) -> None:
        """See LocalBalancer: none is refused. A port is one file here, and what it cannot open does not end it."""

    @abstractmethod
    async def catch_up(self) -> None:
        """See the port."""

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        """See the port. The header's value names the release in full: it leads there on any host and path."""
        self._shared.require_open(service)
        return previews.preview(service, release, self._passes.of(service.key, release))

    @files.troubles()
    async def remove(self, service: str, token: int) -> None:
        """See the port."""
        await self._fence.check(service, token)
        async with self._lock:
            entry = self._book.entries.get(service)
            if entry is None:
                return
            without = self._book.without(service)
            with gone.needless(self._gone):
                await self._ensure()
                await self._withdraw(without.entries)
            self._count()
            self._keep(without)
            if self._gone():
                await self._end_deserted()
            self._counts.totals.forget(service, [self._group(service, g.release) for g in entry.routing.groups])

    @files.troubles()
    async def ensure(self) -> None:
        """See the port; also takes in certificates that were renewed, and keeps logs small."""
        async with self._lock:
            await self._ensure()
            self._count()
            if time.monotonic() > self._tidied_at + _TIDY_EVERY:
                await self._tidy()
                self._tidied_at = time.monotonic()

    async def died(self, limit: float) -> bool:
        """See LocalBalancer."""
        return await died(lambda: self._process.master, limit)

    @files.troubles()
    async def restart(self) -> None:
        """See the port."""
        async with self._lock:
            await self._ensure()
            await self._replace()

    @files.troubles()
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

    @abstractmethod
    async def _start(self) -> None:
        """Begin a process that does what the book says. PlatformError says why it does not come up."""

    @abstractmethod
    async def _adopt(self) -> None:
        """Have one that runs, and of which nothing is known yet, do what the book says."""

    @abstractmethod
    async def _look_after(self) -> None:
        """See that one that is known still does what the book says, by certificates as they are now."""

    @abstractmethod
    async def _change(self, old: Entry | None, new: Entry) -> float:
        """Bring it from the one to the other; the seconds are those of the port."""

    @abstractmethod
    async def _publish(self, entries: Entries) -> None:
        """Have it do this. PlatformError says why not; then it goes on with what it had."""

    async def _withdraw(self, entries: Entries) -> None:
        """Have it do this, which lacks a service that it had."""
        await self._publish(entries)

    @abstractmethod
    async def _replace(self) -> None:
        """A new process, of the binary that is installed now; the old one finishes what it holds."""

    @abstractmethod
    async def _targets(self, entry: Entry) -> dict[str, Target]:
        """What each instance holds, and all that came to its end by now counted."""

    @abstractmethod
    def _count(self) -> None:
        """Take in what the logs say since last time."""

    @abstractmethod
    async def _tidy(self) -> None:
        """Keep what was counted, and let go of what is of no use any more."""

    @staticmethod
    @abstractmethod
    def _group(service: str, release: int) -> str:
        """What a target group is called where it is counted."""

    def _gone(self) -> bool:
        return self._process.master is None or not self._process.master.lives

    def _bury(self) -> None:
        """Count one that died, with whatever it had not told: once, however often another one does not start."""
        if self._process.died and not self._deserted():
            self._count()
            self._counts.totals.died()
            self._counts.save()
            self._process.forget()

    def _deserted(self) -> bool:
        """It is gone, and what it left behind serves on as it was told last."""
        return False

    async def _end_deserted(self) -> None:
        """Workers whose master was killed serve on as they were told last, and hold the ports: they go with the last
        service that they serve.
        """
        if not any(entry.routing.registered() for entry in self._book.entries.values()):
            await process.end(working_in(self._directory), _END_LIMIT)

    async def _ensure(self) -> None:
        if self._gone():
            self._adopted = False
            self._bury()
            self._certificates.begin_anew()
            self._shared.look(self._book.entries)
            with self._starts.counted():
                await self._start()
        elif self._adopted and not self._shared.changed(self._book.entries):
            await self._look_after()
        else:
            self._shared.look(self._book.entries)
            await self._adopt()
        self._adopted = True

    def _servable(self, entries: Entries) -> tuple[dict[str, Entry], dict[Tls, Pair], dict[str, str]]:
        """These as they can be served now, the names of their certificates and keys, and the secrets of previews."""
        links = self._certificates.links(entries, self._book.entries)
        served = handed_over(self._certificates.lit(self._shared.spared(entries), links))
        return served, links, self._passes.previewed(served)

    def _keep(self, changed: RoutingBook) -> None:
        """On disk first: what cannot be kept there is not kept."""
        book.save(self._directory / BOOK, changed)
        self._book = changed
