"""The publisher: HAProxy runs what is wanted, by its runtime API where that can, else by a reload."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers import files
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.haproxy import maps
from crossfade.platforms.local.balancers.haproxy.config import Files
from crossfade.platforms.local.balancers.haproxy.maps import Map
from crossfade.platforms.local.balancers.haproxy.process import HaproxyProcess
from crossfade.platforms.local.balancers.haproxy.runtime_api import HaproxyServer, RuntimeApi, Worker
from crossfade.platforms.local.balancers.haproxy.servers import Key, WantedServer, changes, leavers, wanted
from crossfade.platforms.local.balancers.haproxy.settings import CONFIG
from crossfade.platforms.local.balancers.haproxy.slots import Slots


@dataclass(frozen=True, slots=True, kw_only=True)
class HaproxyPlan:
    """All that HAProxy is to run, worked out before anything is done about it."""

    files: Files
    servers: Mapping[Key, WantedServer]
    routes: Mapping[str, Map]

    @classmethod
    def of(
        cls, entries: Mapping[str, Entry], slots: Slots, secrets: Mapping[str, str], wanted_files: Files
    ) -> "HaproxyPlan":
        servers, routes = wanted(entries.values(), slots), maps.maps(entries, slots, secrets)
        return cls(files=wanted_files, servers=servers, routes=routes)

    @property
    def structure(self) -> str:
        """What the configuration calls itself; see `config.structure`."""
        first = next(line for line in self.files[CONFIG].splitlines() if line.startswith("  description "))
        return first.split()[1]


class Publisher:
    """What lies in the directory, and what each worker is known to run of it.

    Files are written before any worker hears of it, so that one that starts meanwhile, or instead, runs the same.
    """

    def __init__(
        self, directory: Path, api: RuntimeApi, process: HaproxyProcess, replacing: Callable[[], Awaitable[None]]
    ) -> None:
        """`replacing` is called before workers are."""
        self._directory = directory
        self._api = api
        self._process = process
        self._replacing = replacing
        self._structure = ""  # what the current worker runs
        self._servers: dict[int, Mapping[Key, WantedServer]] = {}  # by pid of the worker
        self._maps: dict[tuple[int, str], Mapping[str, str]] = {}  # by pid and name
        self._written: Files = {}
        self.workers: list[Worker] = []

    async def start(self, plan: HaproxyPlan) -> None:
        """A first process that begins with all of it."""
        self._forget()
        self._write(plan.files)
        await self._process.start(plan.structure)
        self._structure = plan.structure

    async def adopt(self) -> None:
        """A process that runs and of which nothing is known yet but its structure."""
        self._forget()
        self.workers = await self._api.workers()
        if self.workers:
            self._structure = (await self._api.info(self.workers[0])).get("description", "")

    async def publish(self, plan: HaproxyPlan) -> None:
        """Return when every worker runs it. PlatformError says why not; then the files are those of before."""
        before = self._write(plan.files)
        if plan.structure != self._structure:
            try:
                await self._process.test()
                await self._replacing()
                await self._process.reload(plan.structure)
            except PlatformError:
                self._write(before)
                raise
            self._structure = plan.structure
            self.workers = []
        if not self.workers:
            self.workers = await self._api.workers()
        for worker in self.workers:
            # One that was replaced only finishes what it holds: it may end at any moment, and lacks what is new.
            with contextlib.suppress(PlatformError) if worker.old else contextlib.nullcontext():
                await self._tell(worker, plan.servers, plan.routes)

    async def add_again(self, one: HaproxyServer) -> None:
        """Take in anew a server whose first check was passed over, and would come after a whole interval only.

        A busy machine took longer to enable it than HAProxy waits with that check.
        """
        worker = self.workers[0]
        want = self._servers[worker.pid].get((one.backend, one.name))
        if want is not None:
            name = f"{one.backend}/{one.name}"
            await self._api.act(worker, f"set server {name} state maint")
            await self._api.ask(worker, f"del server {name}")
            there = await self._api.servers(worker)
            await self._api.act(worker, *changes(there, self._servers[worker.pid]))

    async def restart(self) -> None:
        """A new worker, of the binary that is installed now."""
        await self._replacing()
        await self._process.reload(self._structure)
        self.workers = []

    async def tidy(self, entries: Mapping[str, Entry], slots: Slots) -> None:
        """Remove servers that nobody needs and that hold nothing any more, and forget workers that are gone."""
        self.workers = await self._api.workers()
        pids = {worker.pid for worker in self.workers}
        self._servers = {pid: known for pid, known in self._servers.items() if pid in pids}
        self._maps = {key: known for key, known in self._maps.items() if key[0] in pids}
        asked = wanted(entries.values(), slots)
        for worker in self.workers:
            with contextlib.suppress(PlatformError):
                for command in leavers(await self._api.servers(worker), asked):
                    await self._api.ask(worker, command)

    async def _tell(self, worker: Worker, asked: Mapping[Key, WantedServer], routes: Mapping[str, Map]) -> None:
        more = {key: want for key, want in asked.items() if not want.draining}
        known = self._servers.get(worker.pid)
        # New instances before the routes that lead to them, and nobody is taken away before.
        if known is None or more.keys() - known.keys() or any(known[k] != w for k, w in more.items() if k in known):
            there = await self._api.servers(worker)
            keep = {(one.backend, one.name) for one in there} - asked.keys()
            mine = [one for one in there if (one.backend, one.name) not in keep]
            await self._api.act(worker, *changes(mine, more))
        for name, content in routes.items():
            await self._route(worker, name, content)
        if known != asked:
            await self._api.act(worker, *changes(await self._api.servers(worker), asked))
            self._servers[worker.pid] = asked

    async def _route(self, worker: Worker, name: str, content: Mapping[str, str]) -> None:
        known = self._maps.get((worker.pid, name))
        if known is None:
            known = await self._api.map(worker, name)
        if known is None:
            return
        if known != content:
            different = [key for key, value in content.items() if known.get(key) != value]
            if len(different) == 1 and known.keys() == content.keys():
                await self._api.act(worker, f"set map {name} {different[0]} {content[different[0]]}")
            else:
                await self._api.set_map(worker, name, maps.text(content))
        self._maps[worker.pid, name] = content

    def _forget(self) -> None:
        self._structure, self.workers, self._servers, self._maps, self._written = "", [], {}, {}, {}

    def _write(self, wanted_files: Files) -> Files:
        """What was there before, of the files that change."""
        before = {}
        for name, text in wanted_files.items():
            if self._written.get(name) != text:
                path = self._directory / name
                before[name] = path.read_text(encoding="utf-8") if path.exists() else ""
                # A power cut ends HAProxy too, and all of these are written anew before it starts.
                files.replace(path, text, durable=False)
                self._written[name] = text
        return before
