"""A command in a session of its own that outlives us, and is known again by what it wrote about itself."""

import asyncio
import fcntl
import os
import shlex
import signal
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.held import take
from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process
from crossfade.platforms.local.runtimes import open_files
from crossfade.platforms.local.runtimes.processes import marks
from crossfade.platforms.local.runtimes.processes.census import Census, CensusLook
from crossfade.platforms.local.runtimes.processes.log_writer import LogWriter, idle, is_writer, pipes, spawn

LAST_WORDS_WITHIN = 1.0  # from the end of the last command until its log has them
KILLED_WITHIN = 30.0  # what survives SIGKILL for that long hangs in the kernel, mostly on a dead network disk
BIRTH = 0.002  # from fork to its own record a child takes about a millisecond

# The child records itself before it becomes the command, so no crash of ours can leave one that nobody knows.
# Its stdin is the session file, locked by whoever starts it; the lock ends when the command gets /dev/null instead.
RECORD = """read -r boot </proc/sys/kernel/random/boot_id && read -r stat </proc/$$/stat && \
printf '%s %s\\n' "$boot" "$stat" >&0 || exit 125
cd -- "$1" && """
BECOME = 'exec /bin/sh -c "$2" </dev/null'


class Session:
    """One run of one shell command. `file` is where it is recorded, `log` where its output goes.

    Sessions of hundreds of instances share a `census`.
    """

    def __init__(self, file: Path, log: Path, census: Census | None = None) -> None:
        self.file = file
        self.log = log
        self._census = census or Census()
        self.code: int | None = None  # known only to the parent; negative: ended by that signal
        self._writer = LogWriter(file, log)
        self._child: int | None = None
        self._leader: Process | None = None

    def start(
        self,
        command: str,
        folder: Path,
        env: Mapping[str, str],
        memory: int | None = None,
        cgroup: Path | None = None,
    ) -> None:
        """Run it in `folder` unless this session was started before; `memory` limits each process's data, in bytes.

        `cgroup` is the file by which it joins the cgroup that limits its CPU.
        Raises OSError when the disk is full or the files cannot be written.
        """
        limit = f"echo $$ >{shlex.quote(str(cgroup))} && " if cgroup else ""
        limit += f"ulimit -Sn {open_files.of_instances()} && " + (f"ulimit -d {memory // 1024} && " if memory else "")
        arguments = ["sh", "-c", RECORD + limit + BECOME, "sh", str(folder), command]
        lock = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            if not take(lock) or os.fstat(lock).st_size:
                return  # somebody starts it just now, or did
            output = self._writer.start()
            try:
                marked = {**env, marks.NAME: str(self.file)}
                self._child = spawn(arguments, marked, {0: lock, 1: output, 2: output})
            finally:
                os.close(output)
        except OSError:
            # Closed, it would be locked still by a child that has not closed it yet, such as the writer: Linux lets us
            # go on while a child's exec is at that.
            fcntl.flock(lock, fcntl.LOCK_UN)
            raise
        finally:
            os.close(lock)

    @property
    def leader(self) -> Process | None:
        """The process that is the command; None before it is."""
        return self._find_leader()

    @property
    def started(self) -> bool:
        """The command ran at some time, or is about to."""
        return self._child is not None or self._find_leader() is not None or self._starting()

    def running(self) -> bool:
        """The command itself runs; what it left behind does not count."""
        self._reap()
        if self._child is not None:
            return True
        leader = self._find_leader()
        if leader is None:
            return self._starting()
        return proc.alive(leader)

    async def wait(self, limit: float | None = None) -> bool:
        """Wait until the command has ended; False when it still runs after `limit` seconds."""
        deadline = None if limit is None else _now() + limit
        while self.running():
            leader = self._find_leader()
            left = None if deadline is None else deadline - _now()
            if left is not None and left <= 0:
                return False
            if leader is None:
                await asyncio.sleep(BIRTH)
            else:
                await _any_ended([leader], left)
        return True

    async def end(self, grace: float, *, hands_on: bool = False) -> bool:
        """SIGTERM, up to `grace` seconds, then SIGKILL to all that belongs to it; returns when nothing is left.

        True when the command itself was still there to be killed. SIGTERM goes to the process group. Children in groups
        or sessions of their own are their parent's to end, and get the signal only when the group is gone. What writes
        the log ends by itself, when the last one has gone silent. A command that `hands_on` the signal gets it alone.
        Raises PlatformError when something cannot be killed.
        """
        deadline = _now() + grace
        killed = False
        known: set[tuple[int, int]] = set()
        told: set[tuple[int, int]] = set()
        while self._find_leader() is None and self._starting():  # noqa: ASYNC110  another process decides
            await asyncio.sleep(BIRTH)
        while members := self._members(await self._census.seen(), known):
            known |= {member.identity for member in members}
            commands = [member for member in members if not is_writer(member.pid, self.file)]
            if not commands:
                await self._fall_silent(members)
                continue
            left = deadline - _now()
            if left > 0:
                main = self._leader.pid if self._leader else 0
                group = [member for member in commands if member.group == main] or commands
                if hands_on:
                    group = [member for member in group if member.pid == main] or group
                _signal([member for member in group if member.identity not in told], signal.SIGTERM)
                told |= {member.identity for member in group}
            elif left > -KILLED_WITHIN:
                killed = killed or any(member.pid == (self._leader.pid if self._leader else 0) for member in commands)
                _signal(commands, signal.SIGKILL)
            else:
                raise PlatformError(
                    f"process {commands[0].pid} does not end, not even by SIGKILL: it hangs in the kernel",
                    "it mostly waits for a disk that is gone; see `dmesg`, and try again once that is mended",
                )
            await _any_ended(commands, left if left > 0 else 1.0)
        self._reap()
        return killed

    async def _fall_silent(self, writers: Sequence[Process]) -> None:
        """Let the log get what was said at the end; one whose pipe a stranger still holds would never end."""
        deadline = _now() + LAST_WORDS_WITHIN
        while (running := [w for w in writers if proc.alive(w)]) and _now() < deadline:
            await _any_ended(running, deadline - _now())
        _signal(running, signal.SIGKILL)

    def forget(self) -> None:
        """Remove the record of a session that has ended."""
        self.file.unlink(missing_ok=True)
        self._child = self._leader = self.code = None

    def _reap(self) -> None:
        """Take the exit codes of our own children, which stay zombies until we do."""
        self._writer.reap()
        if self._child is None:
            return
        try:
            pid, status = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:  # taken by somebody else in this process
            self._child = None
            return
        if pid:
            self._child, self.code = None, os.waitstatus_to_exitcode(status)

    def _find_leader(self) -> Process | None:
        """The process that became the command, as it recorded itself; None before it did."""
        if self._leader is None:
            with suppress(FileNotFoundError):
                boot, _, stat = self.file.read_text().partition(" ")
                if stat.endswith("\n"):
                    leader = proc.parse(stat)
                    # Another boot's pids mean nothing: 0 is the start of no process that could be found.
                    same = boot == proc.boot_id() and not self._is_a_copy(leader)
                    self._leader = leader if same else Process(leader.pid, leader.group, leader.session, 0)
        return self._leader

    def _is_a_copy(self, leader: Process) -> bool:
        """The record of another state directory was copied into ours with all of it: what it tells of is not ours."""
        for mark in marks.carried(leader.pid, marks.NAME) if proc.alive(leader) else ():
            original = Path(mark)
            if original != self.file and original.exists() and not original.samefile(self.file):
                return True
        return False

    def _starting(self) -> bool:
        """The file is still locked by a child on its way to recording itself."""
        try:
            file = os.open(self.file, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return not take(file) or self._find_leader() is not None
        finally:
            os.close(file)

    async def seen(self) -> CensusLook:
        """Who runs now, for `members` and `settle`."""
        return await self._census.seen()

    def members(self, seen: CensusLook | None = None) -> list[Process]:
        """What runs of it, the command itself or what it left behind; not what writes its log."""
        members = self._members(seen or self._census.look(), ())
        return [member for member in members if not is_writer(member.pid, self.file)]

    def settle(self, seen: CensusLook) -> None:
        """Wait the moment until all that was said is in the log: a command can end before its last words are there."""
        writers = [member for member in self._members(seen, ()) if is_writer(member.pid, self.file)]
        deadline = time.monotonic() + LAST_WORDS_WITHIN
        while not idle(writers) and time.monotonic() < deadline:
            time.sleep(0.001)

    def _members(self, seen: CensusLook, known: Collection[tuple[int, int]]) -> list[Process]:
        """Running processes of this session, and those that left it and still carry its mark.

        While the command itself runs its session number is its own. Afterwards the number may have gone to a stranger,
        so a process must carry our mark in its environment, write to our log or its pipe, or have been seen before.
        """
        leader = self._find_leader()
        ours = leader.pid if leader is not None and leader.start else -1  # of a boot before: nobody's
        certain = leader is not None and proc.alive(leader)
        marked = seen.began.get(str(self.file), ())
        identities = {p.identity for p in marked}
        unmarked = [p for p in seen.sessions.get(ours, ()) if p.identity not in identities]
        others = [now for p in unmarked if (now := proc.look(p.pid)) and now.identity == p.identity and not now.ended]
        if others and not certain:
            writers = [p for p in marked if is_writer(p.pid, self.file)]
            heard = {str(self.log), *pipes(writers)}
            others = [p for p in others if p.identity in known or heard & proc.descriptors(p.pid, 1, 2)]
        return [*marked, *others]


def _signal(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        handle = proc.handle(process)
        if handle is None:
            continue
        try:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
        except PermissionError as error:
            raise PlatformError(
                f"process {process.pid} of this instance runs as another user and cannot be ended",
                f"end it as that user: kill {process.pid}",
            ) from error
        finally:
            os.close(handle)


async def _any_ended(processes: Iterable[Process], limit: float | None) -> None:
    """Sleep until one of them has ended, `limit` seconds at most."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    handles: list[int] = []

    def wake() -> None:
        if not ended.done():
            ended.set_result(None)

    try:
        for process in processes:
            handle = proc.handle(process)
            if handle is None:
                return
            handles.append(handle)
            loop.add_reader(handle, wake)
        # Not wait_for: in Python 3.11 it drops a cancellation that comes in the moment in which one ends.
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await ended
    finally:
        for handle in handles:
            loop.remove_reader(handle)
            os.close(handle)


def _now() -> float:
    return asyncio.get_running_loop().time()
