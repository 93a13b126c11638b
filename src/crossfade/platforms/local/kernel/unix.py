"""Connections to Unix sockets, asked of the kernel by its socket diagnostics.

/proc/net/unix has them as text, in which the name of anybody's socket may have a line feed and rows of its own behind
it; and it does not say who is connected to whom.
"""

import errno
import os
import socket
import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

_DIAGNOSTICS = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY: what is asked, and each answer
_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_REQUEST, _DUMP = 0x1, 0x300  # NLM_F_REQUEST, NLM_F_DUMP
_ESTABLISHED, _LISTEN = 1 << 1, 1 << 10  # states
_NAME, _PEER, _WAITING = 0, 2, 3  # UNIX_DIAG_NAME, UNIX_DIAG_PEER, UNIX_DIAG_ICONS: what may be shown
_ANY = b"\xff" * 8  # cookie
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_QUESTION = struct.Struct("=BBHIII8s")  # family, protocol, padding, states, inode, what to show, cookie
_ANSWER = struct.Struct("=BBBBI8s")  # family, type, state, padding, inode, cookie
_ATTRIBUTE = struct.Struct("=HH")  # length, type
_INODE = struct.Struct("=I")
_LARGEST = 2**16  # bytes of answers at once
_PATIENCE = 5.0  # seconds for the next of them


class _Socket(NamedTuple):
    """A socket as the kernel tells of it, with what it was to show."""

    inode: int
    shown: dict[int, bytes]


def connected(paths: Collection[str]) -> dict[int, str]:
    """Which sockets are connected to one of these paths, and to which: by inode. OSError where that is not told.

    Those that nobody has accepted yet are among them. They are asked of each listener by itself: shown in a list of
    all, those of a stranger's could be so many that the list ended there.
    """
    asked = {os.fsencode(path) + b"\0": path for path in paths}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _DIAGNOSTICS) as kernel:
        kernel.settimeout(_PATIENCE)
        found: dict[int, str] = {}
        for one in list(_answers(kernel, _ESTABLISHED, _NAME, _PEER)):
            if path := asked.get(one.shown.get(_NAME, b"")):
                found |= dict.fromkeys(_inodes(one.shown.get(_PEER, b"")), path)
        for listener in list(_answers(kernel, _LISTEN, _NAME)):
            if path := asked.get(listener.shown.get(_NAME, b"")):
                for one in _answers(kernel, _LISTEN, _WAITING, inode=listener.inode):
                    found |= dict.fromkeys(_inodes(one.shown.get(_WAITING, b"")), path)
    return found


def _answers(kernel: socket.socket, states: int, *shown: int, inode: int = 0) -> Iterator[_Socket]:
    """All sockets in these states, or the one of this inode."""
    flags = _REQUEST if inode else _REQUEST | _DUMP
    show = sum(1 << attribute for attribute in shown)
    question = _QUESTION.pack(socket.AF_UNIX, 0, 0, states, inode, show, _ANY)
    kernel.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, flags, 1, 0) + question)
    while True:
        for kind, body in _split(kernel.recv(_LARGEST)):
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = -struct.unpack_from("=i", body)[0]
                if inode and number == errno.ENOENT:  # closed meanwhile
                    return
                raise OSError(number, f"the kernel does not tell of Unix sockets: {os.strerror(number)}")
            yield _Socket(_ANSWER.unpack_from(body)[4], dict(_attributes(body[_ANSWER.size :])))
        if inode:
            return


def _inodes(listed: bytes) -> list[int]:
    return [inode for (inode,) in _INODE.iter_unpack(listed)]


def _split(answers: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(answers):
        length, kind, *_ = _HEADER.unpack_from(answers, at)
        yield kind, answers[at + _HEADER.size : at + length]
        at += _aligned(length)


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        yield kind, body[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
