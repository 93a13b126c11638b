"""Processes as the kernel knows them: a pid and a start time are one process for as long as the machine runs."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_FORKED = 0x40  # PF_FORKNOEXEC of the kernel's include/linux/sched.h
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `start` is in clock ticks since boot: a recycled pid has another one."""

    pid: int
    group: int
    session: int
    start: int
    ended: bool = False  # a zombie: it runs no more, its parent has not asked for its exit code yet
    sleeping: bool = False  # until something happens that it waits for
    forked: bool = False  # it has yet to become a program: its environment is its parent's until then

    @property
    def identity(self) -> tuple[int, int]:
        return self.pid, self.start


def parse(stat: str) -> Process:
    """Read a line of /proc/<pid>/stat; the name in brackets may itself hold blanks and brackets."""
    pid, _, rest = stat.partition(" (")
    fields = rest.rpartition(")")[2].split()  # from field 3, the state, on
    return Process(
        int(pid),
        int(fields[2]),
        int(fields[3]),
        int(fields[19]),
        ended=fields[0] in "ZX",
        sleeping=fields[0] == "S",
        forked=bool(int(fields[6]) & _FORKED),
    )


def look(pid: int) -> Process | None:
    """The process that has this pid now."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  asked 20 times a tick
            return parse(file.read())
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(process: Process) -> bool:
    """It runs, and no later one has its pid."""
    now = look(process.pid)
    return now is not None and now.start == process.start and not now.ended


def handle(process: Process) -> int | None:
    """A descriptor that means this process and no later one with its pid; None when it has ended.

    OSError when no file can be spared.
    """
    try:
        found = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if alive(process):
        return found
    os.close(found)
    return None


class Ends:
    """Tells whose instance has ended, as the kernel does: at its port a stranger may listen before anybody looks again.

    `told` gets what was said to be told.
    """

    def __init__(self) -> None:
        self.told: Callable[[str], None] = lambda _: None
        self._watched: dict[str, int] = {}

    def watch(self, instance: str, process: Process, service: str) -> None:
        """Once for each instance. Where no file can be spared a look finds its end."""
        if instance in self._watched:
            return
        try:
            watched = handle(process)
        except OSError:
            return
        if watched is not None:
            self._watched[instance] = watched
            asyncio.get_running_loop().add_reader(watched, self._ended, instance, service)

    def forget(self, instance: str) -> None:
        """Its end is known; nothing happens when it was not watched."""
        watched = self._watched.pop(instance, None)
        if watched is not None:
            asyncio.get_running_loop().remove_reader(watched)
            os.close(watched)

    def close(self) -> None:
        """Instances go on."""
        for instance in list(self._watched):
            self.forget(instance)

    def _ended(self, instance: str, service: str) -> None:
        self.forget(instance)
        self.told(service)


def ticks() -> int:
    """Now, as `start` is counted."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS)


def everyone() -> Iterator[Process]:
    """All processes of this machine that still run."""
    for name in os.listdir("/proc"):  # noqa: PTH208  the names alone, thousands of them
        if name.isdigit() and (process := look(int(name))) is not None and not process.ended:
            yield process


def environment(pid: int) -> bytes:
    """What the process was started with, as NUL-separated NAME=value; empty when it is not ours to see."""
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123  of thousands, one after the other
            return file.readall()
    except OSError:
        return b""


def descriptors(pid: int, *numbers: int) -> set[str]:
    """The files, or `pipe:[inode]`, that these descriptors of it are; empty when they are not ours to see."""
    try:
        return {os.readlink(f"/proc/{pid}/fd/{number}") for number in numbers}  # noqa: PTH115  a text, not a path that must exist
    except OSError:
        return set()


def boot_id() -> str:
    """Differs after every start of the machine."""
    return BOOT_ID.read_text().strip()
