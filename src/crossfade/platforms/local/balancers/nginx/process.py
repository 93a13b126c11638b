"""The nginx master: a daemon of its own, found again by its pid file, reloaded and replaced by signals."""

import asyncio
import re
import signal
import time
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.known import KnownProcess, children, title, working_in
from crossfade.platforms.local.balancers.nginx.settings import ERRORS, PID, TEMPORARY
from crossfade.platforms.local.balancers.process import Log, Program, end, run
from crossfade.platforms.local.kernel import proc

CONFIG = "nginx.conf"
_LIMIT = 10.0
_EMERGENCY = re.compile(r"\[emerg\] \S+: (?P<why>.*)")
_TEST_EMERGENCY = re.compile(r"\[emerg\] (?P<why>.*)")
_MASTER = "nginx: master process"
_WORKER = "nginx: worker process"
_LEAVING = "worker process is shutting down"
# It writes what its processes do over its arguments and environment, which would be too short for "shutting down". To
# the binary that takes over, nginx itself gives room by this name.
_ROOM_FOR_TITLES = {"SPARE": "X" * 300}


class NginxProcess:
    """The nginx of one state directory: started, found, reloaded and ended."""

    def __init__(self, directory: Path, binary: Path | None) -> None:
        self._directory = directory
        self._program = Program("nginx", "nginx", (1, 18), binary)
        self._log = Log(directory / ERRORS)

    @property
    def master(self) -> KnownProcess | None:
        """The one that serves now; None when it does not run."""
        return self._master(PID)

    @property
    def died(self) -> bool:
        """It is on record and does not run: nobody told it to end."""
        return (self._directory / PID).exists() and self.master is None

    def forget(self) -> None:
        """Take one that died off the record."""
        (self._directory / PID).unlink(missing_ok=True)

    @property
    def workers(self) -> set[int]:
        """Of all masters, those included that only finish what they hold."""
        return {pid for pid_file in (PID, f"{PID}.oldbin") for pid in self._workers(pid_file)}

    @property
    def orphans(self) -> set[int]:
        """Workers of ours whose master is gone."""
        return {orphan.pid for orphan in self._orphans()}

    @property
    def deserted(self) -> bool:
        """Workers whose master is gone go on accepting connections."""
        return any(map(_serves, self.orphans))

    async def start(self, workers: int) -> None:
        """Return when so many workers serve. PlatformError says what nginx says.

        A worker that comes later would be taken for one that a reload brought.
        """
        for name in TEMPORARY:
            (self._directory / "temporary" / name).mkdir(parents=True, exist_ok=True)
        await self._program.require_version(self._directory)
        for orphan in self._orphans():  # their master was killed: they go on serving, and hold the ports
            orphan.signal(signal.SIGQUIT)
        end = time.monotonic() + _LIMIT
        while any(_serves(orphan.pid) for orphan in self._orphans()):
            await self._pause(end, "the workers of an nginx that was killed did not let go")
        await self._run()
        while len(self._workers(PID)) < workers:
            await self._pause(end, "nginx did not start")

    async def test(self) -> None:
        """PlatformError when nginx refuses what is written."""
        await self._run("-t", "-q")

    async def reload(self) -> None:
        """Return when new workers run what is written and no old one accepts a connection any more."""
        master = self._must()
        old = self._workers(PID)
        log = self._log.size
        master.signal(signal.SIGHUP)
        end = time.monotonic() + _LIMIT
        while not self._replaced(old):
            self._refuse_emergency(log)
            await self._pause(end, "nginx did not replace its workers")

    async def replace(self) -> None:
        """A new master of the installed binary takes the sockets over; the old one's workers finish and end."""
        old, workers, log = self._must(), self._workers(PID), self._log.size
        old.signal(signal.SIGUSR2)
        end = time.monotonic() + _LIMIT
        while self.master in {old, None} or not self._workers(PID):
            self._refuse_emergency(log)
            await self._pause(end, "the new nginx did not start")
        old.signal(signal.SIGQUIT)
        while any(_serves(worker) for worker in workers):
            await self._pause(end, "the old nginx did not let go")

    async def stop(self) -> None:
        """All masters and workers, also those that drain."""
        masters = [known for name in (PID, f"{PID}.oldbin") if (known := self._master(name))]
        everyone = [*masters, *(KnownProcess.of(worker) for worker in self.workers), *self._orphans()]
        await end(everyone, _LIMIT / 2)
        await end(working_in(self._directory), _LIMIT / 2)  # those whose record was lost
        for name in (PID, f"{PID}.oldbin"):
            (self._directory / name).unlink(missing_ok=True)

    def reopen_logs(self) -> None:
        for name in (PID, f"{PID}.oldbin"):
            if master := self._master(name):
                master.signal(signal.SIGUSR1)

    def _replaced(self, old: set[int]) -> bool:
        return bool(self._workers(PID) - old) and not any(_serves(worker) for worker in old)

    def _workers(self, pid_file: str) -> set[int]:
        master = self._master(pid_file)
        return {pid for pid in children(master.pid) if "worker process" in title(pid)} if master else set()

    def _orphans(self) -> list[KnownProcess]:
        known = self.workers
        return [
            KnownProcess.of(pid)
            for pid in proc.pids()
            if pid not in known and title(pid).startswith(_WORKER) and _folder(pid) == self._directory.resolve()
        ]

    def _master(self, pid_file: str) -> KnownProcess | None:
        try:
            known = KnownProcess.of(int((self._directory / pid_file).read_text(encoding="ascii")))
        except (OSError, ValueError):
            return None
        # Not another process that got this pid after a reboot.
        ours = title(known.pid).startswith(_MASTER) and _folder(known.pid) == self._directory.resolve()
        return known if ours and known.running else None

    def _must(self) -> KnownProcess:
        if (master := self.master) is None:
            raise PlatformError("nginx does not run", "start the controller again")
        return master

    async def _run(self, *arguments: str) -> None:
        # Not by its full name, which workers that are nobody cannot follow when they open their logs anew.
        words = ("-p", "./", "-c", CONFIG, *arguments)
        code, text = await run(self._directory, self._program.path, *words, env=_ROOM_FOR_TITLES)
        if code:
            found = _TEST_EMERGENCY.search(text)
            raise PlatformError(f"nginx refused: {found['why'] if found else text[-500:]}", "nothing was changed")

    def _refuse_emergency(self, offset: int) -> None:
        if found := _EMERGENCY.search("\n".join(self._log.after(offset))):
            raise PlatformError(f"nginx refused: {found['why']}", "nothing was changed: the old routing runs")

    async def _pause(self, end: float, trouble: str) -> None:
        if time.monotonic() > end:
            raise PlatformError(f"{trouble} in {_LIMIT:.0f} s", f"see {self._log.path}")
        await asyncio.sleep(0.002)


def _folder(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _serves(worker: int) -> bool:
    """There, and not on its way out: it says so in its title before it closes its sockets."""
    said = title(worker)
    return bool(said) and _LEAVING not in said
