"""What certainly does not fit on a machine is refused by what it lacks."""

import os
from dataclasses import replace

import pytest

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.platforms.local.kernel.available import MemoryLeft
from crossfade.platforms.local.kernel.tasks import TasksLeft
from crossfade.platforms.local.runtimes.room import Left, left_here, require_launch, require_room, require_start

LEFT = Left(ports=10_000, tasks=TasksLeft(30_000, "kernel.pid_max"), memory=MemoryLeft(8 * 2**30))


@pytest.mark.parametrize("more", [-5, 0, 1, 1_000])
def test_what_may_fit_is_let_through(more: int) -> None:
    """Fewer instances than there are need nothing."""
    require_room("process", more, lambda: LEFT)


@pytest.mark.parametrize(
    ("runtime", "more", "why"),
    [
        ("process", 100_000, "a port of 20000 to 29999, and 10,000 of those are free"),
        ("docker", 100_000, r"200,000 processes or more, and 30,000 may still be started \(kernel.pid_max\)"),
        ("docker", 5_000, "10,000 MB of memory or more, and 8,192 MB are available"),
    ],
)
def test_what_does_not_fit_is_refused_by_what_is_lacking(runtime: str, more: int, why: str) -> None:
    """Containers have ports of their own; memory is the least that any app takes."""
    with pytest.raises(RefusedError, match=why):
        require_room(runtime, more, lambda: LEFT)


def test_memory_that_a_cgroup_limits_is_refused_by_that_limit() -> None:
    """It can be raised, and what the machine has cannot."""
    left = replace(LEFT, memory=MemoryLeft(2**20, "MemoryMax"))
    with pytest.raises(RefusedError, match=r"2 MB of memory or more, and 1 MB are available \(MemoryMax\)") as refused:
        require_room("process", 1, lambda: left)
    assert "raise that limit" in refused.value.way_out


def test_what_the_balancer_needs_to_be_started_again_is_nobodys() -> None:
    """One that died stayed away where instances had taken its processes: neither a deploy nor a launch takes them."""
    cores = len(os.sched_getaffinity(0))
    left = TasksLeft(3 + 16 + cores, "ulimit -u")
    require_room("process", 1, lambda: replace(LEFT, tasks=left))
    require_launch(lambda: left)
    less = replace(left, count=left.count - 1)
    with pytest.raises(RefusedError, match=rf"\(ulimit -u\), of which {16 + cores} are kept for the balancer"):
        require_room("process", 1, lambda: replace(LEFT, tasks=less))
    with pytest.raises(PlatformError, match=rf"\(ulimit -u\), and {16 + cores} are kept for the balancer"):
        require_launch(lambda: less)


def test_this_machine_has_room_for_one_more() -> None:
    """What it says of itself can be read."""
    left = left_here()
    assert 0 < left.ports <= 10_000
    assert left.tasks.count > 0
    assert left.memory.bytes > 0
    require_room("process", 1)


def test_a_controller_is_refused_where_it_would_end_in_the_middle_of_its_start() -> None:
    """A balancer that gets no thread aborts, and Python says so in a traceback: the limit is named before."""
    require_start()
    with pytest.raises(PlatformError, match=r"and 20 may still be started here \(ulimit -u\)"):
        require_start(lambda: TasksLeft(20, "ulimit -u"))
