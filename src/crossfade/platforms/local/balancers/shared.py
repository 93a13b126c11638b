"""Doors whose port somebody else has: the balancer of another state directory, or any program that was faster.

Balancers share a port among their workers, so two of them would silently share it as well, and each get half of its
clients: of two files that want the same port, or where a state directory was copied and a controller begins in both.
And one that died may find its port taken by a stranger: it serves all others meanwhile, and can be told everything.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.service import Service
from crossfade.platforms.local.balancers import ports
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.known import balancers, called
from crossfade.platforms.local.balancers.rules import Door, doors, opened_by
from crossfade.platforms.local.kernel import tcp


class SharedDoors:
    """Which doors are shut because somebody else has their ports: by name, who that is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.shut: dict[str, str] = {}

    def look(self, entries: Mapping[str, Entry]) -> None:
        """Find out anew."""
        self.shut = {}
        busy = [door for door in doors(entries) if not ports.is_free(door.host, door.port)]
        if not busy:
            return
        here, places = self._directory.resolve(), dict(balancers())
        mine = tcp.listeners_of(pid for pid, place in places.items() if place == here)
        for door in busy:
            if not any(ports.overlap(listener, door.host, door.port) for listener in mine):
                self._shut(door, ports.holder_at(door.host, door.port))
        for pid, place in places.items():
            held = tcp.listeners_of([pid]) if place != here else ()
            for door in busy:
                if any(ports.overlap(listener, door.host, door.port) for listener in held):
                    self._shut(door, f"{called(pid)} (pid {pid}), the balancer of {place.parent}")

    def _shut(self, door: Door, holder: str) -> None:
        """Nothing happens where nobody is seen: whoever has it is about to end."""
        if holder:
            self.shut[door.name] = f"port {door.port} is in use by {holder}: nobody gets in here by it"

    def require_open(self, service: Service) -> None:
        """PlatformError where whoever asks the service by one of its doors gets to somebody else."""
        if found := next((self.shut[name] for name in sorted(opened_by(service) & self.shut.keys())), ""):
            raise PlatformError(found, "stop it, or listen on another port")

    def changed(self, entries: Mapping[str, Entry]) -> bool:
        """Whether one that is shut may be opened by now, or others are; while none is shut nobody is asked."""
        before = self.shut
        if before:
            self.look(entries)
        return self.shut != before

    def spared(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """The same, but that nobody gets in by the doors that are shut."""
        return {key: _without(entry, self.shut) if self.shut else entry for key, entry in entries.items()}


def _without(entry: Entry, shut: Container[str]) -> Entry:
    """By the others one still does; but not by HTTP where HTTPS is shut: it would lead there, or be in its place."""
    service = entry.service
    if not any(name in shut for name in opened_by(service)):
        return entry
    listener, preview = service.listener, service.preview
    https = None if str(listener.https) in shut else listener.https
    http = None if str(listener.http) in shut or https != listener.https else listener.http
    return replace(
        entry,
        service=replace(
            service,
            listener=replace(listener, http=http, https=https),
            inside=tuple(one for one in service.inside if f"{one.host}:{one.port}" not in shut),
            preview=replace(preview, port=None if str(preview.port) in shut else preview.port),
        ),
    )
