"""How many more processes and threads may be started, by the limit that says so."""

import os
import resource

from tests.support.nobody import as_nobody

from crossfade.platforms.local.kernel import tasks


def test_a_user_is_limited_by_what_is_his() -> None:
    """`ulimit -u` counts threads of this user; those of all others on the machine were taken for his."""

    def within_150() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (150, 150))
        left = tasks.left()
        raise AssertionError(f"{left.limit}: {0 < left.count < 150}")

    if os.geteuid():  # the tests' own user may run more
        assert tasks.left().count >= 0
        return
    assert as_nobody(within_150) == "ulimit -u: True"


def test_root_is_not_held_by_it() -> None:
    """As the kernel has it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    try:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, hard))
        left = tasks.left()
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
    assert left.count > 1 if os.geteuid() == 0 else left.limit == "ulimit -u"
