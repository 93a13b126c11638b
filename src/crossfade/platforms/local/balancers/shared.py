"""Doors whose port the balancer of another state directory has.

Balancers share a port among their workers, so two of them would silently share it as well, and each get half of its
clients: of two files that want the same port, or where a state directory was copied and a controller begins in both.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from crossfade.platforms.local.balancers import ports
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.known import balancers, called
from crossfade.platforms.local.balancers.rules import doors, opened_by
from crossfade.platforms.local.kernel import tcp


class SharedDoors:
    """Which doors are shut because another directory's balancer has them: by name, who that is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.shut: dict[str, str] = {}

    def look(self, entries: Mapping[str, Entry]) -> None:
        """Find out anew."""
        self.shut = {}
        busy = [door for door in doors(entries) if not ports.is_free(door.host, door.port)]
        here = self._directory.resolve()
        for pid, place in balancers() if busy else ():
            held = tcp.listeners_of([pid]) if place != here else ()
            for door in busy:
                if any(ports.overlap(listener, door.host, door.port) for listener in held):
                    self.shut[door.name] = (
                        f"port {door.port} is in use by {called(pid)} (pid {pid}), the balancer of {place.parent}: "
                        "nobody gets in here by it"
                    )

    def changed(self, entries: Mapping[str, Entry]) -> bool:
        """Whether one that is shut may be opened by now, or others are; while none is shut nobody is asked."""
        before = self.shut
        if before:
            self.look(entries)
        return self.shut != before

    def spared(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """The same, but that nobody gets in by the doors that are shut."""
        return {
            key: replace(entry, exposed=False) if self.shut.keys() & opened_by(entry.service) else entry
            for key, entry in entries.items()
        }
