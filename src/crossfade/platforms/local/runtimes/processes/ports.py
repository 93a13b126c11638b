"""Ports for instances to listen on."""

import random
import socket
from collections.abc import Collection

from crossfade.core.errors import PlatformError

PORTS = range(20_000, 30_000)  # below the range from which the kernel takes ports for outgoing connections


class Ports:
    """Chooses free ports, and keeps other controllers of this machine from the same choice.

    Between the choice and the moment the instance listens, nothing shows that the port is taken. A second controller
    that chose it too would find the other's app there, and take its answers for those of its own instance. So each
    holds a name of its own for as long as the instance may start: the kernel gives it away once, and takes it back
    from whoever dies.
    """

    def __init__(self) -> None:
        self._names: dict[int, socket.socket] = {}

    def take(self, taken: Collection[int]) -> int:
        """A port that nobody listens on and that is not in `taken`. PlatformError when there is none."""
        for port in random.sample(PORTS, len(PORTS)):
            if port not in taken and self._reserve(port):
                if _is_free(port):
                    return port
                self.give_back(port)
        raise PlatformError(
            f"All ports from {PORTS.start} to {PORTS.stop - 1} are taken.", "Stop what uses them: ss -tlnp"
        )

    def give_back(self, port: int) -> None:
        """Nobody is going to listen on it any more; nothing happens when it was not taken by us."""
        name = self._names.pop(port, None)
        if name is not None:
            name.close()

    def close(self) -> None:
        """Instances go on listening: that says itself that their ports are taken."""
        for port in list(self._names):
            self.give_back(port)

    def _reserve(self, port: int) -> bool:
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0crossfade-port-{port}")  # in no folder: it ends with us
        except OSError:
            name.close()
            return False
        self._names[port] = name
        return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
