"""The room on a machine for more instances: what it has only so many of, counted before the first one is started."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossfade.core.errors import RefusedError
from crossfade.platforms.local.kernel import proc, tcp
from crossfade.platforms.local.runtimes.processes.addresses.ports import PORTS

_PROCESSES = {"process": 3, "docker": 2}  # of an instance at least: what writes its log is two, what holds it one
_MEMORY = 2 * 2**20  # bytes of an instance at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of the machine for more instances."""

    ports: int  # of `PORTS`
    processes: int
    memory: int  # bytes


def require_room(runtime: str, more: int, look: Callable[[], Left] | None = None) -> None:
    """RefusedError when so many more instances certainly do not fit, naming what there is too little of."""
    if more <= 0:
        return
    left = (look or left_here)()
    if runtime == "process" and more > left.ports:
        raise RefusedError(
            f"{more:,} more instances do not fit on this machine: each needs a port of {PORTS.start} to "
            f"{PORTS.stop - 1}, and {left.ports:,} of those are free",
            "run fewer of them here",
        )
    needed = more * _PROCESSES.get(runtime, 2)
    if needed > left.processes:
        raise RefusedError(
            f"{more:,} more instances do not fit on this machine: they are {needed:,} processes or more, "
            f"and {left.processes:,} may still be started",
            "run fewer of them here, or raise kernel.pid_max and the limits of processes (ulimit -u, TasksMax)",
        )
    if more * _MEMORY > left.memory:
        raise RefusedError(
            f"{more:,} more instances do not fit on this machine: they take {more * _MEMORY // 2**20:,} MB of memory "
            f"or more, and {left.memory // 2**20:,} MB are available",
            "run fewer of them here",
        )


def left_here() -> Left:
    """What this machine has left, as far as it says."""
    running = sum(1 for _ in proc.pids())
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    most = [limit - running for limit in (_number("/proc/sys/kernel/pid_max"), soft) if limit and limit > 0]
    if (group := _number("/sys/fs/cgroup/pids.max")) is not None:
        most.append(group - (_number("/sys/fs/cgroup/pids.current") or 0))
    return Left(
        ports=len(set(PORTS) - {listener.port for listener in tcp.listeners()}),
        processes=max(0, min(most, default=2**22)),
        memory=_available(),
    )


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 2**63
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 2**63)


def _number(path: str) -> int | None:
    """What the file says; None when there is none, or it says `max`."""
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
