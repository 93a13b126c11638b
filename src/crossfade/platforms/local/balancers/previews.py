"""The way to a release in preview: where it is asked, and the secret without which nobody gets there."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.service import Service
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.ports import reachable


class Passes:
    """Secrets of releases, made from a key in `path` that only its owner can read: no other place has to keep them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = b""

    def of(self, service: str, release: int) -> str:
        """The same as long as the key is there, whichever controller asks."""
        return hmac.new(self._read(), f"{service}/{release}".encode(), hashlib.sha256).hexdigest()[:32]

    def previewed(self, entries: Mapping[str, Entry]) -> dict[str, str]:
        """By service, of those that have a release in preview."""
        shown = {key: entry.routing.preview for key, entry in entries.items()}
        return {key: self.of(key, release) for key, release in shown.items() if release is not None}

    def _read(self) -> bytes:
        if not self._key:
            try:
                file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(file, "wb") as new:
                    new.write(secrets.token_bytes(32))
            self._key = self._path.read_bytes()
        return self._key


def named(service: str, release: int, secret: str) -> str:
    """What the header says to reach the release on any host and path, as hooks have to."""
    return f"{service}/{release}:{secret}"


def preview(service: Service, release: int, secret: str) -> tuple[str, dict[str, str]]:
    """The base URL and the headers that reach a release in preview, on any host and path."""
    listener = service.listener
    if service.preview.port is not None:
        return f"http://{_written(service.preview.host)}:{service.preview.port}", {}
    headers = {service.preview.header: named(service.key, release, secret)}
    if listener.http is not None:
        return f"http://{_written(listener.host)}:{listener.http}", headers
    return f"https://{_written(listener.host)}:{listener.https}", headers


def _written(listened: str) -> str:
    host = reachable(listened)
    return f"[{host}]" if ":" in host else host
