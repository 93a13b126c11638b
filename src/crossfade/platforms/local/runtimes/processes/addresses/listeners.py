"""Listeners on this machine's ports: an instance's port that is free for a moment may be taken by another user."""

import os
import pwd
import time
from contextlib import suppress
from typing import NamedTuple

from crossfade.platforms.local.kernel import tcp

# Seconds for which what was read counts, at least and at most: hundreds of instances are looked at together. Between
# them it is so many times what reading took, so that no more than a twentieth of a core goes into it.
_KEPT = (0.1, 0.5)
_SHARE = 20

# Who is asked at 127.0.0.1: whoever listens on just that, else on all addresses of IPv4, else on all. One that is not
# here is none of an instance's: it may listen on ::1 while a stranger answers in its place.
_ASKED = (("127.0.0.1", "::ffff:127.0.0.1"), ("0.0.0.0", "::ffff:0.0.0.0"), ("::",))  # noqa: S104  to compare with
_NEARNESS = {tcp.packed(address): nearness for nearness, addresses in enumerate(_ASKED) for address in addresses}


class Listening(NamedTuple):
    """Who listens on a port: users, and the inodes of their sockets."""

    users: frozenset[int] = frozenset()
    sockets: frozenset[int] = frozenset()

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
    """By port."""
    found: dict[int, tuple[int, Listening]] = {}
    for listener in tcp.listeners():
        nearness = _NEARNESS.get(listener.packed)
        if nearness is None:
            continue
        nearest, before = found.get(listener.port, (nearness + 1, NOBODY))
        if nearness <= nearest:
            one = Listening(frozenset({listener.user}), frozenset({listener.inode}))
            found[listener.port] = nearness, before.also(one) if nearness == nearest else one
    return {port: listening for port, (_, listening) in found.items()}


def _named(uid: int) -> str:
    with suppress(KeyError):
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    return f"uid {uid}"
