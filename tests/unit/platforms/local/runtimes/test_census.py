"""Who runs on this machine: strangers are looked at once, and nobody of ours is taken for one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from crossfade.platforms.local.runtimes.processes import marks
from crossfade.platforms.local.runtimes.processes.census import Census

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
MARKED = {marks.NAME: "/of/a.session"}


@contextmanager
def asked_for_their_environment(pids: set[int]) -> Iterator[None]:
    """Who is."""

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name == "environment":
            pids.add(frame.f_locals["pid"])

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def found(census: Census) -> set[int]:
    return {process.pid for process in census.look().began.get("/of/a.session", ())}


def test_a_stranger_is_looked_at_once_and_one_of_ours_each_time() -> None:
    """Two thousand strangers on a machine are no reason why a deploy takes longer."""
    census, asked = Census(settled=0), set[int]()
    with subprocess.Popen(["sleep", "600"], env={}) as stranger, subprocess.Popen(["sleep", "600"], env=MARKED) as ours:
        pids = {stranger.pid, ours.pid}
        with asked_for_their_environment(asked):
            assert found(census) == {ours.pid}
        assert asked >= pids
        asked.clear()
        with asked_for_their_environment(asked):
            assert found(census) == {ours.pid}
        assert asked & pids == {ours.pid}
        in_it = {process.pid for those in census.look().sessions.values() for process in those}
        assert in_it >= pids
        stranger.kill()
        ours.kill()
    assert not found(census)


def test_one_that_has_just_begun_is_no_stranger_yet() -> None:
    """Until it is the program that it was begun for it has its parent's environment, and that may take long."""
    fork = f"""
import os
child = os.fork()
if child:
    print(child, flush=True)
    os.wait()
else:
    os.read(0, 1)
    os.execve("/bin/sleep", ["sleep", "600"], {MARKED})
"""
    census = Census(settled=0)
    with subprocess.Popen(
        [sys.executable, "-c", fork], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not found(census)
        parent.stdin.write(b"go")
        parent.stdin.flush()
        while Path(f"/proc/{child}/comm").read_text() != "sleep\n":
            pass
        assert found(census) == {child}
        os.kill(child, 9)


def test_who_gets_the_pid_of_a_stranger_is_looked_at() -> None:
    """A pid is given again, within minutes on a busy machine."""
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip("only root says which pid is given next")
    census = Census(settled=0)
    for _ in range(100):  # somebody else may get it first
        with subprocess.Popen(["sleep", "600"], env={}) as stranger:
            assert not found(census)
            stranger.kill()
        LAST_PID.write_text(str(stranger.pid - 1))
        with subprocess.Popen(["sleep", "600"], env=MARKED) as ours:
            seen = found(census)
            ours.kill()
        assert seen == {ours.pid}
        if ours.pid == stranger.pid:
            return
    pytest.skip("the pid went to others")
