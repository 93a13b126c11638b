"""Ports of this machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.nobody import as_nobody
from tests.support.ports import free_port

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers import ports


def test_a_free_port_is_free() -> None:
    """Nothing is said, and it is still free afterwards."""
    port = free_port()
    ports.require_free("127.0.0.1", port)
    ports.require_free("0.0.0.0", port)


def test_a_port_in_use_names_who_holds_it() -> None:
    """Also when the holder would share it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PlatformError, match=rf"port {port} is in use by .* \(pid {os.getpid()}\)"):
            ports.require_free("0.0.0.0", port)


def test_an_address_of_another_machine_is_named() -> None:
    """It says what was asked for."""
    with pytest.raises(PlatformError, match=r"192\.0\.2\.77:80\d+ cannot be opened"):
        ports.require_free("192.0.2.77", 8080)


def test_a_low_port_needs_a_privilege() -> None:
    """The way out is another port."""
    assert "port 1 may not be opened" in as_nobody(lambda: ports.require_free("127.0.0.1", 1))


@pytest.mark.parametrize(
    ("bound", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")],
)
def test_where_a_listener_is_reached_from_here(bound: str, reached: str) -> None:
    """An address that means all of them is reached at this machine's own."""
    assert ports.reachable(bound) == reached


def test_whether_a_port_is_free_is_known_without_looking_for_its_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    """That reads all processes, for each door when a controller begins. What we may not open counts as free."""
    monkeypatch.setattr(ports, "holder_of", None)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert not ports.is_free("0.0.0.0", holder.getsockname()[1])
    assert ports.is_free("127.0.0.1", free_port())
    assert ports.is_free("192.0.2.77", 8080)
    assert as_nobody(lambda: None if ports.is_free("127.0.0.1", 1) else pytest.fail("not free")) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have a network without IPv6")
def test_where_there_is_no_ipv6_nobody_listens_on_it(tmp_path: Path) -> None:
    """The kernel would allow it, and nobody could ever connect."""
    code = (
        "from crossfade.core.errors import PlatformError; from crossfade.platforms.local.balancers import ports\n"
        "ports.require_free('0.0.0.0', 8080)\n"
        "try:\n    ports.require_free('::', 8080)\nexcept PlatformError as error:\n    print(error.cause)"
    )
    off = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
    line = f'[ ! -e {off} ] || echo 1 >{off}; exec "$0" -c "$1"'
    command = ["unshare", "--net", "sh", "-c", line, sys.executable, code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    if not done.stdout and "unshare" in done.stderr:
        pytest.skip(f"no network of its own: {done.stderr.strip()}")
    assert done.stdout == "[::]:8080 cannot be reached: this machine has no IPv6\n", done.stderr
