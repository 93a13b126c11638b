"""What is kept of a database before a release migrates it: what that is called."""

from datetime import UTC, datetime

from crossfade.core.release import Release


def name_before(release: Release) -> str:
    """`before-web-7-20260301-140507`: its number, and when it was made.

    Where a journal was lost numbers begin anew, and what was kept before another release 7 is not what this one needs.
    """
    made = datetime.fromtimestamp(release.at, UTC)
    return f"before-{release.service.name}-{release.number}-{made:%Y%m%d-%H%M%S}"
