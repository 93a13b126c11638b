"""Envoy's limits on the machine: it aborts, for all apps, when it gets no more files."""

import os
import resource
from collections.abc import Iterable, Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.service import Service
from crossfade.platforms.local.balancers import ports
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.rules import doors, newly_open, opened_by

_OWN = 256  # files of Envoy itself: workers, logs, sockets of admin, discovery and a hot restart
SHARED = Path("/dev/shm")  # noqa: S108  Envoy's choice
_SHARED = 2**16  # bytes there of one Envoy, with room to spare; one that does not get them is ended by SIGBUS
_ENOUGH = 2**20  # what the kernel gives at most where it is not told otherwise (fs.nr_open)


def files() -> int:
    """How many files Envoy may have open: as many as we may raise our own limit to."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)


def connections() -> int:
    """How many connections of clients Envoy keeps open at once; one more is closed before it says anything.

    Half of the files are theirs, for each may need one to an instance: of 1,280 files, 512 connections.
    """
    return max(1, (files() - _OWN) // 2)


def require_files(count: int) -> None:
    """RefusedError when so many ports leave Envoy too few files for connections: a quarter may be listeners."""
    listeners, most = count * workers(), max(0, (files() - _OWN) // 4)
    if listeners > most:
        raise RefusedError(
            f"{_ports(count)} not fit on this machine: Envoy listens on each with {workers()} workers, "
            f"and of the {files():,} files that it may open {most:,} are left for that",
            "let services share a port by host or path, or raise the hard limit of files (ulimit -Hn, LimitNOFILE) and "
            "begin anew: `crossfade up --restart --balancer-restart`",
        )


def require_shared_memory() -> None:
    """PlatformError when what Envoy shares with its successor has no place."""
    try:
        there = os.statvfs(SHARED)
    except OSError:
        return  # Envoy says what it makes of that
    if (free := there.f_bavail * there.f_frsize) < _SHARED:
        raise PlatformError(
            f"{SHARED} is full: Envoy needs {_SHARED // 2**10} KB of it, and {free // 2**10} KB are free",
            f"`df {SHARED}` tells how large it is: remove what is left over there, or make it larger (--shm-size)",
        )


def require_doors(wanted: Iterable[Service], beside: Iterable[Service]) -> None:
    """See LocalBalancer."""
    open_ = {door for service in beside for door in opened_by(service)}
    new = {door for service in wanted for door in opened_by(service)} - open_
    if new:
        require_files(len(open_ | new))


def require_ports(live: Mapping[str, Entry], new: Entry) -> None:
    """PlatformError when a port that `new` wants opened is taken, RefusedError when they are too many."""
    open_ = doors(live)
    if opened_by(new.service) <= {door.name for door in open_}:
        return  # as most of hundreds, which share one
    wanted = doors({**live, new.service.key: new})
    if len(wanted) > len(open_):
        require_files(len(wanted))
    for door in newly_open(open_, wanted):
        ports.require_free(door.host, door.port)


def _ports(count: int) -> str:
    return "one port does" if count == 1 else f"{count:,} ports do"


def workers() -> int:
    """How many threads Envoy serves with; each listens on all ports."""
    return len(os.sched_getaffinity(0))
