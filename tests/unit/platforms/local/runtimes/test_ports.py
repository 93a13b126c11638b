"""Ports for instances: free ones, and nobody else's choice."""

import socket

import pytest

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.runtimes.processes.ports import PORTS, Ports


def test_two_controllers_never_choose_the_same_port() -> None:
    """What one has chosen is taken for the other, though nobody listens there yet; given back, it is free again."""
    one, two = Ports(), Ports()
    first, second, third = (one.take(()) for _ in range(3))
    one.give_back(third)
    assert two.take(set(PORTS) - {first, second, third}) == third
    one.give_back(first)
    assert two.take(set(PORTS) - {first, second}) == first
    one.close()
    two.close()


def test_a_port_that_somebody_listens_on_is_not_chosen() -> None:
    """Whoever it is; when all are taken, that is said."""
    ports = Ports()
    theirs, free = ports.take(()), ports.take(())
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", theirs))
        ports.close()
        assert ports.take(set(PORTS) - {theirs, free}) == free
    with pytest.raises(PlatformError, match="All ports"):
        ports.take(PORTS)
    ports.close()
