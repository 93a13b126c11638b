"""Folders for the length of one process: each is locked while it lives, so that what a killed one left can be told."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOCK = "held"  # in each of them


def made(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder of mode 0700, and the open file whose lock says that it is in use; the process's end closes it."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    # Locked before it has its name: who looks for deserted ones takes a folder without one for one that is being made.
    file = path / f".{LOCK}"
    lock = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    file.rename(path / LOCK)
    return path, lock


def deserted(prefix: str, parent: Path) -> Iterator[Path]:
    """Ours whose process is gone, each locked until the next one is asked for; what others hold or own is none."""
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if folder.is_symlink() or os.fstat(lock).st_uid != os.geteuid():
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield folder
            finally:
                os.close(lock)
