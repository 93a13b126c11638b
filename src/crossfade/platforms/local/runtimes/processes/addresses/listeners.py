"""Who listens on this machine's ports: an instance's port that is free for a moment may be taken by another user."""

import os
import pwd
import time
from contextlib import suppress
from pathlib import Path

# Seconds for which what was read counts, at least and at most: hundreds of instances are looked at together. Between
# them it is so many times what reading took, so that no more than a twentieth of a core goes into it.
_KEPT = (0.1, 0.5)
_SHARE = 20
_LISTEN = "0A"
_LOCAL, _STATE, _UID = 1, 3, 7  # columns


class Listeners:
    """The kernel's tables of listening TCP sockets."""

    def __init__(self) -> None:
        self._until = float("-inf")  # what was read counts
        self._users: dict[int, set[int]] = {}

    def stranger(self, port: int) -> str:
        """Who has the port, when none of those who listen on it are we: `mallory (uid 1002)`. Else empty."""
        began = time.monotonic()
        if began > self._until:
            self._users, now = _users(), time.monotonic()
            least, most = _KEPT
            self._until = now + min(most, max(least, _SHARE * (now - began)))
        users = self._users.get(port, set())
        return "" if not users or os.geteuid() in users else _named(min(users))


def _users() -> dict[int, set[int]]:
    """By port. The tables begin with those that listen; of the many thousands that may follow none is read."""
    found: dict[int, set[int]] = {}
    for table in ("tcp", "tcp6"):
        with suppress(OSError), Path(f"/proc/net/{table}").open(encoding="ascii") as rows:
            next(rows, None)
            for row in rows:
                columns = row.split(maxsplit=_UID + 1)
                if columns[_STATE] != _LISTEN:
                    break
                port = int(columns[_LOCAL].rsplit(":", 1)[1], 16)
                found.setdefault(port, set()).add(int(columns[_UID]))
    return found


def _named(uid: int) -> str:
    with suppress(KeyError):
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    return f"uid {uid}"
