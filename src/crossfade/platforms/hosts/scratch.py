"""A folder for one command's sockets and files. It goes with the command; of one that was killed, with the next."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from crossfade import held

LONGEST = 40  # bytes of its path: ssh adds names of its own to a socket's, and 107 are allowed
PREFIX = "crossfade-ssh-"


class Scratch:
    """A temporary folder of mode 0700. It is held for as long as its process lives, however that ends."""

    def __init__(self, parent: Path | None = None) -> None:
        """`parent`: where it is made, by default the system's folder for such things; /tmp where that is too long."""
        parent = parent or Path(tempfile.gettempdir())
        if len(str(parent)) + len(PREFIX) + 9 > LONGEST:
            parent = Path("/tmp")  # noqa: S108  mkdtemp makes it ours alone
        for folder in held.deserted(PREFIX, parent):
            with suppress(OSError):  # what cannot be removed stays
                shutil.rmtree(folder)
        self.path, self._lock = held.made(PREFIX, parent)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
