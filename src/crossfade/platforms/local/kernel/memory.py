"""Whom the kernel ended for want of memory, be it the machine's or a cgroup's."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

_OF_A_CHILD = 128 + SIGKILL  # the code of a shell whose command was killed
_MESSAGE = 8192  # bytes, at most
_KILLED = re.compile(rb"out of memory.*: Killed process (\d+) ", re.IGNORECASE)
_CERTAIN = "by the kernel for want of memory"
_PERHAPS = f"perhaps {_CERTAIN}, which `sudo dmesg` tells"


def killed_for_memory() -> int:
    """How many processes the kernel has killed so far for want of memory."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def why_killed(pid: int, code: int | None) -> str:
    """That this may be why a process ended, which its exit code does not tell; empty when it is not.

    The kernel's log names whom it killed: not to everybody, and not the child of a command that ends with it.
    """
    if code not in {None, -SIGKILL, _OF_A_CHILD} or not killed_for_memory():
        return ""
    try:
        named = {int(found[1]) for message in _messages() if (found := _KILLED.search(message))}
    except OSError:
        return _PERHAPS if code else ""
    if pid in named:
        return _CERTAIN
    return _PERHAPS if named and code == _OF_A_CHILD else ""


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
