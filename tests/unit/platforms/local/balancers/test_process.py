"""A balancer's process: what is kept of what it says of itself, and what ends with whoever asked for it."""

import asyncio
from pathlib import Path

from tests.adapters.until import until

from crossfade.platforms.local.balancers import process
from crossfade.platforms.local.balancers.known import KnownProcess
from crossfade.platforms.local.balancers.process import Log


def test_a_log_that_grew_large_is_begun_anew_under_who_writes_it(tmp_path: Path) -> None:
    """It goes on at the new end: it appends, and nobody has to tell it."""
    log = Log(tmp_path / "envoy.log")
    log.begin_anew(10)
    with log.path.open("ab", buffering=0) as writer:
        writer.write(b"0123456789")
        log.begin_anew(10)
        assert log.size == 10
        writer.write(b"x")
        log.begin_anew(10)
        writer.write(b"new\n")
    assert log.after(0) == ["new"]


async def test_a_start_that_nobody_waits_for_any_more_is_ended(tmp_path: Path) -> None:
    """A program such as nginx goes into the background by itself: given up, it would come up later, unknown."""
    task = asyncio.create_task(process.run(tmp_path, "/bin/sh", "-c", "echo $$ >pid; sleep 60; echo up >serves"))
    pid = int(await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    known = KnownProcess.of(pid)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not known.running)
