"""Envoy's answer about some or all services, told apart by service."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from crossfade.platforms.local.balancers.envoy.admin import AdminHost
from crossfade.platforms.local.balancers.envoy.clusters import ASSETS, STREAMS

# The clusters of all services whose endpoints are asked for; those of previews hold the same.
ASKED_OF_ALL = f"^[^/]+/[^/]+/[0-9]+({STREAMS}|{ASSETS})?$"

_CLUSTER = "cluster."


class EnvoySaid:
    """Statistics by name, as text, and endpoints."""

    def __init__(self, stats: Mapping[str, str] | None = None, hosts: list[AdminHost] | None = None) -> None:
        self.stats, self.hosts = stats or {}, hosts or []

    def of(self, service: str) -> "EnvoySaid":
        """What of it is about one service, with the statistics that belong to none."""
        stats, hosts = self._by_service.get(service, ({}, []))
        return EnvoySaid({**stats, **self._by_service.get("", ({}, []))[0]}, hosts)

    @cached_property
    def _by_service(self) -> Mapping[str, tuple[dict[str, str], list[AdminHost]]]:
        found: defaultdict[str, tuple[dict[str, str], list[AdminHost]]] = defaultdict(lambda: ({}, []))
        for name, value in self.stats.items():
            found[_service(name.removeprefix(_CLUSTER)) if name.startswith(_CLUSTER) else ""][0][name] = value
        for host in self.hosts:
            found[_service(host.cluster)][1].append(host)
        return dict(found)


def _service(cluster: str) -> str:
    """`shop/web` of `shop/web/7/streams`."""
    return "/".join(cluster.split("/", 2)[:2])
