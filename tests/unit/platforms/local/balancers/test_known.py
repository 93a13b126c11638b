"""Processes known by pid and start time."""

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from tests.adapters.until import until
from tests.support.nobody import beside_nobody

from crossfade.platforms.local.balancers.known import (
    KnownProcess,
    balancer_at,
    children,
    died,
    ended,
    title,
    working_in,
)


def test_a_process_is_known_until_it_ends() -> None:
    """Its end is seen even while nobody has waited for it."""
    with subprocess.Popen(["sleep", "60"]) as child:
        known = KnownProcess.of(child.pid)
        assert known.running
        assert child.pid in children(os.getpid())
        asyncio.run(until(lambda: title(child.pid) == "sleep 60"))  # a program has no title while it is loaded
        assert known.lives
        known.signal(signal.SIGKILL)
        asyncio.run(until(lambda: not known.running))
    assert not known.lives
    known.signal(signal.SIGKILL)
    assert title(child.pid) == ""


def test_another_process_of_the_same_pid_is_not_it() -> None:
    """A start time that differs is another process, and gets no signal."""
    impostor = replace(KnownProcess.of(os.getpid()), started=1)
    assert not impostor.running
    impostor.signal(signal.SIGKILL)
    assert not KnownProcess(pid=2**22 + 1, started=0).running


def test_a_balancer_is_known_by_where_it_works(tmp_path: Path) -> None:
    """Also where somebody deleted that under it; another's, such as the machine's own nginx in /, is none of ours."""
    program, ours = tmp_path / "nginx", tmp_path / "balancer"
    program.symlink_to(shutil.which("sleep") or "")
    ours.mkdir()
    with subprocess.Popen([program, "60"], cwd="/") as others, subprocess.Popen([program, "60"], cwd=ours) as mine:
        try:
            asyncio.run(until(lambda: balancer_at(others.pid) and balancer_at(mine.pid)))
            assert balancer_at(others.pid) == Path("/")
            assert working_in(ours) == [KnownProcess.of(mine.pid)]
            ours.rmdir()
            assert working_in(ours) == [KnownProcess.of(mine.pid)]
        finally:
            others.kill()
            mine.kill()


async def test_one_that_was_replaced_has_not_died() -> None:
    """A balancer's successor ends the one before, which is nobody's trouble; one whose record went with it has died."""
    for after, is_death in ((None, True), ("itself", True), ("another", False)):
        sleeper = await asyncio.create_subprocess_exec("sleep", "600")
        known = KnownProcess.of(sleeper.pid)
        others = {None: None, "itself": known, "another": KnownProcess.of(os.getpid())}
        current = iter([known, others[after]])
        waiting = asyncio.create_task(died(lambda current=current: next(current), 600.0))  # type: ignore[misc]
        await asyncio.sleep(0)
        sleeper.kill()
        await sleeper.wait()
        assert await waiting is is_death
    assert not await died(lambda: KnownProcess.of(os.getpid()), 0.01)
    assert not await died(lambda: None, 0.01)


async def test_the_end_of_a_process_is_told_at_once() -> None:
    """Long before the time is over; and when that is over, of one that runs, or where there is none."""
    sleeper = await asyncio.create_subprocess_exec("sleep", "600")
    known = KnownProcess.of(sleeper.pid)
    await ended(known, 0.01)
    assert known.running
    waiting = asyncio.create_task(ended(known, 600.0))
    await asyncio.sleep(0)
    sleeper.kill()
    async with asyncio.timeout(60):
        await waiting
    assert not known.running
    await sleeper.wait()
    await ended(known, 600.0)
    await ended(None, 0.01)


def test_what_strangers_call_their_processes_keeps_nobody_from_looking(tmp_path: Path) -> None:
    """A name is bytes, and one that is cut after 15 of them is often no text."""
    libc, set_name = ctypes.CDLL(None), 15  # PR_SET_NAME of the kernel's include/uapi/linux/prctl.h
    with beside_nobody(lambda: libc.prctl(set_name, "worker-für-größe".encode()[:15])) as stranger:
        assert title(stranger)
        assert working_in(tmp_path) == []
        assert KnownProcess.of(stranger).running
