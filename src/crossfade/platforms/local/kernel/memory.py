"""Whom the kernel ended for want of memory, be it the machine's or a cgroup's."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process

_OF_A_CHILD = 128 + SIGKILL  # the code of a shell whose command was killed
_MESSAGE = 8192  # bytes, at most
_KILLED = re.compile(rb"\d+,\d+,(\d+),.*?out of memory.*: Killed process (\d+) ", re.IGNORECASE)
_SLACK = 0.1  # seconds by which the two clocks may differ, and no pid comes again
_CERTAIN = "by the kernel for want of memory"
_PERHAPS = f"perhaps {_CERTAIN}, which `sudo dmesg` tells"


def killed_for_memory() -> int:
    """How many processes the kernel has killed so far for want of memory."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def why_killed(process: Process, code: int | None) -> str:
    """That this may be why a process ended, which its exit code does not tell; empty when it is not.

    The kernel's log names whom it killed: not to everybody, and not the child of a command that ends with it. Who was
    killed before this one began is another, whose pid it may have got.
    """
    if code not in {None, -SIGKILL, _OF_A_CHILD} or not killed_for_memory():
        return ""
    try:
        named = named_since(process, _messages())
    except OSError:
        return _PERHAPS if code else ""
    if process.pid in named:
        return _CERTAIN
    return _PERHAPS if named and code == _OF_A_CHILD else ""


def named_since(process: Process, messages: Iterable[bytes]) -> set[int]:
    """Pids that the kernel's log names as killed since this process began."""
    # The log's clock stands still while the machine sleeps, and that of starts goes on.
    asleep = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    began = proc.seconds(process.start) - asleep
    found = (_KILLED.match(message) for message in messages)
    return {int(killed[2]) for killed in found if killed and int(killed[1]) / 1e6 >= began - _SLACK}


def _messages() -> Iterator[bytes]:
    """All that the kernel still remembers to have said. OSError when that is not for us to read."""
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                yield os.read(log, _MESSAGE)
            except BrokenPipeError:  # what was next has been forgotten meanwhile
                continue
            except BlockingIOError:
                return
    finally:
        os.close(log)
