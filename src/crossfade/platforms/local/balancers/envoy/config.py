"""All that Envoy is to run: a pure function of what the services are to be."""

from collections.abc import Mapping

from crossfade.core.service import Tls
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.clusters import Json, assignments, clusters
from crossfade.platforms.local.balancers.envoy.listeners import listener, secret
from crossfade.platforms.local.balancers.envoy.resources import Kind, Resources
from crossfade.platforms.local.balancers.envoy.routes import route_configuration
from crossfade.platforms.local.balancers.rules import doors


class Config:
    """Renders resources, and keeps those of services that did not change: of hundreds a deploy changes one."""

    def __init__(self) -> None:
        self._rendered: dict[str, tuple[Entry, dict[str, Json], dict[str, Json]]] = {}

    def render(self, entries: Mapping[str, Entry], pairs: Mapping[Tls, tuple[str, str]]) -> Resources:
        """Every resource. `pairs` are certificate and key, as PEM.

        Raises WrongInputError when services cannot share a port.
        """
        open_ = doors(entries)
        self._rendered = {key: self._of(key, entry) for key, entry in entries.items()}
        return {
            Kind.CLUSTER: {name: c for _, made, _ in self._rendered.values() for name, c in made.items()},
            Kind.ENDPOINTS: {name: a for _, _, made in self._rendered.values() for name, a in made.items()},
            Kind.CERTIFICATE: {tls.certificate: secret(tls, pairs[tls]) for door in open_ for tls in door.tls},
            Kind.LISTENER: {str(door.port): listener(door) for door in open_},
            Kind.ROUTES: {str(door.port): route_configuration(door, entries) for door in open_},
        }

    def _of(self, key: str, entry: Entry) -> tuple[Entry, dict[str, Json], dict[str, Json]]:
        known = self._rendered.get(key)
        if known is not None and known[0] is entry:
            return known
        return entry, {cluster["name"]: cluster for cluster in clusters(entry)}, assignments(entry)
