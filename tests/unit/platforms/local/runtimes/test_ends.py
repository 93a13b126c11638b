"""The end of an instance, as it is told before anybody looks."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine


@pytest.mark.parametrize("launched_by_us", [True, False])
async def test_an_end_is_told_although_nobody_looks(machine: Machine, *, launched_by_us: bool) -> None:
    """At once, and once: also of an instance that a controller before us launched."""
    await machine.launch("one", "exec sleep 60")
    runtime = machine.runtime if launched_by_us else machine.successor()
    told: list[str] = []
    runtime.tell_ends(told.append)
    await until(lambda: machine.recorded("one"))
    for _ in range(2):
        await runtime.instances(machine.key)
    process = machine.recorded("one")
    assert process
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: told)
    (one,) = await runtime.instances(machine.key)
    assert one.exited
    assert told == [machine.key]
    await runtime.close()


async def test_what_is_watched_is_let_go_of(machine: Machine) -> None:
    """No descriptor stays behind: not of one that ended, was stopped, or goes on without us."""
    before = _descriptors()
    for name, command in (("ends", "exit 3"), ("stopped", "exec sleep 60"), ("goes-on", "exec sleep 60")):
        await machine.launch(name, command)
    await until(lambda: machine.recorded("ends") and machine.recorded("stopped") and machine.recorded("goes-on"))
    await machine.runtime.instances(machine.key)
    await machine.runtime.stop("stopped", 0.0, 1)
    await machine.runtime.stop("ends", 0.0, 1)
    await machine.runtime.close()
    assert _descriptors() == before


def _descriptors() -> int:
    """How many of ours mean a process."""
    found = 0
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that listed the others
            found += str(file.readlink()).startswith("anon_inode:[pidfd")
    return found
