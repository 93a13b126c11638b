"""All that Envoy is to run: a pure function of what the services are to be."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.core.service import Tls
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.clusters import Json, assignments, clusters
from crossfade.platforms.local.balancers.envoy.listeners import listener, secret
from crossfade.platforms.local.balancers.envoy.virtual_hosts import Rules, route_configuration
from crossfade.platforms.local.balancers.envoy.xds.resources import ResourceKind, Resources
from crossfade.platforms.local.balancers.rules import Door, doors


class Config:
    """Renders resources, and keeps those of services that did not change: of hundreds a deploy changes one."""

    def __init__(self) -> None:
        self._services: dict[str, _Rendered] = {}
        self._doors: dict[Door, _Rendered] = {}
        self._rules: dict[str, Rules] = {}  # by the name of the door, which stays when a service comes or goes

    def render(
        self, entries: Mapping[str, Entry], pairs: Mapping[Tls, tuple[str, str]], secrets: Mapping[str, str]
    ) -> Resources:
        """Every resource. `pairs` are certificate and key, as PEM, `secrets` those of previews by service.

        Raises WrongInputError when services cannot share a port.
        """
        open_ = doors(entries)
        self._services = {key: self._service(key, entry) for key, entry in entries.items()}
        self._rules = {door.name: self._rules.get(door.name) or Rules() for door in open_}
        self._doors = {door: self._door(door, entries, secrets) for door in open_}
        return {
            ResourceKind.CLUSTER: {name: it for made in self._services.values() for name, it in made.first.items()},
            ResourceKind.ENDPOINTS: {name: it for made in self._services.values() for name, it in made.second.items()},
            ResourceKind.LISTENER: {name: it for made in self._doors.values() for name, it in made.first.items()},
            ResourceKind.ROUTES: {name: it for made in self._doors.values() for name, it in made.second.items()},
            ResourceKind.CERTIFICATE: {tls.certificate: secret(tls, pairs[tls]) for door in open_ for tls in door.tls},
        }

    def _service(self, key: str, entry: Entry) -> "_Rendered":
        known = self._services.get(key)
        if known is not None and known.same((entry,)):
            return known
        made = {cluster["name"]: cluster for cluster in clusters(entry)}
        return _Rendered(of=(entry,), first=made, second=assignments(entry))

    def _door(self, door: Door, entries: Mapping[str, Entry], secrets: Mapping[str, str]) -> "_Rendered":
        known = self._doors.get(door)
        of = tuple(entries[key] for key in (door.services or (door.preview,)))
        if known is not None and known.same(of):
            return known
        name = door.name
        routes = route_configuration(door, entries, secrets, self._rules[name])
        return _Rendered(of=of, first={name: listener(door)}, second={name: routes})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rendered:
    """What was made of these entries: clusters and endpoints of one, or the listener and the routes of several."""

    of: tuple[Entry, ...]
    first: Mapping[str, Json]
    second: Mapping[str, Json]

    def same(self, entries: tuple[Entry, ...]) -> bool:
        """The same entries: mostly the very same, for each change of a service makes a new one."""
        return len(entries) == len(self.of) and all(a is b or a == b for a, b in zip(entries, self.of, strict=True))
