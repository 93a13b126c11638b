"""The values of secrets on this machine: a file for each set of values, readable by its owner alone."""

import hashlib
import hmac
import json
import os
import secrets as entropy
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release

KEY = "key"
KEY_BYTES = 32
SETS = "releases"


class SecretStore:
    """The secrets of releases, kept: instances are started again long after the deploy that brought them.

    A release names its values by a mark: a hash under a key that lies beside them, so that what holds the mark (the
    journal) cannot be searched for the value. Version 0.1 kept one file an app; releases of then are still given it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for folder in (directory, directory / SETS):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def mark(self, service: str, values: Mapping[str, str]) -> str:
        """What tells these values of a service from others: 32 hexadecimal digits; empty for none."""
        if not values:
            return ""
        text = json.dumps([service, sorted(values.items())]).encode()
        return hmac.new(self._key(), text, hashlib.sha256).hexdigest()[:32]

    def save(self, service: str, values: Mapping[str, str]) -> str:
        """Keep the values and return their mark."""
        mark = self.mark(service, values)
        if mark and not self._path(mark).exists():
            write_private(self._path(mark), json.dumps(dict(values)).encode())
        return mark

    def of(self, release: Release) -> Mapping[str, str]:
        """The values a release was deployed with. PlatformError when they are gone."""
        if not release.secrets:
            return self._of_app(release.service.app)
        try:
            values: dict[str, str] = json.loads(self._path(release.secrets).read_text())
        except (OSError, ValueError) as error:
            raise PlatformError(
                f"the secrets of release {release.label} of {release.service.key} cannot be read: {error}",
                "deploy it again from a shell that has them",
            ) from error
        return values

    def forget(self, mark: str) -> None:
        """Remove values; nothing happens when they are gone."""
        self._path(mark).unlink(missing_ok=True)

    def _of_app(self, app: str) -> Mapping[str, str]:
        try:
            values: dict[str, str] = json.loads((self._directory / f"{app}.json").read_text())
        except FileNotFoundError:
            return {}
        return values

    def _path(self, mark: str) -> Path:
        return self._directory / SETS / f"{mark}.json"

    def _key(self) -> bytes:
        path = self._directory / KEY
        if not path.exists():
            write_private(path, entropy.token_bytes(KEY_BYTES))
        return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Seen whole or not at all, and never readable by anybody else."""
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have deleted it by hand
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise PlatformError(
            f"secrets cannot be kept: {error.strerror}", "free some space, or mend the folder"
        ) from error
