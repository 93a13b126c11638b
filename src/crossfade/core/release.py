"""A release: what was built and how it is to run, never changed once made."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crossfade.core.service import Service


class Outcome(StrEnum):
    """What became of a release."""

    PENDING = "pending"
    GOOD = "good"
    BAD = "bad"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One numbered release of a service. `digest` names the artifact: a tree hash or an image digest."""

    number: int
    service: Service
    version: str
    digest: str
    config_hash: str
    git_sha: str = ""
    path: str = ""  # PATH of the shell that deployed: a process release finds its interpreter there
    secrets: str = (
        ""  # the mark of its secrets' values, which says nothing of them; empty: none, or kept by app as once
    )
    by: str = ""
    at: float = 0.0
    outcome: Outcome = Outcome.PENDING
    why: str = ""  # for a bad one: the sentence that says so
    migrated: bool = False  # its migrate hook ran, and changed something as far as that is known
    schema_before: str = ""  # what stood for the database's schema before that hook ran, where a command says it
    schema: str = ""  # what that hook wrote to $CROSSFADE_SCHEMA: the database's version from this release on

    @property
    def label(self) -> str:
        """How it is shown: number and version, `7 (v2.1)`."""
        return f"{self.number} ({self.version})"

    @property
    def variables(self) -> dict[str, str]:
        """What it tells of itself to whatever runs of it, wherever that is."""
        return {
            "CROSSFADE_APP": self.service.app,
            "CROSSFADE_SERVICE": self.service.name,
            "CROSSFADE_RELEASE": str(self.number),
            "CROSSFADE_VERSION": self.version,
        }

    def environment(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The variables of whatever runs of it: the service's own, its secrets' values, and what it tells of itself."""
        return {**dict(self.service.env), **secrets, **self.variables}
