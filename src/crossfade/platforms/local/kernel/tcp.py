"""The kernel's tables of TCP sockets."""

import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from crossfade.platforms.local.kernel import descriptors

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN, _ESTABLISHED = "0A", "01"
_LOCAL, _REMOTE, _STATE, _USER, _INODE = 1, 2, 3, 7, 9  # columns
_WORD = 4  # bytes that are written in the machine's own order
_IPV4 = 2 * _WORD  # digits of such an address


class ListeningSocket(NamedTuple):
    """A socket that listens. `packed` is its address as the kernel writes it, `inode` how descriptors name it."""

    packed: str
    port: int
    user: int
    inode: int

    @property
    def address(self) -> str:
        family = socket.AF_INET if len(self.packed) == _IPV4 else socket.AF_INET6
        return socket.inet_ntop(family, _turned(bytes.fromhex(self.packed)))

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def packed(address: str) -> str:
    """An address as the kernel writes it: `127.0.0.1` is `0100007F`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return _turned(socket.inet_pton(family, address)).hex().upper()


def listeners() -> list[ListeningSocket]:
    """All of this machine; what cannot be read is left out."""
    return [listener for table in _TABLES for listener in _listeners(table)]


def listeners_of(pids: Iterable[int]) -> list[ListeningSocket]:
    """Those of some processes, as far as their descriptors are ours to see."""
    held = {inode for pid in pids for inode in descriptors.sockets_seen(pid)}
    return [listener for listener in listeners() if listener.inode in held] if held else []


def holder_of(port: int) -> int | None:
    """The user whose process has a socket at this port, which may listen or be one end of a connection. None: nobody.

    What a process that ended was still answering, the kernel alone holds.
    """
    here = f":{port:04X} "
    for table in _TABLES:
        with suppress(OSError):
            rows = (row.split() for row in table.read_text(encoding="ascii").splitlines() if here in row)
            for row in rows:
                if row[_LOCAL].endswith(here.strip()) and int(row[_INODE]):
                    return int(row[_USER])
    return None


def connected(addresses: Collection[str]) -> dict[int, str]:
    """Which sockets are connected to one of these addresses of IPv4, `host:port`, and to which: by inode.

    By inode, because the kernel tells of one twice when others come and go while its table is read.
    """
    asked = {_written(address): address for address in addresses}
    found: dict[int, str] = {}
    for table in _TABLES:
        with suppress(OSError):
            # Looked for as text first: a busy balancer has tens of thousands that only wait for their end.
            rows = (row.split() for row in table.read_text(encoding="ascii").splitlines() if f" {_ESTABLISHED} " in row)
            found |= {
                int(row[_INODE]): asked[row[_REMOTE]]
                for row in rows
                if row[_STATE] == _ESTABLISHED and row[_REMOTE] in asked
            }
    return found


def _listeners(table: Path) -> Iterator[ListeningSocket]:
    """A table begins with those that listen; of the many thousands that may follow none is read."""
    with suppress(OSError), table.open(encoding="ascii") as rows:
        next(rows, None)
        for row in rows:
            columns = row.split(maxsplit=_INODE + 1)
            if columns[_STATE] != _LISTEN:
                break
            address, _, port = columns[_LOCAL].rpartition(":")
            yield ListeningSocket(address, int(port, 16), int(columns[_USER]), int(columns[_INODE]))


def _written(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{packed(host)}:{int(port):04X}"


def _turned(address: bytes) -> bytes:
    """Between an address and the table, which has each of its words in the machine's own order."""
    if sys.byteorder == "big":
        return address
    return b"".join(address[at : at + _WORD][::-1] for at in range(0, len(address), _WORD))
