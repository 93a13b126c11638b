"""The limit of CPU of a process: where it can be set, and what is said where it cannot."""

import os
import sys
import time
from pathlib import Path

import pytest
from tests.adapters.until import until

from crossfade.platforms.local.runtimes.processes.cpu import Cpu
from crossfade.platforms.local.runtimes.processes.session import Session


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    """A tree like a user's below systemd: `user` is delegated with the controller, and we are in `user/app/ours`."""
    root = tmp_path / "cgroup"
    for name, handed in (("", "cpu memory"), ("user", "cpu memory"), ("user/app", "memory"), ("user/app/ours", "")):
        group = root / name
        group.mkdir(exist_ok=True)
        (group / "cgroup.subtree_control").write_text(handed)
        (group / "cgroup.procs").write_text("")
    (tmp_path / "own").write_text("1:name=systemd:/x\n0::/user/app/ours\n")
    return root


def cpu(cgroups: Path, state: str = "/state") -> Cpu:
    return Cpu(Path(state), cgroups, cgroups.parent / "own")


def test_an_instance_gets_a_cgroup_below_the_nearest_that_hands_the_controller_on(cgroups: Path) -> None:
    """Half a core is 50 of 100 ms."""
    joins = cpu(cgroups).enter("web-1-ab", 0.5)
    assert joins is not None
    assert joins.parent.parent == cgroups / "user"
    assert (joins.parent / "cpu.max").read_text() == "50000 100000"
    assert cpu(cgroups).why_not(0.5) == ""


def test_without_the_word_of_the_file_there_is_none(cgroups: Path) -> None:
    assert cpu(cgroups).enter("web-1-ab", None) is None
    assert cpu(cgroups).why_not(None) == ""


@pytest.mark.parametrize("lacks", ["controller", "cgroups", "version 2"])
def test_where_it_cannot_be_set_that_is_said_in_a_sentence(cgroups: Path, lacks: str) -> None:
    """And the instance runs without it."""
    if lacks == "controller":
        for group in ("", "user"):
            (cgroups / group / "cgroup.subtree_control").write_text("memory")
    elif lacks == "cgroups":
        (cgroups.parent / "own").unlink()
    else:
        (cgroups.parent / "own").write_text("4:cpu:/x\n")
    assert cpu(cgroups).enter("web-1-ab", 2) is None
    assert cpu(cgroups).why_not(2).startswith("resources.cpu 2 is not kept: ")
    assert ("run as root" in cpu(cgroups).why_not(2)) is (lacks == "controller")
    assert "\n" not in cpu(cgroups).why_not(2)


def test_cgroups_of_instances_that_are_gone_are_removed_and_nobody_elses(cgroups: Path) -> None:
    """The kernel keeps one in which something runs, here one that is not empty."""
    mine = [cgroups / "user" / f"{cpu(cgroups)._prefix}{name}" for name in ("gone", "stays", "busy")]
    others = cgroups / "user" / f"{cpu(cgroups, '/other')._prefix}gone"
    for group in (*mine, others):
        group.mkdir()
    (mine[2] / "child").mkdir()
    cpu(cgroups).sweep({"stays"})
    assert [group.exists() for group in (*mine, others)] == [False, True, True, True]


async def test_a_command_joins_before_it_begins(tmp_path: Path) -> None:
    """The process that becomes the command is the one that writes its number."""
    joins, says = tmp_path / "a 'group'", tmp_path / "pid"
    session = Session(tmp_path / "session", tmp_path / "log")
    try:
        session.start(f"echo $$ >{says}; exec sleep 60", tmp_path, {"PATH": os.defpath}, cgroup=joins)
        await until(lambda: says.exists() and says.read_text())
        assert joins.read_text() == says.read_text()
    finally:
        await session.end(0)


async def test_a_busy_process_gets_no_more_than_its_share(tmp_path: Path) -> None:
    """Where the machine's own cgroups can be divided by us: a tenth of a core, by the kernel's own count."""
    limit = Cpu(tmp_path)
    if limit.why_not(0.1):
        pytest.skip("no cgroup (version 2) with the controller cpu is ours to divide")
    joins = limit.enter("busy", 0.1)
    assert joins is not None
    session = Session(tmp_path / "session", tmp_path / "log")
    try:
        session.start(f"exec {sys.executable} -c 'while True: pass'", tmp_path, {"PATH": os.defpath}, cgroup=joins)
        await until(lambda: "nr_throttled 0\n" not in (joins.parent / "cpu.stat").read_text(), 60)
    finally:
        await session.end(0)
        end = time.monotonic() + 5
        while joins.exists() and time.monotonic() < end:
            limit.sweep(())
