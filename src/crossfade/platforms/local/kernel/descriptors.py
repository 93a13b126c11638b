"""The sockets that a process has open."""

import os
import re
from collections.abc import Collection, Iterator

_SOCKET = re.compile(r"socket:\[(\d+)\]")


def sockets(pid: int) -> Iterator[int]:
    """Their inodes; none when the process is gone, or not ours to look at."""
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208  the names alone
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115  a text, no path
        except OSError:  # closed meanwhile
            continue
        if found := _SOCKET.fullmatch(target):
            yield int(found[1])


def holds(pid: int, inodes: Collection[int]) -> bool:
    """It has one of these open."""
    return any(inode in inodes for inode in sockets(pid))
