"""Files that are seen whole: either the old content or the new; and what a disk refuses, as trouble of the platform."""

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from crossfade.core.errors import PlatformError
from crossfade.paths import open_own
from crossfade.shortage import shortage

log = logging.getLogger(__name__)


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
        with suppress(OSError):  # half of a file is of no use, and takes the last of a full disk
            beside.unlink(missing_ok=True)
        raise _trouble(error, str(path)) from error


def set_aside(path: Path, why: Exception) -> str:
    """Put what cannot be read out of the way, for a person to look at, and say so. PlatformError when it cannot be."""
    kept = path.with_name(f"{path.name}.damaged")
    try:
        path.rename(kept)
    except OSError as error:
        raise _trouble(error, str(path)) from error
    said = f"{path} could not be read ({str(why).partition(chr(10))[0]}) and is set aside as {kept.name}"
    log.warning("%s", said)
    return said


def saved(path: Path) -> dict[str, Any]:
    """What was kept there as a JSON object; nothing when there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is not a JSON object")  # noqa: TRY004, TRY301  as whatever else is wrong with it
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        set_aside(path, error)
        return {}
    return found


@asynccontextmanager
async def troubles() -> AsyncIterator[None]:
    """Around what works with files: a full disk, used up files and threads are the platform's, a PlatformError."""
    try:
        yield
    except OSError as error:
        raise _trouble(error, str(error.filename or "a file of the balancer")) from error
    except (RuntimeError, MemoryError) as error:
        if (lacking := shortage(error)) is None:
            raise
        raise lacking from error


def _trouble(error: OSError, what: str) -> PlatformError:
    lacking = shortage(error)
    way_out = lacking.way_out if lacking else "make room, or raise the limit"
    return PlatformError(f"{what} cannot be used: {error.strerror or error}", f"it is tried again: {way_out}")
