"""The port of secrets: who keeps their values."""

from collections.abc import Mapping
from typing import Protocol

from crossfade.core.release import Release


class Secrets(Protocol):
    """Keeps the values of a release's secrets for as long as it can be started: a release goes back with its own."""

    def mark(self, service: str, values: Mapping[str, str]) -> str:
        """What tells these values of `app/service` from others and says nothing of them; empty for none."""
        ...

    def save(self, service: str, values: Mapping[str, str]) -> str:
        """Keep the values and return their mark, which the release carries."""
        ...

    def of(self, release: Release) -> Mapping[str, str]:
        """The values a release was deployed with. PlatformError when they are gone."""
        ...

    def forget(self, mark: str) -> None:
        """No release that could be started needs these any more; nothing happens when they are gone."""
        ...
