"""One controller a state directory: who holds its lock is the one."""

import os
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from crossfade.core.errors import RefusedError
from crossfade.held import take
from crossfade.paths import StateDirectory, is_still, open_own


class Lock:
    """The lock of a state directory, held from the beginning to the end of a `with` block.

    The kernel gives it up for whoever dies.

    Two things are locked: a file that holds our pid, which every crossfade looks at, and the directory itself, because
    a file can be deleted by hand and made anew by a second controller while the first one goes on.
    """

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._file: IO[str] | None = None
        self._folder = -1

    def __enter__(self) -> Self:
        """RefusedError when another controller has it."""
        self._folder = os.open(self._state.root, os.O_RDONLY | os.O_DIRECTORY)
        self._file = os.fdopen(open_own(self._state.lock, os.O_RDWR), "r+")
        if not (take(self._folder) and take(self._file.fileno())):
            pid = self._file.read().strip() or "unknown"
            self.__exit__(None, None, None)
            raise RefusedError(
                f"a controller already runs here, pid {pid}",
                "`crossfade down --controller` stops it; what it deployed goes on",
            )
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        return self

    @property
    def in_place(self) -> bool:
        """The directory is still the one that was locked: not when somebody removed it, or put another in its place."""
        return is_still(os.fstat(self._folder), self._state.root)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            with suppress(OSError):  # what a full disk kept from being written
                self._file.close()
        os.close(self._folder)


def is_free(state: StateDirectory) -> bool:
    """No controller holds it. A pid would not do: it may stay as a zombie where nobody collects them."""
    for path, flags in ((state.root, os.O_RDONLY | os.O_DIRECTORY), (state.lock, os.O_RDONLY)):
        try:
            file = os.open(path, flags)
        except FileNotFoundError:
            continue
        try:
            if not take(file):
                return False
        finally:
            os.close(file)
    return True
