"""Hosts with a controller each, and the record of what is done over them.

Every adapter passes the contract suite in `tests/contract/test_hosts_journals.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from crossfade.core.errors import PlatformError
from crossfade.core.hosts import Releases
from crossfade.engine.ports.journal import Event


class HostLostError(PlatformError):
    """A host does not answer, or no more. What runs there goes on by itself."""


class Host(Protocol):
    """One host. Every call raises HostLostError when it does not answer."""

    @property
    def name(self) -> str: ...

    def runs(self) -> Releases:
        """What runs there, service by service, once nothing is under way."""
        ...

    def bring(self) -> Releases:
        """Let its controller change to what this journey is about; what runs then.

        May be called again for a host that has it already. CrossfadeError says why it could not: then its own
        controller has taken it back.
        """
        ...

    def go_back(self, before: Releases) -> None:
        """Let it run exactly this again; nothing happens when it does. CrossfadeError says why it cannot."""
        ...

    def trouble(self) -> str:
        """What somebody from outside finds wrong with it; empty when it answers as it should, for good."""
        ...

    def serves(self) -> bool:
        """It answers just now."""
        ...


class HostsJournal(Protocol):
    """The record of one environment's journeys. Whoever has opened it is the only one who writes to it."""

    def events(self) -> Sequence[Event]:
        """All of them, oldest first."""
        ...

    def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        """Write durably. RefusedError when somebody else has taken over, HostLostError when nobody can tell."""
        ...

    def close(self) -> None:
        """Let somebody else have it."""
        ...
