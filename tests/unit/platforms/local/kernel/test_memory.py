"""Whom the kernel ended for want of memory, told from others of the same pid."""

import time

from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.memory import named_since
from crossfade.platforms.local.kernel.proc import Process


def killed(pid: int, at: float) -> bytes:
    """As /dev/kmsg says it: priority, number, microseconds since boot, and the words."""
    return b"3,7096,%d,-;Memory cgroup out of memory: Killed process %d (python3) total-vm:4kB\n" % (at * 1e6, pid)


def test_who_was_killed_before_it_began_is_another_of_its_pid() -> None:
    """Pids come again: an instance that a person killed was told as one that the kernel ended weeks ago."""
    now = time.monotonic()
    late = Process(pid=4711, group=1, session=1, start=proc.ticks())
    assert named_since(late, [killed(4711, now - 60), killed(12, now - 1), b"6,1,5,-;something else"]) == set()
    assert named_since(late, [killed(4711, now + 1), killed(12, now - 1)]) == {4711}
