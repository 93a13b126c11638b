"""Ports of this machine: can one be opened, and who holds it."""

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Collection
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.paths import StateDirectory
from crossfade.platforms.local.balancers.known import balancer_at, called
from crossfade.platforms.local.kernel import descriptors, proc, tcp
from crossfade.platforms.local.kernel.tcp import ListeningSocket

_PID = re.compile(r"\(pid (\d+)\)")


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
    if reachable(host) == "::1" and not _has_ipv6():
        raise PlatformError(f"[{host}]:{port} cannot be reached: this machine has no IPv6", "listen on 0.0.0.0")


def _has_ipv6() -> bool:
    """Where it is switched off the kernel still lets anybody listen on all of its addresses, of which there is none."""
    try:
        _open("::1", 0)
    except OSError as error:
        return error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
    return True


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


def overlap(listener: ListeningSocket, host: str, port: int) -> bool:
    """Who asks at host:port may reach that listener."""
    if listener.port != port:
        return False
    address, ours = ipaddress.ip_address(listener.address), ipaddress.ip_address(host)
    if ours.version != 4:  # noqa: PLR2004
        return address.version != 4  # noqa: PLR2004
    return address.is_unspecified or ours.is_unspecified or address == ours


def holder_of(port: int) -> str:
    """`name (pid 123)` of the process that listens on the port; empty when it belongs to somebody else's user."""
    return _held_by({listener.inode for listener in tcp.listeners() if listener.port == port})


def holder_at(host: str, port: int) -> str:
    """The same of who listens where one asks for host:port; of another user's it is only said that it is. Empty where
    nobody is seen to hold it: whoever did is about to end.
    """
    found = [listener for listener in tcp.listeners() if overlap(listener, host, port)]
    if held := _held_by({listener.inode for listener in found}):
        return held
    return "another user's process" if any(listener.user != os.geteuid() for listener in found) else ""


def _held_by(inodes: Collection[int]) -> str:
    holder = next((pid for pid in (proc.pids() if inodes else ()) if descriptors.holds(pid, inodes)), None)
    return f"{called(holder)} (pid {holder})" if holder else ""


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
