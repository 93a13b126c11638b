"""Processes known by pid and start time."""

import asyncio
import os
import signal
import subprocess
from dataclasses import replace

from tests.adapters.until import until

from crossfade.platforms.local.balancers.known import Known, children, gone, title


def test_a_process_is_known_until_it_ends() -> None:
    """Its end is seen even while nobody has waited for it."""
    with subprocess.Popen(["sleep", "60"]) as child:
        known = Known.of(child.pid)
        assert known.running
        assert child.pid in children(os.getpid())
        asyncio.run(until(lambda: title(child.pid) == "sleep 60"))  # a program has no title while it is loaded
        assert known.lives
        assert not asyncio.run(gone([known], 0.0))
        known.signal(signal.SIGKILL)
        assert asyncio.run(gone([known], 5.0))
    assert not known.lives
    known.signal(signal.SIGKILL)
    assert title(child.pid) == ""


def test_another_process_of_the_same_pid_is_not_it() -> None:
    """A start time that differs is another process, and gets no signal."""
    impostor = replace(Known.of(os.getpid()), started=1)
    assert not impostor.running
    impostor.signal(signal.SIGKILL)
    assert not Known(pid=2**22 + 1, started=0).running
