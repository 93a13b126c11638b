"""What a machine lacks is said in words, whichever way Python says it."""

import errno

import pytest

from crossfade.shortage import shortage


@pytest.mark.parametrize(
    ("error", "cause", "limit"),
    [
        (OSError(errno.ENOSPC, ""), "the disk is full", "df -i"),
        (OSError(errno.EDQUOT, ""), "the disk is full", "df -i"),
        (OSError(errno.EMFILE, ""), "too many files are open", "ulimit -Hn"),
        (OSError(errno.ENFILE, ""), "too many files are open", "fs.file-max"),
        (OSError(errno.EFBIG, ""), "a file may not grow any further", "ulimit -f"),
        (BlockingIOError(errno.EAGAIN, ""), "no more processes can be started", "ulimit -u"),
        (RuntimeError("can't start new thread"), "no more processes can be started", "TasksMax"),
        (OSError(errno.ENOMEM, ""), "no more memory is available", "ulimit -v"),
        (MemoryError(), "no more memory is available", "MemoryMax"),
    ],
)
def test_what_is_lacking_is_named_with_its_limit(error: Exception, cause: str, limit: str) -> None:
    """One sentence, and the limit to raise."""
    lacking = shortage(error)
    assert lacking is not None
    assert lacking.cause == cause
    assert limit in lacking.way_out


@pytest.mark.parametrize("error", [OSError(errno.EACCES, ""), RuntimeError("another"), ValueError(), OSError("alone")])
def test_what_is_no_shortage_is_none(error: Exception) -> None:
    """A fault of ours is not told as one of the machine."""
    assert shortage(error) is None
