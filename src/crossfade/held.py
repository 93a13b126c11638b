"""What a process holds for as long as it lives: locks of files, and folders whose lock tells what a killed one left."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOCK = "held"  # in each of those folders


def take(file: int) -> bool:
    """Lock an open file or folder, which stays locked while it is open; False where somebody else has the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def made(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder of mode 0700, and the open file whose lock says that it is in use; the process's end closes it."""
    import tempfile  # noqa: PLC0415  for who makes one: every command asks for a lock

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
                if take(lock):
                    yield folder
            finally:
                os.close(lock)
