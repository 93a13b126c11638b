"""Ports of this machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.nobody import as_nobody, beside_nobody
from tests.support.ports import free_port

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.address import of_socket
from crossfade.platforms.local.balancers import sockets
from crossfade.platforms.local.kernel import unix


def test_a_free_port_is_free() -> None:
    """Nothing is said, and it is still free afterwards."""
    port = free_port()
    sockets.require_free("127.0.0.1", port)
    sockets.require_free("0.0.0.0", port)


def test_a_port_in_use_names_who_holds_it() -> None:
    """Also when the holder would share it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PlatformError, match=rf"port {port} is in use by .* \(pid {os.getpid()}\)"):
            sockets.require_free("0.0.0.0", port)


def test_an_address_of_another_machine_is_named() -> None:
    """It says what was asked for."""
    with pytest.raises(PlatformError, match=r"192\.0\.2\.77:80\d+ cannot be opened"):
        sockets.require_free("192.0.2.77", 8080)


def test_a_low_port_needs_a_privilege() -> None:
    """The way out is another port."""
    assert "port 1 may not be opened" in as_nobody(lambda: sockets.require_free("127.0.0.1", 1))


def test_open_connections_are_counted_by_address() -> None:
    """Only those of the given processes."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with socket.create_connection(server.getsockname()), socket.create_connection(server.getsockname()):
            assert sockets.connections([address, "127.0.0.1:1"], [os.getpid()]) == {address: 2}
            assert sockets.connections([address], [os.getppid()]) == {}


@pytest.mark.parametrize(
    ("bound", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")],
)
def test_where_a_listener_is_reached_from_here(bound: str, reached: str) -> None:
    """An address that means all of them is reached at this machine's own."""
    assert sockets.reachable(bound) == reached


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
                assert sockets.connections([address], [os.getpid()]) == {address: 2}
                assert sockets.connections([address], [os.getppid()]) == {}
            first.close()
            assert sockets.connections([address], [os.getpid()]) == {address: 1}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not look at us")
def test_where_processes_are_not_ours_to_look_at_everybodys_connections_count() -> None:
    """As where root may trace nobody, in most containers: none counted would end an instance at work."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address, ours = f"127.0.0.1:{server.getsockname()[1]}", os.getpid()

        def look() -> None:
            assert sockets.connections([address], [ours]) == {address: 1}

        with socket.create_connection(server.getsockname()):
            assert as_nobody(look) == ""


def test_where_the_kernel_does_not_tell_of_sockets_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is not known, which is not none."""
    monkeypatch.setattr(unix, "_BY_FAMILY", 99)  # a question that it does not know
    assert sockets.connections([of_socket("/there")], [os.getpid()]) is None
    assert sockets.connections(["127.0.0.1:1"], [os.getpid()]) == {}


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
        assert sockets.connections([address], [os.getpid()]) == {}
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("app")
            assert sockets.connections([address], [os.getpid()]) == {address: 1}
    theirs.close()


def test_whether_a_port_is_free_is_known_without_looking_for_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    """That reads all processes, for each door when a controller begins. What we may not open counts as free."""
    monkeypatch.setattr(sockets, "holder_of", None)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert not sockets.is_free("0.0.0.0", holder.getsockname()[1])
    assert sockets.is_free("127.0.0.1", free_port())
    assert sockets.is_free("192.0.2.77", 8080)
    assert as_nobody(lambda: None if sockets.is_free("127.0.0.1", 1) else pytest.fail("not free")) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have a network without IPv6")
def test_where_there_is_no_ipv6_nobody_listens_on_it(tmp_path: Path) -> None:
    """The kernel would allow it, and nobody could ever connect."""
    code = (
        "from crossfade.core.errors import PlatformError; from crossfade.platforms.local.balancers import sockets\n"
        "sockets.require_free('0.0.0.0', 8080)\n"
        "try:\n    sockets.require_free('::', 8080)\nexcept PlatformError as error:\n    print(error.cause)"
    )
    off = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
    line = f'[ ! -e {off} ] || echo 1 >{off}; exec "$0" -c "$1"'
    command = ["unshare", "--net", "sh", "-c", line, sys.executable, code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    if not done.stdout and "unshare" in done.stderr:
        pytest.skip(f"no network of its own: {done.stderr.strip()}")
    assert done.stdout == "[::]:8080 cannot be reached: this machine has no IPv6\n", done.stderr
