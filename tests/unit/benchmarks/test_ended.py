"""Benchmarks that are ended before they are done."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adapters.until import until

ROOT = Path(__file__).parents[3]
DAEMON = b"crossfade.controller.daemon"


@pytest.mark.long
async def test_one_that_is_told_to_end_leaves_nothing_that_it_started() -> None:
    """As `timeout` tells it: neither the controller, nor its Envoy, nor an instance, nor a folder."""
    words = (sys.executable, "-m", "benchmarks", "idle", "--quick")
    bench = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL)

    try:
        folder = await until(lambda: next(_states(bench.pid), None))
        await until((folder / "balancer" / "process.json").exists)
        bench.send_signal(signal.SIGTERM)
        assert await bench.wait() == 128 + signal.SIGTERM
        assert list(_of(folder)) == []
        assert not folder.exists()
    finally:
        if bench.returncode is None:
            bench.kill()
            await bench.wait()


def _states(parent: int) -> Iterator[Path]:
    """The state directories of controllers that this process started."""
    for pid in _pids():
        with contextlib.suppress(OSError, ValueError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            started_by = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            if DAEMON in words and started_by == parent:
                yield Path(os.fsdecode(words[words.index(DAEMON) + 1]))


def _of(state: Path) -> Iterator[int]:
    """Who works for a state directory."""
    mark = os.fsencode(state)
    for pid in _pids():
        with contextlib.suppress(OSError):
            traces = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
            if any(mark in trace for trace in [*traces, os.fsencode(Path(f"/proc/{pid}/cwd").readlink())]):
                yield pid


def _pids() -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
