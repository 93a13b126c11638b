"""What differs from release to release: version 2.0 asks for a rating."""

VERSION = "2.0"


def trouble() -> str | None:
    """Why this instance cannot serve, or None when it can. Every health answer asks."""
    return None


def before_api() -> None:
    """Runs before each request to /api."""
