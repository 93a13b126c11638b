"""What differs from release to release: version 1.0, the first."""

VERSION = "1.0"


def trouble() -> str | None:
    """Why this instance cannot serve, or None when it can. Every health answer asks."""
    return None


def before_api() -> None:
    """Runs before each request to /api."""
