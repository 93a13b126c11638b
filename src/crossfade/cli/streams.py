"""Standard input, output and error of a command.

Some are closed, some cannot be written, and some are read by nobody any more, as behind `| head -1`.
"""

import io
import os
import select
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from crossfade.core.errors import PlatformError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class NobodyReadsError(Exception):
    """Whoever read what this says has enough. No BrokenPipeError, of which click makes exit code 1."""


class _Written(io.FileIO):
    """What cannot be written is given up, and with it all that follows; `why` is the reason."""

    def __init__(self, descriptor: int, *, lasting: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._lasting = lasting
        self.why: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int | None:  # type: ignore[override]  # None is the base's too
        try:
            return super().write(data)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            self.why = error
            if self._lasting:
                return super().write(data)
            if isinstance(error, BrokenPipeError):
                raise NobodyReadsError from error
            raise PlatformError(f"what this says cannot be written: {error.strerror}", "") from error


class Streams:
    """The streams of this process. A command that is `lasting` goes on to its end whoever reads what it says."""

    def __init__(self, *, lasting: bool) -> None:
        for descriptor in range(3):  # a file that is opened would take the place of one that is closed
            try:
                os.fstat(descriptor)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
                os.set_inheritable(descriptor, True)  # noqa: FBT003  a child would find it closed again
        if sys.stdin is None:
            sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)))
        self._lasting = lasting
        self._written = _Written(1, lasting=lasting), _Written(2, lasting=lasting)
        sys.stdout, sys.stderr = _over(self._written[0], sys.stdout), _over(self._written[1], sys.stderr)

    def lost(self) -> str:
        """Why not all that a lasting one said could be written; empty when it was, or when its reader left."""
        whys = [raw.why for raw in self._written if raw.why and not isinstance(raw.why, BrokenPipeError)]
        return str(whys[0].strerror) if whys and self._lasting else ""


def end_with_reader() -> None:
    """From now on: who follows what may not come for hours would not notice before that nobody reads it."""
    threading.Thread(target=_end_with_reader, daemon=True).start()


def _end_with_reader() -> None:
    reader = select.poll()
    reader.register(1, 0)  # for what is always told: that nobody is there any more
    reader.poll()
    os._exit(0)


def _over(raw: _Written, old: TextIO | None) -> TextIO:
    """As Python made the one before."""
    if old is None:
        return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8")
    return io.TextIOWrapper(io.BufferedWriter(raw), old.encoding, old.errors, line_buffering=bool(old.line_buffering))
