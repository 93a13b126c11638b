"""What a command of a release finds in its environment."""

import os
from collections.abc import Mapping

from crossfade.core.release import Release

KEPT = ("HOME", "USER", "LANG", "TZ")  # of ours: who and where we are; nothing else leaks in


def of_release(release: Release, secrets: Mapping[str, str]) -> dict[str, str]:
    """The service's own variables, its secrets, and what it runs as."""
    service = release.service
    return {
        **dict(service.env),
        **secrets,
        "CROSSFADE_APP": service.app,
        "CROSSFADE_SERVICE": service.name,
        "CROSSFADE_RELEASE": str(release.number),
        "CROSSFADE_VERSION": release.version,
    }


def for_process(release: Release, secrets: Mapping[str, str]) -> dict[str, str]:
    """The same on the machine itself: found by the PATH of the shell that deployed it."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"PATH": release.path or os.defpath} | of_release(release, secrets)
