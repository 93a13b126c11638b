"""Tasks, which are processes and their threads: how many more may be started here, and what limits that."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.platforms.local.kernel import cgroups, proc

_ENOUGH = 2**22  # the largest pid_max that there is
_MAY_PASS = 1 << 21 | 1 << 24  # CAP_SYS_ADMIN and CAP_SYS_RESOURCE, for whom `ulimit -u` does not hold; nor for root


@dataclass(frozen=True, slots=True)
class TasksLeft:
    """So many more, and the limit that says so, as it is raised."""

    count: int
    limit: str


def left() -> TasksLeft:
    """By the tightest of all limits that hold for us."""
    return min([*_of_machine(), *_of_user(), *_of_groups()], key=lambda one: one.count, default=TasksLeft(_ENOUGH, ""))


def _of_machine() -> Iterator[TasksLeft]:
    try:
        running = int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return
    for name in ("pid_max", "threads-max"):
        if most := cgroups.number(Path("/proc/sys/kernel") / name):
            yield TasksLeft(max(0, most - running), f"kernel.{name}")


def _of_user() -> Iterator[TasksLeft]:
    """Of the soft limit: what we start inherits it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft == resource.RLIM_INFINITY or os.getuid() == 0 or _capabilities() & _MAY_PASS:
        return
    mine = sum(proc.threads(pid) for pid in proc.pids() if _is_ours(pid))
    yield TasksLeft(max(0, soft - mine), "ulimit -u")


def _is_ours(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.getuid()  # noqa: PTH116  of thousands
    except OSError:
        return False


def _capabilities() -> int:
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def _of_groups() -> Iterator[TasksLeft]:
    for group in cgroups.ours("pids"):
        most, now = cgroups.number(group / "pids.max"), cgroups.number(group / "pids.current")
        if most is not None:
            yield TasksLeft(max(0, most - (now or 0)), "TasksMax, pids.max")
