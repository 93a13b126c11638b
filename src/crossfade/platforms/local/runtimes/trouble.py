"""Trouble of who writes files and starts programs on a machine, in words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from crossfade.core.errors import PlatformError, WrongInputError


@contextmanager
def oserrors_told() -> Iterator[None]:
    """Say plainly what an OSError means. It is the machine's trouble but for a program's own arguments."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise PlatformError(
                "the disk is full", "free some space, or files where `df -i` says so; what runs goes on running"
            ) from error
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            raise PlatformError(
                "too many files are open", "raise the limit (ulimit -Hn, LimitNOFILE, fs.file-max) or run less here"
            ) from error
        if error.errno in {errno.EAGAIN, errno.ENOMEM}:
            raise PlatformError(
                f"no more processes can be started: {error.strerror}",
                "raise the limit (ulimit -u, TasksMax), or run less here",
            ) from error
        if error.errno == errno.E2BIG:
            raise WrongInputError(
                "its command, `env` and secrets are longer than what Linux gives a program",
                "128 KiB each, and 2 MB together, are the most: put what is longer into a file",
            ) from error
        raise PlatformError(
            f"cannot use {error.filename}: {error.strerror}", "check the state directory and its permissions"
        ) from error
