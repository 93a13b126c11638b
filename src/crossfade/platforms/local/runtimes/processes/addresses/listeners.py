"""Listeners on this machine's ports: an instance's port that is free for a moment may be taken by another user."""

import os
import pwd
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# Seconds for which what was read counts, at least and at most: hundreds of instances are looked at together. Between
# them it is so many times what reading took, so that no more than a twentieth of a core goes into it.
_KEPT = (0.1, 0.5)
_SHARE = 20
_LISTEN = "0A"
_LOCAL, _STATE, _UID, _INODE = 1, 3, 7, 9  # columns


def _written(address: str) -> str:
    """As the tables have it: each word in the machine's own order."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)


# Who is asked at 127.0.0.1: whoever listens on just that, else on all addresses of IPv4, else on all. One that is not
# here is none of an instance's: it may listen on ::1 while a stranger answers in its place.
_ASKED = (("127.0.0.1", "::ffff:127.0.0.1"), ("0.0.0.0", "::ffff:0.0.0.0"), ("::",))  # noqa: S104  to compare with
_NEARNESS = {_written(address): nearness for nearness, addresses in enumerate(_ASKED) for address in addresses}


class Listening(NamedTuple):
    """Who listens on a port: users, and sockets as a process's descriptors name them."""

    users: frozenset[int] = frozenset()
    sockets: frozenset[str] = frozenset()

    def also(self, other: "Listening") -> "Listening":
        return Listening(self.users | other.users, self.sockets | other.sockets)


NOBODY = Listening()


class Listeners:
    """The kernel's tables of listening TCP sockets, as far as they are asked at 127.0.0.1."""

    def __init__(self) -> None:
        self._until = float("-inf")  # what was read counts
        self._there: dict[int, Listening] = {}

    def stranger(self, port: int) -> str:
        """Who has the port, when none of those who listen on it are we: `mallory (uid 1002)`. Else empty."""
        users = self.on(port).users
        return "" if not users or os.geteuid() in users else _named(min(users))

    def on(self, port: int) -> Listening:
        """Who listens on it, and by which sockets."""
        began = time.monotonic()
        if began > self._until:
            self._there, now = _listening(), time.monotonic()
            least, most = _KEPT
            self._until = now + min(most, max(least, _SHARE * (now - began)))
        return self._there.get(port, NOBODY)


def _listening() -> dict[int, Listening]:
    """By port. The tables begin with those that listen; of the many thousands that may follow none is read."""
    found: dict[int, tuple[int, Listening]] = {}
    for table in ("tcp", "tcp6"):
        with suppress(OSError), Path(f"/proc/net/{table}").open(encoding="ascii") as rows:
            next(rows, None)
            for row in rows:
                columns = row.split(maxsplit=_INODE + 1)
                if columns[_STATE] != _LISTEN:
                    break
                address, _, port = columns[_LOCAL].rpartition(":")
                nearness = _NEARNESS.get(address)
                if nearness is None:
                    continue
                nearest, before = found.get(int(port, 16), (nearness + 1, NOBODY))
                if nearness <= nearest:
                    one = Listening(frozenset({int(columns[_UID])}), frozenset({f"socket:[{columns[_INODE]}]"}))
                    found[int(port, 16)] = nearness, before.also(one) if nearness == nearest else one
    return {port: listening for port, (_, listening) in found.items()}


def _named(uid: int) -> str:
    with suppress(KeyError):
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    return f"uid {uid}"
