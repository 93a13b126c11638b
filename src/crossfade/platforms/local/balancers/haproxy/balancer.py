"""The LoadBalancer port on HAProxy."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Service
from crossfade.engine.ports.balancer import Exposed, Report, Target
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.local.balancers import book, ports, previews, unprivileged
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.certificates import Certificates
from crossfade.platforms.local.balancers.haproxy import slots as slots_
from crossfade.platforms.local.balancers.haproxy.config import render
from crossfade.platforms.local.balancers.haproxy.counts import LOOKS, Counts
from crossfade.platforms.local.balancers.haproxy.process import HaproxyProcess
from crossfade.platforms.local.balancers.haproxy.publisher import HaproxyPlan, Publisher
from crossfade.platforms.local.balancers.haproxy.runtime_api import HaproxyServer, RuntimeApi, Worker, WorkerStatus
from crossfade.platforms.local.balancers.haproxy.settings import ACCESS, REQUESTS
from crossfade.platforms.local.balancers.haproxy.slots import backend
from crossfade.platforms.local.balancers.known import died
from crossfade.platforms.local.balancers.rules import doors, handed_over

_BOOK = "book.json"
_SLOTS = "slots.json"
_LOG_LIMIT = 64 * 2**20  # bytes of a log that are kept
_SAVE_EVERY = 5.0  # seconds
_FIRST_CHECK = 0.3  # seconds in which a new instance's first check has begun
_OWN_CHECK = 2.0  # seconds beyond the check's timeout until a new instance has to have passed HAProxy's check


class HaproxyBalancer:
    """One HAProxy a machine, shared by all apps; all state in `directory`, where a new controller finds it again.

    `binary` is for tests; by default the installed `haproxy`. `shutdown` is how many seconds a replaced worker may take
    to finish downloads and streams, `log_limit` how many bytes a log may have.
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
        self._who = unprivileged.nobody()
        if self._who:
            unprivileged.let_in(directory)
        (directory / "certificates").mkdir(exist_ok=True)
        self._directory = directory
        self._fence = fence
        self._shutdown = shutdown
        self._log_limit = log_limit
        self._api = RuntimeApi(directory)
        self._process = HaproxyProcess(directory, self._api, binary)
        self._passes = previews.Passes(directory / "preview.key")
        self._publisher = Publisher(directory, self._api, self._process)
        self._certificates = Certificates(directory / "certificates")
        self._counts = Counts(directory / "counts.json", directory / REQUESTS, directory / ACCESS)
        self._book, self._spoilt = book.load(directory / _BOOK)
        self._slots = slots_.load(directory / _SLOTS)
        self._adopted = False
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
        """See the port. The seconds are those from the first word about the new routes to the last answer."""
        await self._fence.check(service.key, token)
        async with self._lock:
            await self._ensure()
            old = self._book.entries.get(service.key)
            new = book.enter(
                old, service=service, routing=routing, addresses=addresses, token=token, checks=checks or {}
            )
            if old is not None and old.same(new):
                self._keep(new)
                return 0.0
            ports.require_free(doors(self._book.entries), doors(self._book.with_entry(new).entries))
            self._settle_slots(old, new)
            if self._who:
                unprivileged.introduce(self._directory, addresses.values())
            try:
                return await self._transition(old, new)
            except PlatformError:
                with contextlib.suppress(PlatformError):  # HAProxy is in trouble: the files are right when it is back
                    await self._publisher.publish(self._plan(service.key, old))
                raise

    async def report(self, service: str, age: float = 0.0) -> Report:  # noqa: ARG002  each is asked by itself
        """See the port."""
        entry = self._book.entries.get(service)
        if entry is None:
            return Report()
        targets = await self._looked_at(entry)
        return Report(
            routing=entry.routing,
            targets=targets,
            groups={g.release: self._counts.group(_group(service, g.release)) for g in entry.routing.groups},
            traffic=self._counts.traffic(service),
        )

    async def known(self) -> Mapping[str, Exposed]:
        """See the port."""
        return self._book.exposed()

    async def catch_up(self) -> None:
        """See the port. HAProxy writes a line before it goes on; what it writes nowhere takes a few looks."""
        for _ in range(2 * LOOKS):
            if not await self._unsure():
                return
            await asyncio.sleep(0.01)

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
            await self._publisher.publish(self._plan(service, None))
            self._count()
            self._counts.forget(service, [_group(service, group.release) for group in entry.routing.groups])
            self._book = self._book.without(service)
            book.save(self._directory / _BOOK, self._book)
            self._slots = self._slots.without(service)
            slots_.save(self._directory / _SLOTS, self._slots)

    def complaints(self) -> Sequence[str]:
        """See the port."""
        return (*self._spoilt, *self._certificates.complaints)

    async def ensure(self) -> None:
        """See the port; also takes in certificates that were renewed and gives back what was read of the log."""
        async with self._lock:
            await self._ensure()
            self._count()
            if time.monotonic() > self._saved_at + _SAVE_EVERY:
                await self._publisher.tidy(self._book.entries, self._slots)
                self._counts.forget_workers([worker.pid for worker in self._publisher.workers])
                self._counts.save(self._log_limit)
                self._saved_at = time.monotonic()

    async def died(self, limit: float) -> bool:
        """See LocalBalancer."""
        return await died(lambda: self._process.master, limit)

    async def restart(self) -> None:
        """See the port: the master starts anew, and its old worker finishes what it holds."""
        async with self._lock:
            await self._ensure()
            await self._publisher.restart()

    async def shutdown(self) -> None:
        """See the port."""
        async with self._lock:
            await self._process.stop()
            self._count()
            self._counts.save(self._log_limit)
            self._adopted = False

    async def close(self) -> None:
        """See the port."""
        if self._adopted:
            self._counts.save(self._log_limit)
        self._api.close()

    async def _transition(self, old: Entry | None, new: Entry) -> float:
        key = new.service.key
        prepared, switched, settled = (self._plan(key, stage) for stage in book.stages(old, new))
        await self._publisher.publish(prepared)
        before = old.routing if old else Routing()
        await self._accepted(new, (new.routing.serving() - before.serving()) | _added(before, new.routing))
        await self._fence.check(key, new.token)  # the wait may have been long
        began = time.monotonic()
        await self._publisher.publish(switched)
        seconds = time.monotonic() - began
        await self._publisher.publish(settled)
        self._keep(new)
        return seconds

    def _plan(self, key: str, entry: Entry | None) -> HaproxyPlan:
        """With this entry for the service, or without one."""
        others = self._book.without(key)
        return self._plan_of((others.with_entry(entry) if entry else others).entries)

    async def _accepted(self, entry: Entry, instances: frozenset[str]) -> None:
        """Wait until HAProxy's own check passed for these. PlatformError names one for which it does not."""
        checks = [entry.made(g.release).health for g in entry.routing.groups if instances & set(g.registered)]
        limit = max((check.timeout for check in checks), default=0.0) + _OWN_CHECK
        end = time.monotonic() + limit
        mine, again = self._backends(entry).keys(), time.monotonic() + _FIRST_CHECK
        while instances:
            there = [one for one in await self._current() if one.backend in mine]
            passed = {one.name for one in there if one.up and one.check.startswith("L7OK")}
            if not (waiting := instances - passed):
                return
            if time.monotonic() > end:
                instance = min(waiting)
                raise PlatformError(
                    f"HAProxy's own check of {instance} does not pass: "
                    f"GET {entry.service.health.path} at {entry.address(instance)}, {limit:.0f} s long",
                    "look into the instance's log; nothing was changed",
                )
            if time.monotonic() > again:
                for one in (s for s in there if s.name in waiting and s.check == "INI" and not s.checking):
                    await self._publisher.add_again(one)
                again += _FIRST_CHECK
            await asyncio.sleep(0.005)

    async def _current(self) -> list[HaproxyServer]:
        return await self._api.servers(self._publisher.workers[0])

    async def _looked_at(self, entry: Entry) -> dict[str, Target]:
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

    async def _status(self, worker: Worker) -> tuple[WorkerStatus, bool]:
        """What a worker says, with what failed in it taken in; True while that is not known of some requests."""
        status = await self._api.status(worker)
        self._count()
        return status, self._counts.compare(worker.pid, status.tallies, self._groups())

    async def _unsure(self) -> bool:
        """True while it is not known of some requests whether they failed."""
        unsure = False
        for worker in await self._api.workers():
            with contextlib.suppress(PlatformError):
                unsure |= (await self._status(worker))[1]
        return unsure

    async def _streams(self, worker: Worker, backends: set[str]) -> Counter[str]:
        found = await self._api.streams(worker, sorted(backends))
        return Counter({name: number for (_, name), number in found.items()})

    def _backends(self, entry: Entry) -> dict[str, str]:
        """The group that each backend of a service stands for."""
        key = entry.service.key
        return {backend(key, slot): _group(key, release) for release, slot in self._slots.of(key).items()}

    async def _ensure(self) -> None:
        if not self._process.lives:
            await self._start()
        elif not self._adopted:
            await self._publisher.adopt()
            await self._publisher.publish(self._plan_of(self._book.entries))
        elif any(entry.service.listener.tls for entry in self._book.entries.values()):
            await self._publisher.publish(self._plan_of(self._book.entries))
        self._adopted = True

    async def _start(self) -> None:
        self._adopted = False
        self._certificates.begin_anew()
        self._count()
        if self._process.died:
            self._counts.died()
        self._counts.begin_anew()
        self._counts.save(self._log_limit)
        await self._publisher.start(self._plan_of(self._book.entries))

    def _plan_of(self, entries: Mapping[str, Entry]) -> HaproxyPlan:
        links = self._certificates.links(entries, self._book.entries)
        entries = handed_over(self._certificates.lit(entries, links))
        secrets = self._passes.previewed(entries)
        rendered = render(entries, self._slots, links, secrets, shutdown=self._shutdown, who=self._who)
        return HaproxyPlan.of(entries, self._slots, secrets, rendered)

    def _settle_slots(self, old: Entry | None, new: Entry) -> None:
        """A backend for each release that is there or comes, on disk before anybody hears of it."""
        groups = (*(old.routing.groups if old else ()), *new.routing.groups)
        changed = self._slots.with_releases(new.service.key, (group.release for group in groups))
        if changed != self._slots:
            self._count()  # a backend that another release takes had its lines counted before
            slots_.save(self._directory / _SLOTS, changed)
            self._slots = changed

    def _count(self) -> None:
        self._counts.read(self._groups())

    def _groups(self) -> dict[str, str]:
        return {b: g for entry in self._book.entries.values() for b, g in self._backends(entry).items()}

    def _keep(self, entry: Entry) -> None:
        self._book = self._book.with_entry(entry)
        book.save(self._directory / _BOOK, self._book)


def _added(old: Routing, new: Routing) -> frozenset[str]:
    return new.registered() - old.registered()


def _group(service: str, release: int) -> str:
    return f"{service}/{release}"
