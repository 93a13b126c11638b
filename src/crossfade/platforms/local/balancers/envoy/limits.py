"""What Envoy may use of the machine: it aborts, for all apps, when it gets no more files."""

import resource

_OWN = 256  # files of Envoy itself: workers, logs, sockets of admin, discovery and a hot restart
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
