"""Ports for instances: free ones, and nobody else's choice."""

import shutil
import socket
from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.runtimes.processes.addresses.ports import PORTS, Ports


def test_two_of_one_state_never_choose_the_same_port(tmp_path: Path) -> None:
    """What one has chosen is taken for the other, though nobody listens there yet; given back, it is free again."""
    one, two = Ports(tmp_path), Ports(tmp_path)
    first, second, third = (one.take(()) for _ in range(3))
    one.give_back(third)
    assert two.take(set(PORTS) - {first, second, third}) == third
    one.give_back(first)
    assert two.take(set(PORTS) - {first, second}) == first
    one.close()
    two.close()


def test_a_port_that_somebody_listens_on_is_not_chosen(tmp_path: Path) -> None:
    """Whoever it is; when all are taken, that is said."""
    ports = Ports(tmp_path)
    theirs, free = ports.take(()), ports.take(())
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", theirs))
        ports.close()
        assert ports.take(set(PORTS) - {theirs, free}) == free
    with pytest.raises(PlatformError, match="all ports"):
        ports.take(PORTS)
    ports.close()


def test_a_port_that_a_connection_went_out_from_is_not_chosen(tmp_path: Path) -> None:
    """As the kernel gives them out where its range was made wider: an app that listens on all addresses cannot."""
    ports = Ports(tmp_path)
    theirs, free = ports.take(()), ports.take(())
    ports.close()
    with (
        socket.create_server(("127.0.0.2", 0)) as server,
        socket.create_connection(server.getsockname(), source_address=("127.0.0.2", theirs)),
    ):
        assert ports.take(set(PORTS) - {theirs, free}) == free
    ports.close()


def test_a_lock_of_a_controller_that_died_is_free(tmp_path: Path) -> None:
    """What it left is a file that nobody holds."""
    ports = Ports(tmp_path)
    port = ports.take(())
    ports.close()
    (tmp_path / str(port)).touch()
    assert ports.take(set(PORTS) - {port}) == port
    ports.close()


def test_who_leaves_removes_what_one_that_died_left(tmp_path: Path) -> None:
    """But nothing that somebody holds."""
    ports, other = Ports(tmp_path), Ports(tmp_path)
    port, held = ports.take(()), other.take(())
    (tmp_path / str(max(port, held) + 1)).touch()
    ports.close()
    assert [path.name for path in tmp_path.iterdir()] == [str(held)]
    other.close()


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    """Nothing outside of the state directory is opened for writing."""
    ports, victim = Ports(tmp_path / "ports"), tmp_path / "victim"
    victim.touch()
    port = ports.take(())
    ports.close()
    (tmp_path / "ports" / str(port)).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        ports.take(set(PORTS) - {port})


def test_a_folder_that_somebody_deleted_is_made_again(tmp_path: Path) -> None:
    """No instance could be started until the controller was."""
    ports = Ports(tmp_path / "ports")
    ports.close()
    for _ in range(2):
        assert ports.take(()) in PORTS
        shutil.rmtree(tmp_path / "ports")
    ports.close()
