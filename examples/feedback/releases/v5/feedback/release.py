"""What differs from release to release: version 5.0 is healthy at rest and dies under load."""

import itertools
import os

VERSION = "5.0"

DIES_AT = int(os.environ.get("DIES_AT", "200"))
_served = itertools.count(1)


def trouble() -> str | None:
    """Why this instance cannot serve, or None when it can. Every health answer asks."""
    return None


def before_api() -> None:
    """Runs before each request to /api; the bug: the process is gone, as if out of memory, at request `DIES_AT`."""
    if next(_served) >= DIES_AT:
        os._exit(137)
