"""Connections to instances that the kernel counts for nginx."""

import os
import socket
from pathlib import Path

import pytest
from tests.support.nobody import as_nobody, beside_nobody

from crossfade.platforms.local.address import of_socket
from crossfade.platforms.local.balancers.nginx.connections import connections
from crossfade.platforms.local.kernel import unix


def test_open_connections_are_counted_by_address() -> None:
    """Only those of the given processes."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with socket.create_connection(server.getsockname()), socket.create_connection(server.getsockname()):
            assert connections([address, "127.0.0.1:1"], [os.getpid()]) == {address: 2}
            assert connections([address], [os.getppid()]) == {}


def test_connections_over_a_socket_are_counted_by_who_has_them(tmp_path: Path) -> None:
    """Those that wait to be accepted, too; of others, such as our own probes, none."""
    path = tmp_path / "app"
    with socket.socket(socket.AF_UNIX) as app:
        app.bind(str(path))
        app.listen()
        address = of_socket(str(path))
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            first.connect(str(path))
            accepted, _ = app.accept()
            second.connect(str(path))
            with accepted:
                assert connections([address], [os.getpid()]) == {address: 2}
                assert connections([address], [os.getppid()]) == {}
            first.close()
            assert connections([address], [os.getpid()]) == {address: 1}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not look at us")
def test_where_processes_are_not_ours_to_look_at_everybodys_connections_count() -> None:
    """As where root may trace nobody, in most containers: none counted would end an instance at work."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address, ours = f"127.0.0.1:{server.getsockname()[1]}", os.getpid()

        def look() -> None:
            assert connections([address], [ours]) == {address: 1}

        with socket.create_connection(server.getsockname()):
            assert as_nobody(look) == ""


def test_where_the_kernel_does_not_tell_of_sockets_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is not known, which is not none."""
    monkeypatch.setattr(unix, "_BY_FAMILY", 99)  # a question that it does not know
    assert connections([of_socket("/there")], [os.getpid()]) is None
    assert connections(["127.0.0.1:1"], [os.getpid()]) == {}


@pytest.mark.parametrize("called", [b"\xff\xfe", "a\u2028b".encode(), b"app", b"a\n%(row)s", b"\n%(row)s\n"])
def test_what_a_stranger_calls_a_socket_is_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: bytes
) -> None:
    """A name may have a line feed, and behind it a row of the kernel's table for a connection that there is not."""
    monkeypatch.chdir(tmp_path)  # a name has room for 107 bytes
    address = of_socket("app")
    name = b"\0" + called.replace(b"%(row)s", b"0: 00000003 00000000 00000000 0001 03 7 app")
    theirs = socket.socket(socket.AF_UNIX)

    def open_theirs() -> None:
        theirs.bind(name)
        theirs.listen()
        socket.socket(socket.AF_UNIX).connect(name)

    with beside_nobody(open_theirs), socket.socket(socket.AF_UNIX) as app:
        app.bind("app")
        app.listen()
        assert connections([address], [os.getpid()]) == {}
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("app")
            assert connections([address], [os.getpid()]) == {address: 1}
    theirs.close()
