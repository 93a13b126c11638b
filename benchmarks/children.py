"""Processes that a benchmark starts, which end with it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ORIGIN = Path(__file__).with_name("origin.py")
READY_SECONDS = 20.0


class BrokenError(Exception):
    """A benchmark could not be made: what was to be measured did not run."""


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory of its own with a short path, because unix sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="cf-bench-", dir="/tmp", ignore_cleanup_errors=True) as place:
        yield Path(place)


def room(place: Path, name: str) -> Path:
    """A directory in it for one of several."""
    (place / name).mkdir(exist_ok=True)
    return place / name


@contextmanager
def child(
    command: Sequence[str], place: Path, *, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process group in `place`, whose output is in `child.log` there; ended with the block, however it ends."""
    with (place / "child.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=place,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        # A master that was killed leaves its workers: the group is gone only when nobody is left in it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def origin(release: str, place: Path) -> Iterator[int]:
    """One release of the app behind the proxies; its port."""
    port = free_port()
    with child([sys.executable, "-S", str(ORIGIN)], place, env={"PORT": str(port), "CROSSFADE_RELEASE": release}):
        yield port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def listening(port: int, place: Path | None = None) -> None:
    """Wait until something accepts connections there. BrokenError has what the child in `place` wrote."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                said = (place / "child.log").read_text(errors="replace")[-500:] if place else ""
                raise BrokenError(f"nothing listens on port {port} after {READY_SECONDS:.0f} s: {said}") from None
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
