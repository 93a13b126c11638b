"""The user of a balancer's workers where we are root: what a request does to one of them is not done to root then."""

import grp
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crossfade.platforms.local.address import SOCKETS, socket_of

_NOBODY = "nobody"  # owns no file and has no login, on every Linux
_SETGID, _SETUID, _PTRACE = 6, 7, 19  # bits of capabilities that root lacks in some containers
_MAY_ENTER, _MAY_CONNECT = 0o711, 0o666  # below a state directory that only root may enter


@dataclass(frozen=True, slots=True)
class Unprivileged:
    """A user and his group, by their names."""

    user: str
    group: str


def nobody(*, looked_into: bool = False) -> Unprivileged | None:
    """None where workers are as we are: we are not root, or root that may not become another user.

    `looked_into` says that we have to see what workers have open, which of another user's needs a right too.
    """
    if os.geteuid() != 0:
        return None
    ours = _capabilities()
    if not all(ours >> right & 1 for right in (_SETGID, _SETUID, *((_PTRACE,) if looked_into else ()))):
        return None
    try:
        found = pwd.getpwnam(_NOBODY)
        return Unprivileged(user=_NOBODY, group=grp.getgrgid(found.pw_gid).gr_name)
    except KeyError:
        return None


def let_in(directory: Path) -> None:
    """Workers were begun in this directory, and reach from there what they need of it."""
    directory.chmod(_MAY_ENTER)


def introduce(directory: Path, addresses: Iterable[str]) -> None:
    """Let workers connect to the sockets among these. One that is gone is not there to be connected to."""
    for path in filter(None, map(socket_of, addresses)):
        (directory / SOCKETS).chmod(_MAY_ENTER)
        if Path(path).is_socket():
            Path(path).chmod(_MAY_CONNECT)


def _capabilities() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
