"""Ports for instances to listen on."""

import os
import random
import socket
from collections.abc import Collection
from contextlib import suppress
from itertools import chain
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.held import take

PORTS = range(20_000, 30_000)  # below the range from which the kernel takes ports for outgoing connections


class Ports:
    """Chooses free ports, each locked by a file in `directory` for as long as its instance may start.

    Between the choice and the moment the instance listens, nothing else shows that the port is taken. The files are in
    the state directory, where no other user can lock them; the kernel frees them when we die.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._locks: dict[int, int] = {}

    def take(self, taken: Collection[int]) -> int:
        """A port that nobody listens on and that is not in `taken`. PlatformError when there is none."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have deleted it by hand
        (begin,) = random.sample(PORTS, 1)
        for port in chain(range(begin, PORTS.stop), range(PORTS.start, begin)):
            if port not in taken and is_free(port) and self._lock(port):
                return port
        raise PlatformError(
            f"all ports from {PORTS.start} to {PORTS.stop - 1} are taken", "stop what uses them: ss -tlnp"
        )

    def give_back(self, port: int) -> None:
        """Nobody is going to listen on it any more; nothing happens when it was not taken by us."""
        lock = self._locks.pop(port, None)
        if lock is not None:
            self._path(port).unlink(missing_ok=True)
            os.close(lock)

    def close(self) -> None:
        """Instances go on listening: that says itself that their ports are taken.

        What a controller left that was killed goes, too.
        """
        for port in list(self._locks):
            self.give_back(port)
        for path in self._directory.glob("*"):
            with suppress(OSError):
                self._remove_left(path)

    @staticmethod
    def _remove_left(path: Path) -> None:
        lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            if take(lock):
                path.unlink()
        finally:
            os.close(lock)

    def _lock(self, port: int) -> bool:
        lock = os.open(self._path(port), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if not take(lock):
            os.close(lock)
            return False
        self._locks[port] = lock
        return True

    def _path(self, port: int) -> Path:
        return self._directory / str(port)


def is_free(port: int) -> bool:
    """Nobody has it on any address, listening or not: many apps open it on all of them.

    Connections that go out may have one of ours where `net.ipv4.ip_local_port_range` was made wider.
    """
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
