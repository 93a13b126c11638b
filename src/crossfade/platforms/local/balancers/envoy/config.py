"""All that Envoy reads, as resources by file name: a pure function of what the services are to be."""

from collections.abc import Mapping

from crossfade.core.service import Tls
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.bootstrap import CLUSTERS, LISTENERS
from crossfade.platforms.local.balancers.envoy.clusters import STREAMS, Json, assignments, clusters, endpoints_file
from crossfade.platforms.local.balancers.envoy.listeners import certificate_file, listener, routes_file, secret
from crossfade.platforms.local.balancers.envoy.routes import route_configuration
from crossfade.platforms.local.balancers.rules import doors

Files = dict[str, list[Json]]


def render(entries: Mapping[str, Entry], links: Mapping[Tls, tuple[str, str]]) -> Files:
    """Every file with its resources. `links` are the names under which Envoy reads certificate and key.

    Raises WrongInputError when services cannot share a port.
    """
    open_ = doors(entries)
    rendered: Files = {
        CLUSTERS: [cluster for _, entry in sorted(entries.items()) for cluster in clusters(entry)],
        LISTENERS: [listener(door) for door in open_],
    }
    for entry in entries.values():
        for cluster, assignment in assignments(entry).items():
            rendered[endpoints_file(cluster)] = [assignment]
    for door in open_:
        rendered[routes_file(door.port)] = [route_configuration(door, entries)]
        for tls in door.tls:
            rendered[certificate_file(tls)] = [secret(tls, links[tls])]
    return rendered


def readouts(file: str, resources: list[Json]) -> list[str]:
    """The statistics in which Envoy says which version of a file it runs: one for each of its readers."""
    if file == CLUSTERS:
        return ["cluster_manager.cds.version_text"]
    if file == LISTENERS:
        return ["listener_manager.lds.version_text"]
    if file.startswith("routes/"):
        port = resources[0]["name"]
        return [f"http.{port}.rds.{port}.version_text"]
    if file.startswith("certificates/"):
        return [f"sds.{resources[0]['name']}.version_text"]
    return [f"cluster.{resources[0]['cluster_name']}{kind}.version_text" for kind in ("", STREAMS)]
