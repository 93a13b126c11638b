"""Resources that Envoy is to run, by kind and name, each known by a version that its content decides."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from crossfade.platforms.local.balancers.envoy.clusters import Json, RoutePart


class ResourceKind(StrEnum):
    """A kind of resource by the type that Envoy asks for, in the order in which it is told of them."""

    CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
    CERTIFICATE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


Resources = Mapping[ResourceKind, Mapping[str, Json]]  # as rendered, by name


class Offered:
    """One resource as it is offered to Envoy."""

    def __init__(self, content: Json) -> None:
        self.content = content
        self.encoded: Any = None  # for who sends it

    @cached_property
    def version(self) -> str:
        """The same for the same content, whichever controller asks: an Envoy that has it is sent nothing."""
        digest = hashlib.blake2b(digest_size=12)
        for text in _texts(self.content):
            digest.update(text.encode())
        return digest.hexdigest()


def _texts(content: Json) -> Iterator[str]:
    """All of it as JSON, the parts that are known as they are."""
    if "virtual_hosts" not in content:
        yield json.dumps(content)
        return
    yield json.dumps({**content, "virtual_hosts": []})
    for host in content["virtual_hosts"]:
        yield json.dumps({**host, "routes": []})
        yield from (route.text if isinstance(route, RoutePart) else json.dumps(route) for route in host["routes"])


Offer = Mapping[ResourceKind, Mapping[str, Offered]]

NOTHING: Offer = {kind: {} for kind in ResourceKind}


def offer(wanted: Resources, before: Offer) -> Offer:
    """`wanted` with what is known of it from the offer before, kinds in which nothing differs as they were."""
    return {kind: _of_kind(wanted.get(kind, {}), before[kind]) for kind in ResourceKind}


def _of_kind(wanted: Mapping[str, Json], before: Mapping[str, Offered]) -> Mapping[str, Offered]:
    offered = {name: _known(before.get(name), content) for name, content in wanted.items()}
    same = len(offered) == len(before) and all(before.get(name) is known for name, known in offered.items())
    return before if same else offered


def _known(before: Offered | None, content: Json) -> Offered:
    if before is None or (before.content is not content and before.content != content):
        return Offered(content)
    before.content = content  # the next time it is the very same, which needs no comparing: of hundreds, most are
    return before
