"""What differs from release to release: version 3.0 reads a setting that nobody made; its health path never notices."""

import os

VERSION = "3.0"


def trouble() -> str | None:
    """Why this instance cannot serve, or None when it can. Every health answer asks."""
    return None


def before_api() -> None:
    """Runs before each request to /api; the bug: without the setting, each of them is answered 500."""
    os.environ["FEEDBACK_MODERATION_URL"]
