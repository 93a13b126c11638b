"""What a command of a release finds in its environment."""

import os
from collections.abc import Mapping

from crossfade.core.release import Release
from crossfade.core.service import Service

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


def for_build(service: Service, env: Mapping[str, str]) -> dict[str, str]:
    """What the deploying shell brought along, and the service's own variables before it; nothing else of ours."""
    brought = {name: value for name, value in env.items() if not name.startswith("CROSSFADE_")}
    return _kept() | {"PATH": os.defpath} | brought | dict(service.env)


def for_process(release: Release, secrets: Mapping[str, str]) -> dict[str, str]:
    """The same on the machine itself: found by the PATH of the shell that deployed it."""
    return _kept() | {"PATH": release.path or os.defpath} | of_release(release, secrets)


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}
