"""The HAProxy of one state directory: a master, found again by pid and start time, whose workers end with it."""

import asyncio
import json
import re
import signal
import time
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.paths import PROCESS
from crossfade.platforms.local.balancers import files
from crossfade.platforms.local.balancers.haproxy.runtime_api import RuntimeApi, Worker
from crossfade.platforms.local.balancers.haproxy.settings import CONFIG, ENVIRONMENT, LOG, MASTER, REQUESTS, WORKER
from crossfade.platforms.local.balancers.known import KnownProcess, children, of_another, working_in
from crossfade.platforms.local.balancers.process import Log, Program, end, run, spawn

_LIMIT = 10.0
_FILES = 65_536  # of one worker, where the machine allows: each costs it memory from the start
_ALERT = re.compile(r"\[ALERT\]\s+\(\d+\) : (?P<why>.*)")
_UNTOLD = ("Error(s) found in configuration file", "Fatal errors found", "config : Proxy")


class HaproxyProcess:
    """Starts, finds, reloads and ends it."""

    def __init__(self, directory: Path, api: RuntimeApi, binary: Path | None) -> None:
        self._directory = directory
        self._api = api
        self._program = Program("HAProxy", "haproxy", (2, 6), binary)
        self._log = Log(directory / LOG)
        found = _read(directory / PROCESS)
        self.master = None if of_another(found, directory) else found

    @property
    def died(self) -> bool:
        """It is on record and does not run: nobody told it to end."""
        return self.master is not None and not self.master.lives

    def forget(self) -> None:
        """Take one that died off the record."""
        (self._directory / PROCESS).unlink(missing_ok=True)
        self.master = None

    async def start(self, structure: str) -> None:
        """Return when a worker runs this structure. PlatformError says why not, in HAProxy's words."""
        await self._program.require_version(self._directory)
        await self.test()
        self._clear()
        began = self._log.size
        words = ["-W", "-S", f"unix@{MASTER},mode,600", "-f", CONFIG]
        master = spawn(
            [self._program.path, *words],
            self._directory,
            log=LOG,
            output=REQUESTS,
            remember=self._remember,
            files=_FILES,
            env=ENVIRONMENT,
        )
        await self._until(structure, began, master)

    async def test(self) -> None:
        """PlatformError when HAProxy refuses what is written."""
        await self._run("-c", "-f", CONFIG)

    async def reload(self, structure: str) -> None:
        """Return when a new worker runs this structure and no other takes new connections.

        The master starts anew as well, of the binary that is installed now.
        """
        if self.master is None or not self.master.running:
            raise PlatformError("HAProxy does not run", "start the controller again")
        began = self._log.size
        before = {worker.pid for worker in await self._api.workers() if not worker.old}
        self.master.signal(signal.SIGUSR2)
        await self._until(structure, began, self.master, before)

    def tidy(self) -> None:
        """Keep the log small: it has a line for each check that fails or passes again."""
        self._log.begin_anew()

    async def stop(self) -> None:
        """The master and all workers, also those that only finish what they hold."""
        if self.master is not None:
            everyone = [self.master, *(KnownProcess.of(pid) for pid in children(self.master.pid))]
            await end(everyone, _LIMIT / 2)
        await end(working_in(self._directory), _LIMIT / 2)  # those whose record was lost
        self._clear()
        self.forget()

    async def _until(
        self, structure: str, began: int, master: KnownProcess, before: AbstractSet[int] = frozenset()
    ) -> None:
        limit = time.monotonic() + _LIMIT
        while not await self._serves(structure, before):
            if not master.running or time.monotonic() > limit:
                raise PlatformError(
                    f"HAProxy did not start: {_why(self._log.after(began))}", f"its log is {self._log.path}"
                )
            await asyncio.sleep(0.005)

    async def _serves(self, structure: str, before: AbstractSet[int]) -> bool:
        """A worker that was not there before runs it, and those that were listen no more."""
        try:
            workers = await self._api.workers()
            current = [worker for worker in workers if not worker.old and worker.pid not in before]
            if not current or (await self._api.info(current[0])).get("description") != structure:
                return False
            return all([await self._stopping(worker) for worker in workers if worker.pid in before])
        except PlatformError:
            return False  # the master is starting anew

    async def _stopping(self, worker: Worker) -> bool:
        try:
            return (await self._api.info(worker)).get("Stopping", "1") == "1"
        except PlatformError:
            return True  # gone meanwhile

    def _clear(self) -> None:
        for name in (MASTER, WORKER):
            (self._directory / name).unlink(missing_ok=True)

    async def _run(self, *arguments: str) -> None:
        code, text = await run(self._directory, self._program.path, *arguments)
        if code:
            raise PlatformError(f"HAProxy refused: {_why(text.splitlines())}", "nothing was changed")

    def _remember(self, master: KnownProcess) -> None:
        files.replace(self._directory / PROCESS, json.dumps({"master": asdict(master)}))
        self.master = master


def _read(path: Path) -> KnownProcess | None:
    try:
        return KnownProcess(**json.loads(path.read_text(encoding="utf-8"))["master"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _why(lines: list[str]) -> str:
    """The first alert that says something; else the last words."""
    alerts = [found["why"] for line in lines if (found := _ALERT.search(line))]
    telling = [why for why in alerts if not any(word in why for word in _UNTOLD)]
    return (telling or alerts or lines[-1:] or ["it said nothing"])[0]
