"""Unix sockets for instances to listen on, in a folder that no other user can enter."""

import os
import secrets
import socket
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import WrongInputError

_LONGEST = 107  # bytes of a socket's path: `sun_path` holds 108 with the one that ends it
_NAME = 4  # bytes, in hexadecimal digits


class Sockets:
    """Names of sockets below `folder`. The instance makes its own, and we remove it: a killed one leaves it there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def require_room(self) -> None:
        """WrongInputError when the state directory lies too deep for any socket in it."""
        longest = len(os.fsencode(self._folder)) + 1 + 2 * _NAME
        if longest > _LONGEST:
            raise WrongInputError(
                f"a socket of an instance would have a path of {longest} bytes, and {_LONGEST} is the most: "
                f"{self._folder}",
                "choose a state directory of at most 80 characters with --state or CROSSFADE_STATE, or listen_on: port",
            )

    def take(self) -> str:
        """The path of a socket that is not there yet."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while (path := self._folder / secrets.token_hex(_NAME)).exists():
            pass
        return str(path)

    def remove(self, path: str) -> None:
        """Gone; nothing happens where there was none, or when `path` is empty."""
        if path:
            Path(path).unlink(missing_ok=True)

    def sweep(self, kept: Collection[str]) -> None:
        """Remove those that nobody listens on any more, but for `kept`."""
        with suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                if str(path) not in kept and path.is_socket() and not _listening(path):
                    path.unlink(missing_ok=True)


def _listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # its backlog is full: somebody is there
            return True
    return True
