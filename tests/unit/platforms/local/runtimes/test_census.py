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


@pytest.fixture
def mark(tmp_path: Path) -> dict[str, str]:
    """No other test has it, which may run just now."""
    return {marks.NAME: str(tmp_path / "a.session")}


@contextmanager
def sleeper(env: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(["sleep", "600"], env=env)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


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


def found(census: Census, mark: dict[str, str]) -> set[int]:
    return {process.pid for process in census.look().began.get(mark[marks.NAME], ())}


def test_a_stranger_is_looked_at_once_and_one_of_ours_each_time(mark: dict[str, str]) -> None:
    """Two thousand strangers on a machine are no reason why a deploy takes longer."""
    census, asked = Census(settled=0), set[int]()
    with sleeper({}) as stranger, sleeper(mark) as ours:
        with asked_for_their_environment(asked):
            assert found(census, mark) == {ours}
        assert asked >= {stranger, ours}
        asked.clear()
        with asked_for_their_environment(asked):
            assert found(census, mark) == {ours}
        assert asked & {stranger, ours} == {ours}
        in_it = {process.pid for those in census.look().sessions.values() for process in those}
        assert in_it >= {stranger, ours}
    assert not found(census, mark)


def test_one_that_has_just_begun_is_no_stranger_yet(mark: dict[str, str]) -> None:
    """Until it is the program that it was begun for it has its parent's environment, and that may take long."""
    fork = f"""
import os
child = os.fork()
if child:
    print(child, flush=True)
    os.wait()
else:
    os.read(0, 1)
    os.execve("/bin/sleep", ["sleep", "600"], {mark})
"""
    census = Census(settled=0)
    parent = subprocess.Popen([sys.executable, "-c", fork], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
    assert parent.stdin is not None
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        assert not found(census, mark)
        parent.stdin.write(b"go")
        parent.stdin.flush()
        while Path(f"/proc/{child}/comm").read_text() != "sleep\n":
            pass
        assert found(census, mark) == {child}
    finally:
        os.kill(child, 9)
        parent.communicate()


def test_who_gets_the_pid_of_a_stranger_is_looked_at(mark: dict[str, str]) -> None:
    """A pid is given again, within minutes on a busy machine."""
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip("only root says which pid is given next")
    census = Census(settled=0)
    for _ in range(100):  # somebody else may get it first
        with sleeper({}) as stranger:
            assert not found(census, mark)
        LAST_PID.write_text(str(stranger - 1))
        with sleeper(mark) as ours:
            assert found(census, mark) == {ours}
        if ours == stranger:
            return
    pytest.skip("the pid went to others")
