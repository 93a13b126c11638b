"""Processes as the kernel knows them: a pid and a start time are one process for as long as the machine runs."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Of the kernel's include/linux/sched.h: PF_EXITING, set before the files are closed, and PF_FORKNOEXEC.
_EXITING, _FORKED = 0x4, 0x40
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
    exiting: bool = False  # on its way out: one that was killed takes a while to be gone, and answers no more

    @property
    def identity(self) -> tuple[int, int]:
        return self.pid, self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A thread of a process, at one moment."""

    start: int
    cpu: int  # clock ticks that it has worked
    runnable: bool  # it works, or waits for nothing but a processor or the disk, which is no fault of its own

    @classmethod
    def of(cls, fields: Sequence[str]) -> "Thread":
        """From what the kernel says of it, from the state on."""
        return cls(start=int(fields[19]), cpu=int(fields[11]) + int(fields[12]), runnable=fields[0] in {"R", "D"})


def parse(stat: str) -> Process:
    """Read a line of /proc/<pid>/stat."""
    fields = _fields(stat)
    flags = int(fields[6])
    return Process(
        int(stat.partition(" ")[0]),
        int(fields[2]),
        int(fields[3]),
        int(fields[19]),
        ended=fields[0] in "ZX",
        sleeping=fields[0] == "S",
        forked=bool(flags & _FORKED),
        exiting=bool(flags & _EXITING),
    )


def _fields(stat: str) -> list[str]:
    """From the third, the state, on; the name in brackets before it may itself hold blanks and brackets."""
    return stat.rpartition(")")[2].split()


def look(pid: int) -> Process | None:
    """The process that has this pid now. OSError when we cannot look, for want of files."""
    stat = _read(f"/proc/{pid}/stat")
    return parse(stat) if stat else None


def first_thread(pid: int) -> Thread | None:
    """What the first thread of a process is at; None when it has ended."""
    fields = _fields(_read(f"/proc/{pid}/task/{pid}/stat"))
    return Thread.of(fields) if fields and fields[0] not in "ZX" else None


def threads(pid: int) -> int:
    """How many a process has; none when it is gone."""
    fields = _fields(_read(f"/proc/{pid}/stat"))
    return int(fields[17]) if fields else 0


def _read(stat: str) -> str:
    """Empty when there is no such process."""
    try:
        with open(stat, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  asked 20 times a tick
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


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


def ticks() -> int:
    """Now, as `start` is counted."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS)


def seconds(start: int) -> float:
    """When a process began, in seconds since boot."""
    return start / _TICKS


def pids() -> Iterator[int]:
    """Those of all processes of this machine."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208  the names alone, thousands


def everyone() -> Iterator[Process]:
    """All processes of this machine that still run."""
    for pid in pids():
        if (process := look(pid)) is not None and not process.ended:
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
