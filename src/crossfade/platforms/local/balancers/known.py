"""Processes that outlive who started them: known by pid and start time, so that a later one of that pid is not it."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters import BALANCERS
from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process, Thread

_DELETED = " (deleted)"  # the kernel's words for a folder that is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProcess:
    """One process, told from a later one of the same pid by its start time."""

    pid: int
    started: int  # clock ticks since boot
    ends: float | None = None  # monotonic seconds at which we end it; None: it ends by itself

    @classmethod
    def of(cls, pid: int) -> "KnownProcess":
        now = proc.look(pid)
        return cls(pid=pid, started=0 if now is None or now.ended else now.start)

    @property
    def running(self) -> bool:
        return self._now() is not None

    @property
    def lives(self) -> bool:
        """It runs and is not on its way out."""
        now = self._now()
        return now is not None and not now.exiting

    def main_thread(self) -> Thread | None:
        """What its first thread is at; None when it is gone."""
        now = proc.first_thread(self.pid)
        return now if now is not None and now.start == self.started else None

    def signal(self, number: signal.Signals) -> None:
        """Nothing happens when it is gone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _now(self) -> Process | None:
        """OSError when we cannot look, for want of files: it would be taken for dead, and another be started."""
        now = proc.look(self.pid) if self.started else None
        return now if now is not None and now.start == self.started and not now.ended else None


async def died(current: Callable[[], KnownProcess | None], limit: float) -> bool:
    """Return when it has ended, or after `limit` seconds: whether it did, and nobody put another in its place."""
    before = current()
    await ended(before, limit)
    return before is not None and not before.running and current() in {before, None}


async def ended(known: KnownProcess | None, limit: float) -> None:
    """Return when it has ended, which the kernel tells at once, or after `limit` seconds; so also without a process."""
    import asyncio  # noqa: PLC0415  a look at what runs, from a shell, does without

    try:
        watched = os.pidfd_open(known.pid) if known else -1
    except ProcessLookupError:
        return
    except OSError:  # no file to spare
        watched = -1
    if known is None or watched < 0:
        await asyncio.sleep(limit)
        return
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watched, gone.set)
    try:
        if known.running:  # not another process that got its pid
            async with asyncio.timeout(limit):
                await gone.wait()
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(watched)
        os.close(watched)


def working_in(directory: Path) -> list[KnownProcess]:
    """The balancers that work in this directory, on record or not, also where somebody deleted it under them."""
    here = directory.resolve()
    return [KnownProcess.of(pid) for pid, place in balancers() if place == here]


def balancers() -> Iterator[tuple[int, Path]]:
    """All that are ours to see, and where each works."""
    for pid in proc.pids():
        if place := balancer_at(pid):
            yield pid, place


def balancer_at(pid: int) -> Path | None:
    """Where the process works, if it is a balancer of ours: its program is called as the file calls it."""
    try:
        if called(pid) not in BALANCERS:
            return None
        return Path(str(Path(f"/proc/{pid}/cwd").readlink()).removesuffix(_DELETED))
    except OSError:  # gone, or somebody else's
        return None


def of_another(known: KnownProcess | None, directory: Path) -> bool:
    """It works for another directory, of which the record in this one is a copy."""
    place = balancer_at(known.pid) if known and known.running else None
    return place is not None and place != directory.resolve()


def called(pid: int) -> str:
    """What the process is called by, of which other users may make whatever they like. OSError when it is gone."""
    return Path(f"/proc/{pid}/comm").read_bytes().decode(errors="replace").strip()


def title(pid: int) -> str:
    """What the process calls itself; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def children(pid: int) -> set[int]:
    """Pids of those that this process started and that are still there."""
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()}
    except OSError:
        return set()
