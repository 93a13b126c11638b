"""The values of secrets on this machine: a file an app, readable by its owner alone, never in journal or log."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


class SecretStore:
    """Instances are started again long after the deploy that brought their secrets, so the values are kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, app: str, values: Mapping[str, str]) -> None:
        """Add or replace values; an empty mapping changes nothing."""
        if not values:
            return
        temporary = self._directory / f".{app}.new"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**self.of(app), **values}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path(app))

    def of(self, app: str) -> Mapping[str, str]:
        """All values known for an app."""
        try:
            values: dict[str, str] = json.loads(self._path(app).read_text())
        except FileNotFoundError:
            return {}
        return values

    def _path(self, app: str) -> Path:
        return self._directory / f"{app}.json"
