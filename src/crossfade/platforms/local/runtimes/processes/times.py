"""Times of a log's lines: beside it, `.times` says how long it was when.

A log is written by whoever has something to say, and says no times. So who looks after it writes down its length
with the time of its last write, a second apart at least: a line is as old as the first mark behind it, which is exact
for the last line before each mark, and late by no more than the looks are apart for the others. What was written
while nobody looked has the time of the last line of that.
"""

import asyncio
import struct
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

APART = 1.0
_MARK = struct.Struct("<Qd")  # the log's length, and when it had that


class Times:
    """The marks of time in all logs that one controller looks after."""

    def __init__(self) -> None:
        self._newest: dict[Path, tuple[int, float]] = {}

    def mark(self, log: Path) -> None:
        """Write down how long it is now, if it grew. A disk that is full keeps nobody from anything."""
        with suppress(OSError):
            found = log.stat()
            length, at = self._newest.get(log) or _last(log)
            if found.st_size < length:  # it was begun anew
                log.with_suffix(".times").unlink(missing_ok=True)
                length, at = 0, 0.0
            if found.st_size > length and found.st_mtime >= at + APART:
                length, at = found.st_size, found.st_mtime
                _append(log, [(length, at)])
            self._newest[log] = length, at

    @asynccontextmanager
    async def marking(self, log: Path) -> AsyncIterator[None]:
        """Mark it each second meanwhile."""

        async def go_on() -> None:
            while True:
                self.mark(log)
                await asyncio.sleep(APART)

        task = asyncio.create_task(go_on())
        try:
            yield
        finally:
            task.cancel()
            self._newest.pop(log, None)

    def of(self, log: Path) -> Callable[[int], float]:
        """When the line that ends at a position was written."""
        ends: list[int] = []
        whens: list[float] = []
        last = 0.0
        with suppress(OSError):
            last = log.stat().st_mtime
            marks = log.with_suffix(".times").read_bytes()
            for end, moment in _MARK.iter_unpack(marks[: len(marks) // _MARK.size * _MARK.size]):
                ends.append(end)
                whens.append(moment)

        def when(position: int) -> float:
            place = bisect_left(ends, position)
            return whens[place] if place < len(ends) else last

        return when

    def forget(self, log: Path) -> None:
        """It is removed, or begun anew."""
        self._newest.pop(log, None)
        log.with_suffix(".times").unlink(missing_ok=True)


def keep(log: Path, marks: Sequence[tuple[int, float]]) -> None:
    """Write down when each part of a log was written, of one that is written as a whole."""
    log.with_suffix(".times").unlink(missing_ok=True)
    _append(log, marks)


def _last(log: Path) -> tuple[int, float]:
    with suppress(OSError, struct.error), log.with_suffix(".times").open("rb") as file:
        size = file.seek(0, 2) // _MARK.size * _MARK.size
        file.seek(max(0, size - _MARK.size))
        length, at = _MARK.unpack(file.read(_MARK.size))
        return int(length), float(at)
    return 0, 0.0


def _append(log: Path, marks: Sequence[tuple[int, float]]) -> None:
    path = log.with_suffix(".times")
    path.touch(mode=0o600)
    with path.open("ab") as file:
        file.write(b"".join(_MARK.pack(*mark) for mark in marks))
