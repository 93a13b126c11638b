"""The LoadBalancer port on Envoy."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from crossfade.core.errors import CrossfadeError, PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.ports.balancer import Exposed, Report, Target
from crossfade.engine.ports.journal import Fence
from crossfade.paths import BOOK
from crossfade.platforms.local.balancers import book, files, gone, previews
from crossfade.platforms.local.balancers.acceptance import accepted, newcomers
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.certificates import Certificates
from crossfade.platforms.local.balancers.envoy import limits
from crossfade.platforms.local.balancers.envoy.admin import Admin
from crossfade.platforms.local.balancers.envoy.config import Config
from crossfade.platforms.local.balancers.envoy.filters import streams
from crossfade.platforms.local.balancers.envoy.process import EnvoyProcess
from crossfade.platforms.local.balancers.envoy.statistics.counting import Counting
from crossfade.platforms.local.balancers.envoy.statistics.targets import (
    asked,
    group_names,
    known_groups,
    passed,
    require_answered,
    targets,
    unseen,
)
from crossfade.platforms.local.balancers.envoy.xds.discovery import Discovery
from crossfade.platforms.local.balancers.envoy.xds.publisher import Publisher, UnconfirmedError
from crossfade.platforms.local.balancers.envoy.xds.resources import Resources
from crossfade.platforms.local.balancers.known import died
from crossfade.platforms.local.balancers.rules import handed_over
from crossfade.platforms.local.balancers.shared import SharedDoors
from crossfade.platforms.local.together import Together

_LOG_LIMIT = 32 * 2**20  # bytes of a log before the next is begun; one older is kept
_LATE = 0.05  # seconds in which a failure is in the log: more than twice what it is flushed after


class EnvoyBalancer:
    """One Envoy a machine, shared by all apps; all state in `directory`, where a new controller finds it again.

    `parent_shutdown` is how many seconds a replaced Envoy may take to finish downloads and WebSocket connections,
    `log_limit` how many bytes a log may have, `connections` how many clients may hold one: half of Envoy's files.
    """

    def __init__(
        self,
        directory: Path,
        fence: Fence,
        *,
        binary: Path | None = None,
        parent_shutdown: int = 3600,
        log_limit: int = _LOG_LIMIT,
        connections: int | None = None,
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._directory = directory
        self._fence = fence
        self._admin = Admin(directory)
        self._process = EnvoyProcess(directory, self._admin, binary, parent_shutdown, connections)
        self._discovery = Discovery(directory)
        self._publisher = Publisher(self._discovery, self._process)
        self._config = Config()
        self._passes = previews.Passes(directory / "preview.key")
        self._certificates = Certificates(directory / "certificates")
        self._process_lock = asyncio.Lock()
        self._counting = Counting(directory, self._admin, self._process, self._process_lock, log_limit)
        self._book, self._spoilt = book.load(directory / BOOK)
        self._live = dict(self._book.entries)  # as published: between two stages ahead of the book
        self._shared = SharedDoors(directory)
        self._adopted, self._starts = False, gone.Starts()
        self._publish_lock = asyncio.Lock()
        self._published: Together[tuple[str, Entry | None], float] = Together(self._publish_all)
        self._saved: Together[tuple[str, Entry | None], None] = Together(self._save_all)
        self._service_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @files.troubles()
    async def apply(
        self,
        service: Service,
        routing: Routing,
        addresses: Mapping[str, str],
        token: int,
        checks: Mapping[int, HealthCheck] | None = None,
    ) -> float:
        """See the port. The seconds are those from writing the first file that moves a request to confirmation."""
        await self._fence.check(service.key, token)
        there = await self._starts.reached(self.ensure, self._process.gone, routing)
        async with self._service_locks[service.key]:
            old = self._book.entries.get(service.key)
            new = book.enter(
                old, service=service, routing=routing, addresses=addresses, token=token, checks=checks or {}
            )
            live = self._live.get(service.key)  # none in the middle of a removal that was broken off
            if not there or (old is not None and live is not None and old.same(new) and old.same(live)):
                await self._keep(new)
                return 0.0
            limits.require_ports(self._live, new)
            try:
                return await self._transition(old, new)
            except PlatformError:
                with contextlib.suppress(PlatformError):  # Envoy is in trouble: the files are right when it is back
                    await self._publish(service.key, old)
                raise

    @files.troubles()
    async def report(self, service: str, age: float = 0.0) -> Report:
        """See the port."""
        if (entry := self._book.entries.get(service)) is None:
            return Report()
        with self._starts.told(self._process.gone, partial(self._reported, entry, {})):
            said = await self._counting.of(service, age)
        if not age:  # what was said a while ago does not say which groups are gone for good
            self._counting.totals.fold(service, known_groups(entry, said.stats))
        elsewhere = unseen(said.stats, said.hosts, predecessor=self._process.draining)
        return self._reported(entry, targets(entry, said.hosts, elsewhere, streams.held(said.stats)))

    def _reported(self, entry: Entry, held: Mapping[str, Target]) -> Report:
        service, totals = entry.service.key, self._counting.totals
        return Report(
            routing=entry.routing,
            targets=held,
            groups={g.release: totals.group(service, g.release) for g in entry.routing.groups},
            traffic=totals.traffic(service),
        )

    async def known(self) -> Mapping[str, Exposed]:
        """See the port."""
        return self._book.exposed()

    def complaints(self) -> Sequence[str]:
        """See the port."""
        return (*self._spoilt, *self._certificates.complaints, *self._shared.shut.values())

    async def catch_up(self) -> None:
        """See the port. Usually at once: nothing has failed, so there is nothing to be written.

        A predecessor that still answers requests cannot be asked: it is given the time.
        """
        end = time.monotonic() + _LATE
        with self._starts.told(self._process.gone):
            while time.monotonic() < end and (  # noqa: ASYNC110  Envoy decides
                self._process.draining or await self._admin.unwritten()
            ):
                await asyncio.sleep(0.002)

    require_doors = staticmethod(limits.require_doors)

    async def preview(self, service: Service, release: int) -> tuple[str, Mapping[str, str]]:
        """See the port. The header's value names the release in full: it leads there on any host and path."""
        self._shared.require_open(service)
        return previews.preview(service, release, self._passes.of(service.key, release))

    @files.troubles()
    async def remove(self, service: str, token: int) -> None:
        """See the port."""
        await self._fence.check(service, token)
        async with self._service_locks[service]:
            entry = self._book.entries.get(service)
            if entry is None:
                return
            with gone.needless(self._process.gone):
                await self.ensure()
                await self._publish(service, replace(entry, exposed=False))
                await self._publish(service, None)
            await self._saved.served((service, None))
            self._counting.totals.forget(service)

    @files.troubles()
    async def ensure(self) -> None:
        """See the port; also takes in certificates that were renewed and begins a new log when one is large."""
        async with self._process_lock:
            self._process.tidy()
            if self._adopted and self._process.lives and not await self._process.hangs():
                await self._look_after()
            elif await self._process.available(self._lay_out):
                if not self._process.as_ours:
                    await self._take_over()
                await self._adopt()
            else:
                with self._starts.counted():
                    await self._start()

    async def died(self, limit: float) -> bool:
        """See LocalBalancer."""
        return await died(lambda: self._process.record.main if self._process.record else None, limit)

    @files.troubles()
    async def restart(self) -> None:
        """See the port. RefusedError while a predecessor still answers requests: they would be lost."""
        await self.ensure()
        async with self._process_lock, self._publish_lock:
            stats = await self._counting.everything()
            if self._process.draining:
                require_answered(stats, await self._admin.hosts("/"))
            await self._replace()

    @files.troubles()
    async def shutdown(self) -> None:
        """See the port."""
        await self._published.close()
        async with self._process_lock:
            if self._process.running:
                with contextlib.suppress(PlatformError):  # it may be about to end by itself
                    await self._counting.everything()
            await self._admin.close()
            await self._process.stop()
            await self._discovery.close()
            self._counting.totals.read_log()
            self._counting.totals.save()
            self._adopted = False

    async def close(self) -> None:
        """See the port."""
        await self._published.close()
        if self._adopted:
            self._counting.totals.save()
        await self._discovery.close()
        await self._admin.close()

    async def _transition(self, old: Entry | None, new: Entry) -> float:
        prepared, switched, settled = book.stages(old, new)
        await self._publish(new.service.key, prepared)
        came = newcomers(old.routing if old else Routing(), new.routing)
        await accepted("Envoy", new, came, partial(self._passed, new.service.key))
        await self._fence.check(new.service.key, new.token)  # the wait may have been long
        began = await self._publish(new.service.key, switched)
        await self._admin.settle()
        seconds = time.monotonic() - began
        await self._publish(new.service.key, settled)
        await self._admin.settle()
        await self._keep(new)
        return seconds

    async def _passed(self, key: str) -> frozenset[str]:
        return passed(await self._admin.hosts(asked(key)))

    async def _publish(self, key: str, entry: Entry | None) -> float:
        """Have Envoy run this of one service, and return when it was told, in monotonic seconds."""
        with contextlib.suppress(PlatformError):  # an Envoy in trouble must not keep the right files from being written
            await self._counting.for_the_last_time(key, group_names(self._live.get(key)) - group_names(entry))
        return await self._published.served((key, entry))

    async def _publish_all(self, changes: Sequence[tuple[str, Entry | None]]) -> Sequence[float | CrossfadeError]:
        """One change costs as much as several: Envoy is told the routes of all services that share a port.

        Where it refuses, each is tried alone: of several that go out together one is wrong, and the others are not.
        """
        async with self._publish_lock:
            live = {key: entry for key, entry in {**self._live, **dict(changes)}.items() if entry is not None}
            if any(group_names(self._live.get(key)) - group_names(live.get(key)) for key, _ in changes):
                with contextlib.suppress(PlatformError):
                    self._counting.totals.save()  # Envoy drops what it counted of a group with the group
            began = time.monotonic()
            try:
                await self._publisher.publish(self._render(live))
            except CrossfadeError as error:
                if len(changes) == 1:
                    return [error]
            else:
                self._live = live
                return [began] * len(changes)
        return [answer for change in changes for answer in await self._publish_all([change])]

    def _render(self, live: Mapping[str, Entry]) -> Resources:
        pairs = self._certificates.pairs(live, self._live)
        served = self._certificates.lit(self._shared.spared(live), pairs)
        return self._config.render(handed_over(served), pairs, self._passes.previewed(live))

    async def _start(self) -> None:
        self._adopted = False
        self._book = self._book.afresh()
        await self._lay_out()
        await self._admin.close()
        if self._process.record is not None:  # whoever ends it forgets it first
            self._counting.totals.died(self._process.identity)
        # Without a book nobody knows what an Envoy of no record serves: it goes on, until all is taken down.
        await self._process.start(alone=bool(self._live))
        await self._publisher.confirm()
        await self._admin.settle()
        self._adopted = True

    async def _lay_out(self) -> None:
        """Have ready what the book says, for an Envoy that begins and asks."""
        self._shared.look(self._book.entries)
        self._live = dict(self._book.entries)
        await self._publisher.lay_out(self._render(self._live))

    async def _replace(self) -> None:
        """A new process instead of the running one, with what is offered."""
        if await self._process.can_be_succeeded():
            await self._process.succeed()
        else:
            await self._process.start_beside()
        await self._publisher.confirm()
        await self._admin.settle()

    async def _take_over(self) -> None:
        """An Envoy that an earlier crossfade started otherwise is replaced; it finishes what it holds."""
        self._live = dict(self._book.entries)
        async with self._publish_lock:
            await self._counting.everything()
            await self._publisher.lay_out(self._render(self._live))
            await self._replace()

    async def _adopt(self) -> None:
        """Envoy runs and we are new: what it runs is what the book says, or is made so."""
        self._shared.look(self._book.entries)
        self._live = dict(self._book.entries)
        async with self._publish_lock:
            await self._counting.everything()  # of groups that a half-done change left, too
            self._counting.totals.save()
            await self._publisher.lay_out(self._render(self._live))
            # Clusters whose instances died with the controller before are held back until their own loop brings others;
            # it could not, nor could any other, if this waited for them.
            with contextlib.suppress(UnconfirmedError):
                await self._publisher.confirm()
            await self._admin.settle()
        self._adopted = True

    async def _look_after(self) -> None:
        self._counting.look_after()
        await self._discovery.open()
        if self._shared.changed(self._book.entries) or self._certificates.changed():
            async with self._publish_lock:
                await self._publisher.publish(self._render(self._live))

    async def _keep(self, entry: Entry) -> None:
        if self._book.entries.get(entry.service.key) != entry:
            await self._saved.served((entry.service.key, entry))

    async def _save_all(self, changes: Sequence[tuple[str, Entry | None]]) -> Sequence[None]:
        """The book is one file: of those that change together it has all. What cannot be kept on disk is not kept."""
        changed = self._book
        for key, entry in changes:
            changed = changed.with_entry(entry) if entry else changed.without(key)
        book.save(self._directory / BOOK, changed)
        self._book = changed
        return [None] * len(changes)
