"""The limit of open files: more in the controller than in the instances, which get what they always had."""

import resource

from crossfade.core.errors import PlatformError

GIVEN = resource.getrlimit(resource.RLIMIT_NOFILE)  # as whoever started us has it
_MOST = 2**16  # a socket for each instance that starts, and some
_LEAST = 1024  # below it a balancer has none left for connections once it listens, or dies when it is told of a change


def raise_ours() -> None:
    """Let this process open more files than its soft limit says, as far as the hard one allows.

    PlatformError where that is too few for any service: a balancer would meet it in the middle of a rollout.
    """
    soft, hard = GIVEN
    if hard != resource.RLIM_INFINITY and hard < _LEAST:
        raise PlatformError(
            f"a process may open {hard:,} files here (ulimit -Hn), and a balancer needs {_LEAST:,} at least",
            "raise that limit (LimitNOFILE in a unit of systemd), or start the controller from a shell without it: "
            "`crossfade up`",
        )
    ours = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < ours:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ours, hard))


def of_instances() -> str:
    """The soft limit of an instance, as `ulimit -Sn` takes it."""
    soft, _ = GIVEN
    return "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
