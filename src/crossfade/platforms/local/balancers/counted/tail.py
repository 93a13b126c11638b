"""The tail of a log that grows: only what is new, whole lines only, across its rotation."""

import ctypes
import os
from pathlib import Path

_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02  # of the kernel's include/uapi/linux/falloc.h


class Tail:
    """The lines of a log file and of the one that was rotated away from it.

    `positions` is what to remember between controllers: inode -> bytes read.
    """

    def __init__(self, path: Path, positions: dict[int, int] | None = None) -> None:
        self._path = path
        self.positions = dict(positions or {})

    def lines(self) -> list[bytes]:
        """What was written since the last call. A line that is not finished waits for the next."""
        found = []
        present: dict[int, int] = {}
        # The rotated one still gets what its writers held back, so both are looked at each time.
        for path in (_rotated(self._path), self._path):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            start = self.positions.get(status.st_ino, 0)
            present[status.st_ino] = start
            if status.st_size > start:
                with path.open("rb") as file:
                    file.seek(start)
                    data = file.read()
                    inode = os.fstat(file.fileno()).st_ino
                whole = data[: data.rfind(b"\n") + 1]
                present[inode] = start + len(whole)
                found += whole.splitlines()
        self.positions = present
        return found

    def rotate(self, limit: int) -> bool:
        """As `rotate`. The next file may get the inode of the one that is gone, whose position is nothing to it."""
        if not rotate(self._path, limit):
            return False
        inode = _rotated(self._path).stat().st_ino
        self.positions = {inode: self.positions.get(inode, 0)}
        return True

    def give_back(self, limit: int) -> None:
        """Free the disk of what was read, for a writer that cannot be told to begin a new file.

        The file keeps its length, with a hole where its beginning was: no line is lost, and no position moves. A file
        system that cannot do it keeps the bytes.
        """
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return
        read = self.positions.get(status.st_ino, 0)
        if status.st_blocks * 512 <= limit or not read:
            return
        with self._path.open("r+b") as file:
            flags, start, length = _KEEP_SIZE | _PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(read)
            ctypes.CDLL(None).fallocate(file.fileno(), flags, start, length)

    def empty(self) -> None:
        """Begin at zero, in a file that nobody writes to."""
        if self._path.exists():
            os.truncate(self._path, 0)
        self.positions = {}


def rotate(path: Path, limit: int) -> bool:
    """Move a log aside that is larger than `limit` bytes, over the one before. Its writer has to be told."""
    if not path.exists() or path.stat().st_size <= limit:
        return False
    path.rename(_rotated(path))
    return True


def _rotated(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")
