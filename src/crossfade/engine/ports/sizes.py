"""A size that is told by what was seen a moment ago."""

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release


def grew_meanwhile(count: int, told: int, has: int) -> bool:
    """To keep `count`, where there were `told`, would end one that came since: or one that serves in its place."""
    return 0 < count < has and told < has


def grown(release: Release, has: int) -> PlatformError:
    """Whoever is told so looks again."""
    return PlatformError(f"release {release.label} was scaled to {has} meanwhile", "it is looked at again")
