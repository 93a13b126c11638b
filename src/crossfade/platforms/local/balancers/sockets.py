"""Ports of this machine: can one be opened, and who holds it."""

import contextlib
import errno
import ipaddress
import os
import re
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.paths import StateDirectory
from crossfade.platforms.local.address import socket_of
from crossfade.platforms.local.balancers.known import balancer_at, called

_LISTEN = "0A"
_ESTABLISHED = "01"
_PID = re.compile(r"\(pid (\d+)\)")
_IPV4 = 8  # digits of such an address
_CONNECTED, _PATH = "03", 7  # of a Unix socket: its state, and the column of its path


def require_free(host: str, port: int) -> None:
    """PlatformError when host:port cannot be opened by us, naming the process that holds it where that is visible.

    The balancer's own sockets share ports among its workers, so two balancers would silently share one as well: this
    asks without sharing.
    """
    try:
        _open(host, port)
    except PermissionError as error:
        raise PlatformError(
            f"port {port} may not be opened: ports below {_first_free_for_all()} need a privilege",
            "listen on a higher port, or lower net.ipv4.ip_unprivileged_port_start",
        ) from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise PlatformError(
                f"{host}:{port} cannot be opened: {error.strerror}", "is that an address of this machine?"
            ) from error
        holder = holder_of(port)
        raise PlatformError(f"port {port} is in use{f' by {holder}' if holder else ''}", _way_out(holder)) from error


def _open(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _way_out(holder: str) -> str:
    found = _PID.search(holder)
    folder = balancer_at(int(found[1])) if found else None
    if folder is None or folder != StateDirectory(folder.parent).balancer:
        return "stop it, or listen on another port"
    return f"`crossfade down --all --state {folder.parent}` ends it and what is behind it, or listen on another port"


def is_free(host: str, port: int) -> bool:
    """Whether nobody has it. One that we may not open, or an address that is not ours, counts as free."""
    try:
        _open(host, port)
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


def listening(pid: int) -> list[str]:
    """Where a process listens, as the kernel writes it."""
    held = _held_by(Path(f"/proc/{pid}"))
    return [row[1] for row in _table(_LISTEN) if f"socket:[{row[9]}]" in held]


def overlap(listener: str, host: str, port: int) -> bool:
    """Who asks at host:port may reach that listener."""
    address, _, number = listener.rpartition(":")
    if int(number, 16) != port:
        return False
    if ":" in host:
        return len(address) > _IPV4
    ours = _as_in_table(f"{host}:{port}").partition(":")[0]
    return not int(address, 16) or not int(ours, 16) or address == ours


def holder_of(port: int) -> str:
    """`name (pid 123)` of the process that listens on the port; empty when it belongs to somebody else's user."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not wanted:
        return ""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        if wanted & _held_by(process):
            return f"{called(int(process.name))} (pid {process.name})"
    return ""


def connections(addresses: Iterable[str], pids: Iterable[int]) -> Counter[str]:
    """How many open connections these processes have to each of these addresses.

    By inode, because the kernel tells of one twice when others come and go while its table is read. Of a Unix socket
    the kernel does not say who is connected: all count, our own probes among them.
    """
    paths = {path: address for address in addresses if (path := socket_of(address))}
    asked = {_as_in_table(address): address for address in addresses if not socket_of(address)}
    own = {inode for pid in pids for inode in _held_by(Path(f"/proc/{pid}"))}
    found = {row[9]: asked[row[2]] for row in _table(_ESTABLISHED) if row[2] in asked and f"socket:[{row[9]}]" in own}
    return Counter(found.values()) + _connected(paths)


def _connected(paths: Mapping[str, str]) -> Counter[str]:
    """Connections by the address whose path they came in by; those that wait to be accepted are among them.

    A row: number, references, protocol, flags, type, state, inode, path. Others' paths are whatever they like.
    """
    if not paths:
        return Counter()
    table = os.fsdecode(Path("/proc/net/unix").read_bytes())
    rows = [line.split(maxsplit=7) for line in table.split("\n")[1:]]
    found = {row[6]: paths[row[7]] for row in rows if len(row) > _PATH and row[5] == _CONNECTED and row[7] in paths}
    return Counter(found.values())


def _as_in_table(address: str) -> str:
    """`127.0.0.1:8080` is `0100007F:1F90` there."""
    host, port = address.rsplit(":", 1)
    return f"{bytes(reversed(socket.inet_aton(host))).hex().upper()}:{int(port):04X}"


def _held_by(process: Path) -> set[str]:
    """What the process has open; nothing when it is gone or not ours to look at."""
    held = set()
    with contextlib.suppress(OSError):
        for fd in (process / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                held.add(str(fd.readlink()))
    return held


def _listening_inodes(port: int) -> set[str]:
    return {row[9] for row in _table(_LISTEN) if int(row[1].rsplit(":", 1)[1], 16) == port}


def _table(state: str) -> list[list[str]]:
    """Rows of the kernel's TCP tables in this state: local address 1, remote address 2, state 3, inode 9.

    Looked for as text first: a busy balancer has tens of thousands that only wait for their end.
    """
    rows = []
    for name in ("tcp", "tcp6"):
        try:
            text = Path(f"/proc/net/{name}").read_text(encoding="ascii")
        except OSError:
            continue
        rows += [line.split() for line in text.splitlines()[1:] if f" {state} " in line]
    return [row for row in rows if row[3] == state]


def _first_free_for_all() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 1024


def reachable(host: str) -> str:
    """The address under which a listener bound to `host` is reached from this machine."""
    address = ipaddress.ip_address(host) if host.replace(".", "").isdigit() or ":" in host else None
    if address is None or not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004  IPv4
