"""The writer of a command's log, a process of its own: the command holds a pipe, and never the file.

An app that opens /dev/stdout anew would empty a file; a pipe it just goes on writing to.
"""

import fcntl
import os
import signal
import struct
import termios
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process

MARK = "CROSSFADE_LOG"  # in the environment of a log writer: the session whose log it writes
LARGEST = 200 << 20  # bytes of a log, also when nobody shortens it: four times of what it should have
# It ends when nobody holds the pipe any more, by no signal but SIGKILL. What cannot be written, on a full disk or to a
# log that is full, is dropped: a command that waited for its log would answer nobody.
SCRIPT = (
    f'exec 2>/dev/null; cd /; ulimit -f {LARGEST // 512}; trap "" HUP INT QUIT TERM XFSZ; until cat; do sleep 0.1; done'
)


def spawn(arguments: list[str], env: Mapping[str, str], files: Mapping[int, int]) -> int:
    """Start /bin/sh in a session of its own with these descriptors (its number: ours) and no other; returns its pid."""
    return os.posix_spawn(
        "/bin/sh",
        arguments,
        env,
        file_actions=[
            *((os.POSIX_SPAWN_DUP2, ours, number) for number, ours in files.items()),
            *((os.POSIX_SPAWN_CLOSE, n) for n in _inherited()),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them; the command must not
    )


class LogWriter:
    """The writer of one session's log. `session` is the session's file."""

    def __init__(self, session: Path, log: Path) -> None:
        self._session = session
        self._log = log
        self._child: int | None = None

    def start(self) -> int:
        """Start it, and return the descriptor to write to, which the caller closes. OSError as `open` raises it.

        When we die in the next line nobody holds the pipe, and the writer ends as well.
        """
        output = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            source, sink = os.pipe()
            try:
                env = {MARK: str(self._session), "PATH": os.defpath}
                self._child = spawn(["sh", "-c", SCRIPT], env, {0: source, 1: output})
            except BaseException:
                os.close(sink)
                raise
            finally:
                os.close(source)
        finally:
            os.close(output)
        return sink

    def reap(self) -> None:
        """Take the exit code of our own child, which stays a zombie until we do."""
        if self._child is not None:
            try:
                if os.waitpid(self._child, os.WNOHANG)[0]:
                    self._child = None
            except ChildProcessError:
                self._child = None


def is_writer(pid: int, session: Path) -> bool:
    """Is this process part of the session's log writer, and no command?"""
    return f"{MARK}={session}".encode() in proc.environment(pid).split(b"\0")


def pipes(writers: Iterable[Process]) -> set[str]:
    """What these read, as /proc names it: whose output goes there belongs to their session."""
    return {found for writer in writers for found in proc.descriptors(writer.pid, 0)}


def idle(writers: Iterable[Process]) -> bool:
    """All that was said is in the log: nothing is left in the pipe, and who reads it waits for more or has ended."""
    for writer in writers:
        with suppress(OSError):
            source = os.open(f"/proc/{writer.pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
            try:
                (waiting,) = struct.unpack("i", fcntl.ioctl(source, termios.FIONREAD, bytes(4)))
            finally:
                os.close(source)
            now = proc.look(writer.pid)
            if waiting or (now is not None and now.start == writer.start and not (now.ended or now.sleeping)):
                return False
    return True


def _inherited() -> list[int]:
    """Descriptors we got from whoever started us: a command that kept a pipe of theirs would keep them waiting."""
    return [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2 and _passes_on(int(name))]  # noqa: PLR2004, PTH208


def _passes_on(file: int) -> bool:
    try:
        return os.get_inheritable(file)
    except OSError:  # the one that listed the others
        return False
