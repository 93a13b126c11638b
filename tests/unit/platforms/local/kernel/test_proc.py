"""Processes and their threads as the kernel tells of them."""

import os

import pytest

from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Thread


def test_a_name_with_blanks_and_brackets_hides_nothing() -> None:
    """What comes after the last bracket counts: any program may call itself so."""
    fields = ["R", *map(str, range(4, 30))]
    found = proc.parse(f"7 (a) S 1 (b) {' '.join(fields)}\n")
    assert (found.pid, found.group, found.session, found.start) == (7, 5, 6, 22)
    assert (found.ended, found.sleeping, found.forked, found.exiting) == (False, False, False, False)


def test_the_first_thread_is_one_of_its_process() -> None:
    """It began with it; of a process that is not there nothing is known."""
    mine, first = proc.look(os.getpid()), proc.first_thread(os.getpid())
    assert mine is not None
    assert first is not None
    assert first.start == mine.start
    assert proc.look(2**22 + 1) is proc.first_thread(2**22 + 1) is None


@pytest.mark.parametrize(("state", "runnable"), [("R", True), ("D", True), ("S", False), ("T", False), ("t", False)])
def test_a_thread_that_waits_for_a_processor_or_a_disk_does_not_hang(state: str, runnable: bool) -> None:
    """One that sleeps or was stopped may; what it worked is the time in its own code and in the kernel."""
    fields = [state, *map(str, range(4, 30))]
    assert Thread.of(fields) == Thread(start=22, cpu=14 + 15, runnable=runnable)
