"""Trouble of who writes files and starts programs on a machine, in words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.shortage import shortage


@contextmanager
def oserrors_told() -> Iterator[None]:
    """Say plainly what an OSError means. It is the machine's trouble but for a program's own arguments."""
    try:
        yield
    except (OSError, RuntimeError, MemoryError) as error:
        if lacking := shortage(error):
            raise lacking from error
        if not isinstance(error, OSError):
            raise
        if error.errno == errno.E2BIG:
            raise WrongInputError(
                "its command, `env` and secrets are longer than what Linux gives a program",
                "128 KiB each, and 2 MB together, are the most: put what is longer into a file",
            ) from error
        raise PlatformError(
            f"cannot use {error.filename}: {error.strerror}", "check the state directory and its permissions"
        ) from error
