"""What differs from release to release: version 4.0 waits for a cache that never fills, and so is never healthy."""

VERSION = "4.0"


def trouble() -> str | None:
    """Why this instance cannot serve, or None when it can. Every health answer asks."""
    return "the cache is still filling: 0 of 1000 entries"


def before_api() -> None:
    """Runs before each request to /api."""
