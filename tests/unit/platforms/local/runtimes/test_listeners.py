"""Who has an instance's port: ours, nobody, or another user of the machine."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.adapters.until import until
from tests.support.nobody import NOBODY
from tests.unit.platforms.local.runtimes.conftest import Machine

from crossfade.platforms.local.runtimes.processes.addresses.listeners import Listeners

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user as well")


@contextmanager
def taken_by_nobody(port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """Another user listens on the port: a socket belongs to whoever made it."""
    os.seteuid(NOBODY)
    try:
        thief = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    finally:
        os.seteuid(0)
    with thief:
        yield


def test_our_own_port_and_a_free_one_have_no_stranger() -> None:
    """Also one that listens on IPv6."""
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
    ):
        for server in (four, six):
            assert Listeners().stranger(server.getsockname()[1]) == ""
        free = four.getsockname()[1]
    assert Listeners().stranger(free) == ""


@as_root
def test_a_port_of_another_user_has_one() -> None:
    """By name."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with taken_by_nobody(port):
        assert Listeners().stranger(port) == f"nobody (uid {NOBODY})"


@as_root
@pytest.mark.parametrize(
    ("ours", "theirs", "is_theirs"),
    [
        ("::1", "127.0.0.1", True),
        ("127.0.0.2", "127.0.0.1", True),
        ("127.0.0.1", "::1", False),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "::", False),
        ("0.0.0.0", "::", False),
        ("::1", "0.0.0.0", True),
    ],
)
def test_who_would_be_asked_at_127_0_0_1_is_who_has_the_port(ours: str, theirs: str, *, is_theirs: bool) -> None:
    """An instance that listens elsewhere has not; a stranger that listens elsewhere has not taken it."""
    family = socket.AF_INET6 if ":" in ours else socket.AF_INET
    with socket.create_server((ours, 0), family=family) as server:
        port = server.getsockname()[1]
        with taken_by_nobody(port, theirs):
            assert bool(Listeners().stranger(port)) == is_theirs


@as_root
async def test_an_instance_whose_port_another_user_took_counts_as_gone(machine: Machine) -> None:
    """It gets no request and is replaced; the command itself may run on, as one whose listener crashed does."""
    await machine.launch("one", "exec sleep 60")
    (one,) = await machine.runtime.instances(machine.key)
    assert not one.exited
    with taken_by_nobody(int(one.address.rsplit(":", 1)[1])):
        gone = await until(lambda: _exited(machine))
        assert "was taken by nobody (uid 65534), another user of this machine" in gone
    await machine.runtime.stop("one", 0.1, 1)


async def _exited(machine: Machine) -> str:
    (one,) = await machine.runtime.instances(machine.key)
    return one.detail if one.exited else ""
