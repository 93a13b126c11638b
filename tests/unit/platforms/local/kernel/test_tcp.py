"""The kernel's tables of TCP sockets."""

import os
import socket

import pytest

from crossfade.platforms.local.kernel import descriptors, tcp


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_listens_is_read(host: str) -> None:
    """With address, port and user; a connection is no listener."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        with socket.create_connection((host, port)):
            found = [listener for listener in tcp.listeners() if listener.port == port]
        (listener,) = found
        assert (listener.address, listener.user) == (host, os.geteuid())
        assert str(listener) == (f"[::1]:{port}" if ":" in host else f"127.0.0.1:{port}")
        assert descriptors.holds(os.getpid(), {listener.inode})
        assert not descriptors.holds(1, {listener.inode})


def test_addresses_are_words_in_the_machines_order() -> None:
    """As the kernel of this kind of machine writes them."""
    assert tcp.packed("127.0.0.1") == "0100007F"
    assert tcp.packed("::1") == "00000000000000000000000001000000"
    assert tcp.packed("::ffff:127.0.0.1") == "0000000000000000FFFF00000100007F"
