"""The sockets that a process has open."""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress

_SOCKET = re.compile(r"socket:\[(\d+)\]")


def sockets(pid: int) -> Iterator[int]:
    """Their inodes; none when the process is gone. PermissionError when it is not ours to look at.

    Of another user it is not ours even as root, where that may not trace others: in a container it may not.
    """
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208  the names alone
    except (FileNotFoundError, ProcessLookupError):
        return
    for descriptor in descriptors:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115  a text, no path
        except (FileNotFoundError, ProcessLookupError):  # closed meanwhile
            continue
        if found := _SOCKET.fullmatch(target):
            yield int(found[1])


def sockets_seen(pid: int) -> Iterator[int]:
    """Their inodes, as far as the process is ours to look at."""
    with suppress(PermissionError):
        yield from sockets(pid)


def holds(pid: int, inodes: Collection[int]) -> bool:
    """It has one of these open, as far as it is ours to look at."""
    return any(inode in inodes for inode in sockets_seen(pid))
