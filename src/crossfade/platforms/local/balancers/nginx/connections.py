"""Connections of nginx to instances, as the kernel has them: it does not say itself how many each holds."""

from collections import Counter
from collections.abc import Iterable

from crossfade.platforms.local.address import socket_of
from crossfade.platforms.local.kernel import descriptors, tcp, unix


def connections(addresses: Iterable[str], pids: Iterable[int]) -> Counter[str] | None:
    """How many open connections these processes have to each of these addresses. None: the kernel does not tell.

    Where their descriptors are not ours to look at, everybody's count: too many rather than none, at which an instance
    would be told to end.
    """
    paths = {path: address for address in addresses if (path := socket_of(address))}
    ports = [address for address in addresses if not socket_of(address)]
    try:
        found = tcp.connected(ports) | {
            inode: paths[path] for inode, path in (unix.connected(paths) if paths else {}).items()
        }
    except OSError:
        return None
    try:
        return Counter(found[inode] for pid in pids for inode in descriptors.sockets(pid) if inode in found)
    except PermissionError:
        return Counter(found.values())
