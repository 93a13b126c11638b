"""Releases of one source share what did not change, and none can take another one's files for its own."""

import os
import shutil
from pathlib import Path

import pytest
from tests.adapters.token_fence import TokenFence
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.platforms.local.runtimes import snapshot
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime
from crossfade.platforms.local.runtimes.sources import UNSURE_NS, FileLook, SeenFolder, Sources
from crossfade.source.whole import WholeSource


def tree(machine: Machine, release: Release) -> Path:
    return machine.state / "releases" / release.digest[:12] / "tree"


def inode(machine: Machine, release: Release, name: str = "big") -> int:
    return (tree(machine, release) / name).stat().st_ino


@pytest.fixture
def settled(machine: Machine) -> Machine:
    """A source whose files were written long before they are looked at."""
    (machine.source / "big").write_text("b" * 100_000)
    (machine.source / "lib").mkdir()
    (machine.source / "lib" / "deep").write_text("deep")
    later = (machine.source / "big").stat().st_ctime_ns + 3 * UNSURE_NS
    machine.runtime = ProcessRuntime(machine.state, TokenFence(), now_ns=lambda: later)
    return machine


async def test_an_unchanged_file_is_one_file_for_all_releases(settled: Machine) -> None:
    """Only what changed is copied; the rest takes no room, and the digest is the one of a full copy."""
    first = await settled.release()
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release()
    assert inode(settled, first) == inode(settled, second)
    assert inode(settled, first, "lib/deep") == inode(settled, second, "lib/deep")
    assert (tree(settled, second) / "app.txt").read_text() == "changed"
    plain = snapshot.take(WholeSource(settled.source), settled.state / "plain").artifact
    assert plain.digest == second.digest
    for release in (first, second):
        await settled.runtime.check(release)


async def test_a_release_survives_those_it_shares_files_with(settled: Machine) -> None:
    """The older one goes and the newer one has all of its files."""
    first = await settled.release()
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release()
    await settled.runtime.forget(first, 1)
    await settled.runtime.check(second)
    assert (tree(settled, second) / "big").read_text() == "b" * 100_000


async def test_a_change_that_hides_its_time_is_noticed(settled: Machine) -> None:
    """Same size and same time of writing, other content: the copy is made of what is there."""
    big = settled.source / "big"
    await settled.release()
    before = big.stat()
    big.write_text("c" * 100_000)
    os.utime(big, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = await settled.release()
    assert (tree(settled, second) / "big").read_text() == "c" * 100_000


async def test_a_file_that_was_written_just_now_is_read_again(machine: Machine) -> None:
    """Times are as fine as the kernel's tick, or FAT's two seconds: what may change within them is not trusted."""
    source, sources = WholeSource(machine.source), Sources(machine.state / "looks")
    info = (machine.source / "app.txt").lstat()
    looks = {"app.txt": FileLook.of(info, "0" * 64)}
    for later in (
        20_000_000,
        1_990_000_000,
    ):  # ns; what is written at 11.99 s FAT calls 10 s
        sources.note(source, SeenFolder("d", looks), began=info.st_ctime_ns + later)
        assert sources.last(source) == SeenFolder("d", {})
    sources.note(source, SeenFolder("d", looks), began=info.st_ctime_ns + 2 * UNSURE_NS)
    assert sources.last(source) == SeenFolder("d", looks)


async def test_what_was_planted_in_one_release_does_not_reach_the_next(settled: Machine) -> None:
    """A file of the earlier tree that somebody changed is not shared; the source's own content is."""
    first = await settled.release()
    planted = tree(settled, first) / "big"
    planted.chmod(0o644)
    planted.write_text("planted")
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release()
    assert (tree(settled, second) / "big").read_text() == "b" * 100_000
    await settled.runtime.check(second)


async def test_a_shared_file_that_is_changed_is_seen_in_every_release(settled: Machine) -> None:
    """One that writes to what it shares, as root can, breaks the seal of all who have it, its time set back or not."""
    first = await settled.release()
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release()
    shared = tree(settled, second) / "big"
    before = shared.stat()
    shared.chmod(0o644)
    shared.write_text("c" * 100_000)
    os.utime(shared, ns=(before.st_atime_ns, before.st_mtime_ns))
    for release in (first, second):
        with pytest.raises(PlatformError, match="big changed"):
            await settled.runtime.check(release)


async def test_a_build_has_files_of_its_own(settled: Machine) -> None:
    """It may write into what it finds: nothing of an earlier release is lent to it."""
    first = await settled.release(build="echo more >> big")
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release(build="echo more >> big")
    assert inode(settled, first) != inode(settled, second)
    for release in (first, second):
        assert (tree(settled, release) / "big").read_text() == "b" * 100_000 + "more\n"


async def test_the_earlier_tree_may_be_gone(settled: Machine) -> None:
    """Then everything comes from the source again."""
    first = await settled.release()
    shutil.rmtree(settled.state / "releases" / first.digest[:12])
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release()
    assert (tree(settled, second) / "big").read_text() == "b" * 100_000


async def test_a_look_that_cannot_be_read_costs_a_copy_and_no_more(settled: Machine) -> None:
    """Half a file of ours, or one of another version, is as good as none."""
    await settled.release()
    for file in (settled.state / "sources").iterdir():
        file.write_bytes(b"half")
    (settled.source / "app.txt").write_text("changed")
    second = await settled.release()
    assert (tree(settled, second) / "big").read_text() == "b" * 100_000
