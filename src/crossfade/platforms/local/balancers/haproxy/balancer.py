"""The LoadBalancer port on HAProxy."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import Target
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.local.balancers import book, unprivileged
from crossfade.platforms.local.balancers.acceptance import accepted, newcomers
from crossfade.platforms.local.balancers.book import Entry, RoutingBook
from crossfade.platforms.local.balancers.certificates import Entries
from crossfade.platforms.local.balancers.haproxy import slots as slots_
from crossfade.platforms.local.balancers.haproxy.config import render
from crossfade.platforms.local.balancers.haproxy.counts import LOOKS, BackendOwner, Counts
from crossfade.platforms.local.balancers.haproxy.process import HaproxyProcess
from crossfade.platforms.local.balancers.haproxy.publisher import HaproxyPlan, Publisher
from crossfade.platforms.local.balancers.haproxy.runtime_api import RuntimeApi, Worker, WorkerStatus
from crossfade.platforms.local.balancers.haproxy.settings import ACCESS, OFTEN, REQUESTS
from crossfade.platforms.local.balancers.haproxy.slots import backend
from crossfade.platforms.local.balancers.installed import InstalledBalancer

_SLOTS = "slots.json"
_LOG_LIMIT = 64 * 2**20  # bytes of a log that are kept
_FIRST_CHECK = 0.3  # seconds in which a new instance's first check has begun
_PASSED = ("L4OK", "L7OK")  # a connection, or an answer: whichever its check asks for


class HaproxyBalancer(InstalledBalancer):
    """One HAProxy a machine, shared by all apps; all state in `directory`, where a new controller finds it again.

    `binary` is for tests; by default the installed `haproxy`. `shutdown` is how many seconds a replaced worker may take
    to finish downloads and streams, `log_limit` how many bytes a log may have, `often` how many answers of a release in
    a second have a line each.
    """

    def __init__(
        self,
        directory: Path,
        fence: Fence,
        *,
        binary: Path | None = None,
        shutdown: int = 3600,
        log_limit: int = _LOG_LIMIT,
        often: int = OFTEN,
    ) -> None:
        super().__init__(directory, fence, unprivileged.nobody())
        self._shutdown = shutdown
        self._log_limit = log_limit
        self._often = often
        self._api = RuntimeApi(directory)
        self._process: HaproxyProcess = HaproxyProcess(directory, self._api, binary)
        self._publisher = Publisher(directory, self._api, self._process, self._hold)
        self._counts: Counts = Counts(directory / "counts.json", directory / REQUESTS, directory / ACCESS)
        self._slots = slots_.load(directory / _SLOTS)
        # What the backends stand for, and of which services and slots that was made.
        self._named: tuple[RoutingBook | None, slots_.Slots | None, Mapping[str, BackendOwner]] = (None, None, {})

    async def catch_up(self) -> None:
        """See the port. HAProxy writes a line before it goes on; what it writes nowhere takes a few looks."""
        with self._starts.told(self._gone):
            await self._sure()

    async def shutdown(self) -> None:
        """See the port. What it answered it says only as long as it runs."""
        with contextlib.suppress(PlatformError):
            await self.catch_up()
        await super().shutdown()

    async def close(self) -> None:
        """See the port."""
        await super().close()
        self._api.close()

    async def _start(self) -> None:
        self._count()
        self._counts.begin_anew()
        self._counts.save()
        self._have_slots()
        await self._publisher.start(self._plan(self._book.entries))

    async def _adopt(self) -> None:
        self._have_slots()
        await self._publisher.adopt()
        await self._publish(self._book.entries)

    async def _look_after(self) -> None:
        if any(entry.service.listener.tls for entry in self._book.entries.values()):
            await self._publish(self._book.entries)

    async def _change(self, old: Entry | None, new: Entry) -> float:
        """From the first word about the new routes to the last answer."""
        await self._settle_slots(old, new)
        prepared, switched, settled = (
            self._plan(self._book.with_entry(stage).entries) for stage in book.stages(old, new)
        )
        await self._publisher.publish(prepared)
        await self._accepted(new, newcomers(old.routing if old else Routing(), new.routing))
        await self._fence.check(new.service.key, new.token)  # the wait may have been long
        began = time.monotonic()
        await self._publisher.publish(switched)
        seconds = time.monotonic() - began
        await self._publisher.publish(settled)
        await self._let_go()
        return seconds

    async def _publish(self, entries: Entries) -> None:
        await self._publisher.publish(self._plan(entries))
        await self._let_go()

    async def _replace(self) -> None:
        """The master starts anew, and its old worker finishes what it holds."""
        await self._publisher.restart()
        await self._let_go()

    async def _targets(self, entry: Entry) -> dict[str, Target]:
        """What each instance holds with all workers."""
        backends = self._backends(entry)
        held, streams = Counter[str](), Counter[str]()
        for worker in await self._api.workers():
            with contextlib.suppress(PlatformError) if worker.old else contextlib.nullcontext():
                status, _ = await self._status(worker)
                mine = [one for one in status.servers if one.backend in backends]
                for one in mine:
                    held[one.name] += one.held
                streams += await self._streams(worker, {one.backend for one in mine if one.held})
        return {
            instance: Target(
                in_flight=max(0, held[instance] - streams[instance]),
                streams=streams[instance],
            )
            for instance, _ in entry.addresses
        }

    def _count(self) -> None:
        self._counts.read(self._origins())

    async def _tidy(self) -> None:
        self._process.tidy()
        await self._publisher.tidy(self._book.entries, self._slots)
        await self._let_go()
        self._counts.forget_workers([worker.pid for worker in self._publisher.workers])
        self._counts.save()
        self._counts.trim(self._log_limit)
        self._keep_slots(self._slots.only(self._book.entries))

    @staticmethod
    def _group(service: str, release: int) -> str:
        return f"{service}/{release}"

    async def _accepted(self, entry: Entry, instances: frozenset[str]) -> None:
        """Wait until HAProxy's own check passed for these. PlatformError names one for which it does not."""
        mine, again = self._backends(entry).keys(), time.monotonic() + _FIRST_CHECK

        async def passed() -> frozenset[str]:
            nonlocal again
            there = [one for one in await self._api.servers(self._publisher.workers[0]) if one.backend in mine]
            if time.monotonic() > again:
                for one in (s for s in there if s.name in instances and s.check == "INI" and not s.checking):
                    await self._publisher.add_again(one)
                again += _FIRST_CHECK
            return frozenset(one.name for one in there if one.up and one.check.startswith(_PASSED))

        await accepted("HAProxy", entry, instances, passed)

    async def _status(self, worker: Worker) -> tuple[WorkerStatus, set[str]]:
        """What a worker says, with what failed in it taken in; and of which backends that is not known of some."""
        status = await self._api.status(worker)
        self._count()
        return status, self._counts.compare(worker.pid, status.tallies, self._origins())

    async def _hold(self) -> None:
        """Who is about to be replaced and answers more than has lines stays until it was asked how many it answered."""
        for worker in await self._api.workers():
            with contextlib.suppress(PlatformError):
                status, _ = await self._status(worker)
                if not worker.old and (status.rate > self._often // 2 or not self._counts.even(worker.pid)):
                    await self._api.hold(worker)

    async def _let_go(self) -> None:
        """Replaced workers may end once all that they answered is counted, and what they go on to answer has lines."""
        busy = set()
        for worker in await self._api.workers() if self._api.holds else ():
            with contextlib.suppress(PlatformError):
                if worker.old and not await self._counted(worker):
                    busy.add(worker.pid)
        self._api.release(but=busy)

    async def _counted(self, worker: Worker) -> bool:
        for _ in range(2 * LOOKS):
            status, _ = await self._status(worker)
            if status.rate > self._often:
                return False
            if self._counts.even(worker.pid):
                return True
            await asyncio.sleep(0.01)
        return False

    async def _sure(self, backends: Collection[str] = ()) -> None:
        """Wait a little until it is known of all requests of these, or of any backend, whether they failed."""
        for _ in range(2 * LOOKS):
            unsure = set[str]()
            for worker in await self._api.workers():
                with contextlib.suppress(PlatformError):
                    unsure |= (await self._status(worker))[1]
            if not (unsure & set(backends) if backends else unsure):
                return
            await asyncio.sleep(0.01)

    async def _streams(self, worker: Worker, backends: set[str]) -> Counter[str]:
        found = await self._api.streams(worker, sorted(backends))
        return Counter({name: number for (_, name), number in found.items()})

    def _backends(self, entry: Entry) -> dict[str, str]:
        """The group that each backend of a service stands for."""
        key = entry.service.key
        return {backend(key, slot): self._group(key, release) for release, slot in self._slots.of(key).items()}

    def _origins(self) -> Mapping[str, BackendOwner]:
        """What each backend stands for, also one that no release has now: an answer may end after its release went."""
        if self._named[0] is not self._book or self._named[1] is not self._slots:
            found: dict[str, BackendOwner] = {}
            for key, entry in self._book.entries.items():
                groups = self._backends(entry)
                names = (backend(key, slot) for slot in range(self._slots.size(key)))
                found |= {name: BackendOwner(service=key, group=groups.get(name, "")) for name in names}
            self._named = (self._book, self._slots, found)
        return self._named[2]

    def _plan(self, entries: Entries) -> HaproxyPlan:
        served, links, secrets = self._servable(entries)
        rendered = render(
            served, self._slots, links, secrets, shutdown=self._shutdown, often=self._often, who=self._who
        )
        return HaproxyPlan.of(served, self._slots, secrets, rendered)

    def _have_slots(self) -> None:
        """A backend for each release of the book: it may have come there while nobody was there to be told, or the file
        of the slots was lost.
        """
        slots = self._slots
        for key, entry in self._book.entries.items():
            slots = slots.with_releases(key, {*slots.of(key), *(group.release for group in entry.routing.groups)})
        self._keep_slots(slots)

    def _keep_slots(self, slots: slots_.Slots) -> None:
        if slots != self._slots:
            slots_.save(self._directory / _SLOTS, slots)
            self._slots = slots

    async def _settle_slots(self, old: Entry | None, new: Entry) -> None:
        """A backend for each release that is there or comes, on disk before anybody hears of it."""
        groups = (*(old.routing.groups if old else ()), *new.routing.groups)
        key = new.service.key
        changed = self._slots.with_releases(key, (group.release for group in groups))
        if changed != self._slots:
            mine = self._slots.of(key)
            taken = {backend(key, slot) for release, slot in changed.of(key).items() if release not in mine}
            if taken:  # what a release had there before is counted as its own
                await self._sure(taken)
            self._keep_slots(changed)
