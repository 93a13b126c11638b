"""Hosts that are no machines: they change at once, fail as told, and are there again in the next process."""

from collections.abc import Mapping, Sequence
from typing import Any

from crossfade.core.errors import PlatformError
from crossfade.core.hosts import Releases
from crossfade.engine.ports.hosts import HostLostError
from crossfade.engine.ports.journal import Event


class KilledError(BaseException):
    """The process that carried the journey is no more."""


class ScriptedHost:
    """Runs `release`; `fault` is one of sick, deaf, dead, dies. `touched` counts what was done to it."""

    def __init__(self, name: str, release: int | None = 1, fault: str = "") -> None:
        self.name = name
        self.release = release
        self.fault = fault
        self.target = 2
        self.touched = 0

    def runs(self) -> Releases:
        self._require()
        return {"web": self.release}

    def bring(self) -> Releases:
        self._require()
        self.touched += 1
        if self.fault == "sick":
            raise PlatformError(f"{self.name}: 3 of 3 instances are not healthy")
        self.release = self.target
        if self.fault == "dies":
            self.fault = "dead"
        self._require()
        return {"web": self.release}

    def go_back(self, before: Releases) -> None:
        self._require()
        self.touched += 1
        self.release = before["web"]

    def trouble(self) -> str:
        self._require()
        return f"{self.name} answered 502" if self.fault == "deaf" else ""

    def serves(self) -> bool:
        self._require()
        return self.release is not None and self.fault not in {"deaf", "mute"}

    def _require(self) -> None:
        if self.fault == "dead":
            raise HostLostError(f"{self.name} does not answer")


class MemoryJournal:
    """A record that a killed process leaves behind. `kill_at` is the write before or after which it is killed."""

    def __init__(self, kept: list[Event] | None = None, kill_at: int | None = None, *, before: bool = False) -> None:
        self.kept = [] if kept is None else kept
        self._kill_at = kill_at
        self._before = before
        self._writes = 0

    def events(self) -> Sequence[Event]:
        return list(self.kept)

    def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        self._writes += 1
        if self._before and self._writes == self._kill_at:
            raise KilledError
        event = Event(kind=kind, service="shop@prod", data=data, seq=len(self.kept) + 1, at=float(len(self.kept)))
        self.kept.append(event)
        if not self._before and self._writes == self._kill_at:
            raise KilledError
        return event

    def close(self) -> None:
        """It stays."""
