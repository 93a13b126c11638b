"""The kernel's list of who listens on which port of this machine."""

import os
import socket
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTEN = "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket. `inode` is how a process's descriptors name it, `user` whose it is."""

    address: str
    port: int
    user: int
    inode: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def listeners() -> list[Listener]:
    """All of this machine; what cannot be read is left out."""
    return [found for table in TABLES for found in _read(table)]


def of(pids: Iterable[int]) -> list[Listener]:
    """Those of some processes, as far as their descriptors are ours to see."""
    held = {inode for pid in pids for inode in _sockets(pid)}
    return [listener for listener in listeners() if listener.inode in held] if held else []


def parse(line: str) -> Listener | None:
    """A line of the kernel's table; None when it is no listening socket.

    `0: 0100007F:1F90 00000000:0000 0A ... 1000 0 12345 ...` is 127.0.0.1:8080 of user 1000, inode 12345.
    """
    fields = line.split()
    if len(fields) < 10 or fields[3] != LISTEN:  # noqa: PLR2004
        return None
    packed, _, port = fields[1].partition(":")
    words = bytes.fromhex(packed)
    turned = b"".join(words[n : n + 4][::-1] for n in range(0, len(words), 4))  # each word in the machine's order
    family = socket.AF_INET if len(turned) == 4 else socket.AF_INET6  # noqa: PLR2004
    return Listener(socket.inet_ntop(family, turned), int(port, 16), int(fields[7]), int(fields[9]))


def _read(table: Path) -> Iterator[Listener]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        if found := parse(line):
            yield found


def holds(pid: int, sockets: Collection[str]) -> bool:
    """It has one of these open, `socket:[1234]`."""
    return any(f"socket:[{inode}]" in sockets for inode in _sockets(pid))


def _sockets(pid: int) -> Iterator[int]:
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208  the names alone
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115  a text, no path
        except OSError:
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])
