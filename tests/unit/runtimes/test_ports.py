"""Ports for instances: free ones, and nobody else's choice."""

import socket

import pytest

from crossfade.core.errors import PlatformError
from crossfade.runtimes.ports import PORTS, Ports


def test_two_controllers_never_choose_the_same_port() -> None:
    """What one has chosen is taken for the other, though nobody listens there yet; given back, it is free again."""
    one, two = Ports(), Ports()
    all_but_three = set(PORTS[3:])
    first = [one.take(all_but_three) for _ in range(2)]
    assert two.take(all_but_three) not in first
    two.close()
    one.give_back(first[0])
    assert two.take(all_but_three | {port for port in PORTS[:3] if port != first[0]}) == first[0]
    one.close()
    two.close()


def test_a_port_that_somebody_listens_on_is_not_chosen() -> None:
    """Whoever it is; when all are taken, that is said."""
    ports = Ports()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", PORTS[7]))
        assert ports.take(set(PORTS) - {PORTS[7], PORTS[8]}) == PORTS[8]
    with pytest.raises(PlatformError, match="All ports"):
        ports.take(PORTS)
    ports.close()
