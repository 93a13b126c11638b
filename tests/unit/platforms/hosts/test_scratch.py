"""A command's folder for SSH's sockets: its own, short, and gone in the end, however the command ends."""

import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.platforms.hosts.scratch import LONGEST, Scratch

KEPT = """
import pathlib, sys, time
from crossfade.platforms.hosts.scratch import Scratch
scratch = Scratch(pathlib.Path(sys.argv[1]))
print(scratch.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path is short enough to be used."""
    with tempfile.TemporaryDirectory(prefix="cfs-", dir="/tmp") as made:
        yield Path(made)


def test_it_is_ours_alone_and_goes_when_it_is_closed(short: Path) -> None:
    scratch = Scratch(short)
    assert stat.S_IMODE(scratch.path.stat().st_mode) == 0o700
    (scratch.path / "source.tar").write_text("x")
    scratch.close()
    assert list(short.iterdir()) == []


def test_what_a_killed_command_left_goes_with_the_next_one(short: Path) -> None:
    """What lives stays, and so does what looks like it and is somebody else's."""
    with subprocess.Popen([sys.executable, "-c", KEPT, str(short)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        other = short / "crossfade-ssh-other"
        other.mkdir()  # being made: nobody holds it yet
        second = Scratch(short)
        assert left.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        third = Scratch(short)
        assert not left.exists()
        assert other.exists()
        assert second.path.exists()
        second.close()
        third.close()


def test_a_long_path_is_left_for_a_short_one(tmp_path: Path) -> None:
    """A socket's path has 107 bytes, of which ssh takes its own part."""
    deep = tmp_path / ("d" * 60)
    deep.mkdir()
    scratch = Scratch(deep)
    try:
        assert len(str(scratch.path)) <= LONGEST
        assert scratch.path.parent == Path("/tmp")
    finally:
        scratch.close()
