"""A controller killed at any moment of a launch leaves an instance that is known, or none at all."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.platforms.local.kernel import proc

# Launches one instance after the other as fast as it can, as soon as it is told to.
LAUNCHER = """
import asyncio, itertools, sys
from pathlib import Path
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime
class Fence:
    def check(self, service, token): ...
app, digest, mark = sys.argv[2:]
service = Service(app=app, name="web", command=f"exec sleep {mark}")
release = Release(number=1, service=service, version="v1", digest=digest, config_hash="")
async def main():
    runtime = ProcessRuntime(Path(sys.argv[1]), Fence())
    print("ready", flush=True)
    for n in itertools.count():
        await runtime.launch(f"i{n}", release, {}, 1)
asyncio.run(main())
"""


def marked(mark: str) -> set[int]:
    """Pids of running processes that our command appears in: the sleeps, and shells on their way to become them."""
    found = set()
    for process in proc.everyone():
        try:
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"sleep {mark}".encode() in b" ".join(arguments) and arguments[0] in {b"sh", b"/bin/sh", b"sleep"}:
            found.add(process.pid)
    return found


@pytest.mark.parametrize("rounds", [6, pytest.param(30, marks=pytest.mark.long)])
async def test_a_killed_launcher_leaves_nothing_unknown(machine: Machine, rounds: int) -> None:
    """Time and again a launcher is killed in the middle: every process it started is listed by a new runtime."""
    release = await machine.release()
    random.seed(7)
    for attempt in range(rounds):
        mark = f"6{os.getpid()}.{attempt}"
        killed_after(random.uniform(0.0, 0.02), [str(machine.state), machine.key.split("/")[0], release.digest, mark])
        successor = machine.successor()
        seen = await successor.instances(machine.key)
        alive = [instance.id for instance in seen if not instance.exited]
        known = {(await until(lambda i=i: machine.recorded(i))).pid for i in alive}
        await until(lambda m=mark, k=known: marked(m) == k)  # in the middle of an exec a process has no arguments
        for instance in seen:
            await successor.stop(instance.id, 0, 1)
        assert marked(mark) == set()
        assert {file.suffix for file in (machine.state / "instances").iterdir()} <= {".draft"}


def killed_after(seconds: float, arguments: list[str]) -> None:
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, *arguments], stdout=subprocess.PIPE)
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()


async def test_a_child_that_has_not_recorded_itself_counts_as_running(machine: Machine, tmp_path: Path) -> None:
    """Between fork and record the session file is locked by the child: nobody takes the instance for dead."""
    from crossfade.platforms.local.runtimes.processes.session import Session

    file = tmp_path / "session"
    file.touch()
    child = subprocess.Popen(["flock", str(file), "sleep", "60"], start_new_session=True)  # noqa: ASYNC220  returns at once
    session = Session(file, tmp_path / "log")
    try:
        await until(session.running)
        assert session.started
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    await until(lambda: not session.running())
    assert not session.started
