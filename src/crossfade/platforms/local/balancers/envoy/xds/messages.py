"""What is said between Envoy and us, from and to protobuf: the one place that knows it."""

import json
import pkgutil
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2, json_format

from crossfade.platforms.local.balancers.envoy.clusters import Json, Part
from crossfade.platforms.local.balancers.envoy.xds.conversation import Request, Response
from crossfade.platforms.local.balancers.envoy.xds.resources import Kind, Offered

_KINDS = frozenset(Kind)
_ROUTES_KEPT = 20_000  # as bytes: a deploy changes a handful of the thousands that share a port


def read(data: bytes) -> Request | None:
    """What Envoy says; None when it is about something that nobody told it to ask for."""
    request = discovery_pb2.DeltaDiscoveryRequest.FromString(data)
    if request.type_url not in _KINDS:
        return None
    return Request(
        kind=Kind(request.type_url),
        node=request.node.id,
        subscribe=tuple(request.resource_names_subscribe),
        unsubscribe=tuple(request.resource_names_unsubscribe),
        has=dict(request.initial_resource_versions),
        nonce=request.response_nonce,
        error=request.error_detail.message,
    )


def written(response: Response) -> bytes:
    """What Envoy is told. json_format.ParseError names a field that is not one of Envoy's."""
    message = discovery_pb2.DeltaDiscoveryResponse(
        type_url=response.kind,
        nonce=response.nonce,
        removed_resources=response.removed,
        resources=[
            discovery_pb2.Resource(name=name, version=resource.version, resource=_encoded(resource))
            for name, resource in response.changed.items()
        ],
    )
    return bytes(message.SerializeToString())


def _encoded(resource: Offered) -> Any:
    """Once for all who ask."""
    if resource.encoded is None:
        resource.encoded = any_pb2.Any()
        if resource.content["@type"] == Kind.ROUTES:
            resource.encoded.Pack(_route_configuration(resource.content))
        else:
            _parse(resource.content, resource.encoded)
    return resource.encoded


def _route_configuration(content: Json) -> Any:
    """Route by route, because most of them are known."""
    hosts = content["virtual_hosts"]
    message = _parse(
        {k: v for k, v in content.items() if k not in {"@type", "virtual_hosts"}}, route_pb2.RouteConfiguration()
    )
    for host in hosts:
        made = _parse({k: v for k, v in host.items() if k != "routes"}, message.virtual_hosts.add())
        made.routes.extend(
            _route(route.text if isinstance(route, Part) else json.dumps(route)) for route in host["routes"]
        )
    return message


@lru_cache(maxsize=_ROUTES_KEPT)
def _route(text: str) -> Any:
    return _parse(json.loads(text), route_components_pb2.Route())


def _parse(content: Json, message: Any) -> Any:
    for name in _types(content):
        _load(name.rpartition("/")[2].rpartition(".")[0])
    return json_format.ParseDict(content, message)


def _types(content: object) -> Iterator[str]:
    """The types of all messages that say theirs, at any depth."""
    if isinstance(content, dict):
        if "@type" in content:
            yield content["@type"]
        for value in content.values():
            yield from _types(value)
    elif isinstance(content, list):
        for value in content:
            yield from _types(value)


@cache
def _load(package: str) -> None:
    """Have protobuf know all messages of a package: `envoy.config.route.v3`."""
    for module in pkgutil.iter_modules(import_module(package).__path__):
        if module.name.endswith("_pb2"):
            import_module(f"{package}.{module.name}")
