"""The channels of apps, kept beside the journal: an address is a secret, for it lets anybody write there."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from crossfade.core.errors import PlatformError


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Whoever is told of an app. Lines of the journal up to `told` are; `telling` is the one that was begun last.

    `secret` is the name of the variable whose value `url` is.
    """

    name: str
    secret: str
    on: tuple[str, ...]
    url: str = field(repr=False)
    told: int = 0
    telling: int = 0


class Channels:
    """A file for each app in `directory`, readable by its owner alone, written whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, dict[str, Channel]] = {}

    def load(self) -> None:
        """Know what was kept. PlatformError for a file that cannot be read."""
        for path in sorted(self._directory.glob("*.json")):
            try:
                kept = json.loads(path.read_text())
                self._known[path.stem] = {
                    one["name"]: Channel(**{**one, "on": tuple(one["on"])}) for one in kept["channels"]
                }
            except (OSError, ValueError, TypeError, LookupError) as error:
                why = type(error).__name__  # what it says may quote an address
                raise PlatformError(f"{path} cannot be read ({why})", "move it away and deploy again") from None

    def apps(self) -> list[str]:
        return sorted(self._known)

    def of(self, app: str) -> Mapping[str, Channel]:
        """Whoever is told of an app, by name."""
        return self._known.get(app, {})

    def set(self, app: str, channels: Sequence[Channel]) -> None:
        """Tell these from now on, and no others."""
        made = {one.name: one for one in channels}
        if made != self.of(app):
            self._keep(app, made)

    def mark(self, app: str, name: str, *, told: int, telling: int) -> None:
        """Keep how far a channel has come; nothing happens when it is told no more."""
        known = self.of(app).get(name)
        if known is not None:
            self._keep(app, {**self.of(app), name: replace(known, told=told, telling=telling)})

    def _keep(self, app: str, channels: Mapping[str, Channel]) -> None:
        path = self._directory / f"{app}.json"
        try:
            if not channels:
                path.unlink(missing_ok=True)
            else:
                self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(path, json.dumps({"channels": [asdict(one) for one in channels.values()]}).encode())
        except OSError as error:
            raise PlatformError(
                f"the channels of {app} cannot be kept: {error.strerror}", "free some space, or mend the folder"
            ) from None
        self._known = {**self._known, app: dict(channels)}


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
