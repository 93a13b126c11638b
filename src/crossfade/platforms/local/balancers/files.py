"""Files that are seen whole: either the old content or the new; and what a disk refuses, as trouble of the platform."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.paths import open_own


def replace(path: Path, text: str, *, durable: bool = True) -> None:
    """Write beside and rename over, for us alone to read: one step to who watches. PlatformError when the disk refuses.

    `durable` waits for the disk, so that a power cut leaves no half; what is written anew at every start need not.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        with os.fdopen(open_own(beside, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.rename(path)
    except OSError as error:
        raise _trouble(error, str(path)) from error


@asynccontextmanager
async def troubles() -> AsyncIterator[None]:
    """Around what works with files: a full disk and used up files are the platform's, a PlatformError."""
    try:
        yield
    except OSError as error:
        raise _trouble(error, str(error.filename or "a file of the balancer")) from error


def _trouble(error: OSError, what: str) -> PlatformError:
    return PlatformError(
        f"{what} cannot be used: {error.strerror or error}", "it is tried again: make room, or raise the limit"
    )
