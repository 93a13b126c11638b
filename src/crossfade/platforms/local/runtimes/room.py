"""The room on a machine for more instances: what it has only so many of, counted before the first one is started."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.platforms.local.kernel import available, tasks, tcp
from crossfade.platforms.local.kernel.available import MemoryLeft
from crossfade.platforms.local.kernel.tasks import TasksLeft
from crossfade.platforms.local.runtimes.processes.addresses.ports import PORTS

_PROCESSES = {"process": 3, "docker": 2}  # of an instance at least: what writes its log is two, what holds it one
_OWN_TASKS = 32  # beside a worker of the balancer for each core
_KEPT_BACK = 16  # of these for a balancer that has to be started again, and one more for each core
_MEMORY = 2 * 2**20  # bytes of an instance at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of the machine for more instances."""

    ports: int  # of `PORTS`
    tasks: TasksLeft
    memory: MemoryLeft


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
    needed, kept_back = more * _PROCESSES.get(runtime, 2), _kept_back()
    if needed > left.tasks.count - kept_back:
        raise RefusedError(
            f"{more:,} more instances do not fit on this machine: they are {needed:,} processes or more, "
            f"and {left.tasks.count:,} may still be started ({left.tasks.limit}), "
            f"of which {kept_back} are kept for the balancer",
            "run fewer of them here, or raise that limit",
        )
    if more * _MEMORY > left.memory.bytes:
        limit = left.memory.limit
        raise RefusedError(
            f"{more:,} more instances do not fit on this machine: they take {more * _MEMORY // 2**20:,} MB of memory "
            f"or more, and {left.memory.bytes // 2**20:,} MB are available{f' ({limit})' if limit else ''}",
            f"run fewer of them here{', or raise that limit' if limit else ''}",
        )


def require_launch(look: Callable[[], TasksLeft] = tasks.left) -> None:
    """PlatformError when one more instance would take what the balancer needs to be started again.

    Those that run may have begun more since than was counted for them.
    """
    left, kept_back = look(), _kept_back()
    if left.count < kept_back + _PROCESSES["process"]:
        raise PlatformError(
            f"only {left.count:,} more processes can be started ({left.limit}), "
            f"and {kept_back} are kept for the balancer",
            "raise that limit, or run less here",
        )


def require_start(look: Callable[[], TasksLeft] = tasks.left) -> None:
    """PlatformError when a controller and its balancer do not fit: either would end in the middle of its start."""
    needed, left = _OWN_TASKS + len(os.sched_getaffinity(0)), look()
    if needed > left.count:
        raise PlatformError(
            f"the controller and its balancer are {needed:,} processes and threads at least, "
            f"and {left.count:,} may still be started here ({left.limit})",
            "raise that limit, or start the controller from a shell without it: `crossfade up`",
        )


def _kept_back() -> int:
    return _KEPT_BACK + len(os.sched_getaffinity(0))


def left_here() -> Left:
    """What this machine has left, as far as it says."""
    return Left(
        ports=len(set(PORTS) - {listener.port for listener in tcp.listeners()}),
        tasks=tasks.left(),
        memory=available.left(),
    )
