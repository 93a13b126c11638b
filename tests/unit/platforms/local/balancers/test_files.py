"""Files that are seen whole, and what a disk refuses."""

import errno
from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.platforms.local.balancers import files


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Nothing is left beside it."""
    path = tmp_path / "book.json"
    for text in ("old", "new"):
        files.replace(path, text)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_a_platform_error(tmp_path: Path) -> None:
    """It names the file and why."""
    with pytest.raises(PlatformError, match=r"gone/book.json cannot be used: No such file"):
        files.replace(tmp_path / "gone" / "book.json", "new")


async def test_an_error_of_the_disk_is_the_platforms(tmp_path: Path) -> None:
    """What else goes wrong stays what it is."""
    with pytest.raises(PlatformError, match="No space left"):
        async with files.troubles():
            raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))
    with pytest.raises(WrongInputError):
        async with files.troubles():
            raise WrongInputError("a port twice", "give one another")
