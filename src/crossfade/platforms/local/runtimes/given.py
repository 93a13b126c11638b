"""Values that somebody gave this machine for secrets of an app, before any deploy: its next release has them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossfade.core.errors import PlatformError
from crossfade.core.service import Service
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.local.runtimes.secrets import write_private

FOLDER = "given"


class GivenSecrets:
    """A file for each app below `directory`, readable by its owner alone."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._clock = clock
        self._directory = directory / FOLDER

    def give(self, app: str, name: str, value: str) -> None:
        """Keep it in place of what was there."""
        kept = {**self._read(app), name: {"value": value, "at": self._clock.now()}}
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path(app), json.dumps(kept).encode())

    def known(self, app: str) -> Mapping[str, float]:
        """Which have a value, and when each was given; none of the values."""
        return {name: one["at"] for name, one in sorted(self._read(app).items())}

    async def of(self, service: Service) -> Mapping[str, str]:
        """The values of those that a service names."""
        known = self._read(service.app)
        return {name: known[name]["value"] for name in service.secrets if name in known}

    def _read(self, app: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._path(app).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise PlatformError(f"the secrets given to {app} cannot be read: {error}", "give them again") from error
        return found

    def _path(self, app: str) -> Path:
        return self._directory / f"{app}.json"
