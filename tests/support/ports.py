"""Ports for what tests start."""

import contextlib
import random
import socket

# Below those that crossfade gives to instances, and below the kernel's own for clients: no connection of another test
# takes one between this look at it and its use.
_PORTS = range(10_000, 20_000)


def free_port() -> int:
    """One of 127.0.0.1 on which nobody listens."""
    for _ in range(200):
        port = random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def binds(stranger: socket.socket, port: int) -> bool:
    """Try to take a port from one that was killed: the last of its threads closes its sockets."""
    with contextlib.suppress(OSError):
        stranger.bind(("127.0.0.1", port))
        return True
    return False
