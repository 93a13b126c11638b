"""The port of seats: where a person runs a command as a release would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.core.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where a person's command runs as an instance does: in a folder with an environment, or in a container.

    `made`: the container was made for the command and has not been started yet.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    container: str = ""
    made: bool = False


class Seats(Protocol):
    """Who can let a person run a command where its instances are."""

    async def seat(
        self, release: Release, secrets: Mapping[str, str], words: Sequence[str], instance: str, *, interactive: bool
    ) -> Seat:
        """A seat for `words` in a release's own environment, or beside an instance of it when one is named."""
        ...
