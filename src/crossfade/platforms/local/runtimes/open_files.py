"""The limit of open files: more in the controller than in the instances, which get what they always had."""

import resource

GIVEN = resource.getrlimit(resource.RLIMIT_NOFILE)  # as whoever started us has it
_MOST = 2**16  # a socket for each instance that starts, and some


def raise_ours() -> None:
    """Let this process open more files than its soft limit says, as far as the hard one allows."""
    soft, hard = GIVEN
    ours = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < ours:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ours, hard))


def of_instances() -> str:
    """The soft limit of an instance, as `ulimit -Sn` takes it."""
    soft, _ = GIVEN
    return "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
