"""Messages between Envoy and us, from and to protobuf: with `tree` the only place that knows it."""

import json
import pkgutil
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2, json_format

from crossfade.platforms.local.balancers.envoy.clusters import Json, RoutePart
from crossfade.platforms.local.balancers.envoy.xds.conversation import DiscoveryRequest, DiscoveryResponse
from crossfade.platforms.local.balancers.envoy.xds.resources import Offered, ResourceKind
from crossfade.platforms.local.balancers.envoy.xds.tree import matcher

_KINDS = frozenset(ResourceKind)
_PATHS = frozenset({"prefix", "path", "path_separated_prefix"})  # of a route's match, which has one of them
_SEVEN_BITS = 0x7F
_MESSAGE = 2  # protobuf's kind of a field that says how long it is


def read(data: bytes) -> DiscoveryRequest | None:
    """What Envoy says; None when it is about something that nobody told it to ask for."""
    request = discovery_pb2.DeltaDiscoveryRequest.FromString(data)
    if request.type_url not in _KINDS:
        return None
    return DiscoveryRequest(
        kind=ResourceKind(request.type_url),
        node=request.node.id,
        subscribe=tuple(request.resource_names_subscribe),
        unsubscribe=tuple(request.resource_names_unsubscribe),
        has=dict(request.initial_resource_versions),
        nonce=request.response_nonce,
        error=request.error_detail.message,
    )


def written(response: DiscoveryResponse) -> bytes:
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
        content = resource.content
        if content["@type"] == ResourceKind.ROUTES:
            resource.encoded = any_pb2.Any(type_url=ResourceKind.ROUTES, value=_route_configuration(content))
        else:
            resource.encoded = _parse(content, any_pb2.Any())
    return resource.encoded


def _route_configuration(content: Json) -> bytes:
    """Put together of the bytes of its routes, because most of them are known: to protobuf, what stands one after the
    other is one message.
    """
    config = _parse(
        {k: v for k, v in content.items() if k not in {"@type", "virtual_hosts"}}, route_pb2.RouteConfiguration()
    )
    hosts = [_field(config.VIRTUAL_HOSTS_FIELD_NUMBER, _virtual_host(host)) for host in content["virtual_hosts"]]
    return b"".join([config.SerializeToString(), *hosts])


def _virtual_host(content: Json) -> bytes:
    said = {k: v for k, v in content.items() if k not in {"routes", "tree"}}
    host = _parse(said, route_components_pb2.VirtualHost())
    routes = list(map(_route, content["routes"]))
    if "tree" in content:
        host.matcher.CopyFrom(matcher(content["tree"], routes))
        routes = []
    return b"".join([host.SerializeToString(), *routes])


def _route(content: Json | RoutePart) -> bytes:
    """One of a virtual host's."""
    if not isinstance(content, RoutePart):
        return _encoded_route(content)
    if not content.encoded:
        content.encoded = _encoded_route(json.loads(content.text))
    return content.encoded


def _encoded_route(content: Json) -> bytes:
    """Of a service with a thousand rules the routes differ in nothing but their paths, and to parse them takes time."""
    match = dict(content["match"])
    (kind,) = _PATHS & match.keys()
    path = match.pop(kind)
    route = route_components_pb2.Route()
    route.CopyFrom(_but_for_its_path(json.dumps({**content, "match": match})))
    setattr(route.match, kind, path)
    return _field(route_components_pb2.VirtualHost.ROUTES_FIELD_NUMBER, route.SerializeToString())


@lru_cache(maxsize=64)
def _but_for_its_path(content: str) -> Any:
    return _parse(json.loads(content), route_components_pb2.Route())


def _field(number: int, message: bytes) -> bytes:
    """A message as a part of another: its number and kind, its length, itself."""
    return _varint(number << 3 | _MESSAGE) + _varint(len(message)) + message


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; in all but the last one the eighth is set."""
    digits = bytearray()
    while number > _SEVEN_BITS:
        digits.append(number & _SEVEN_BITS | 0x80)
        number >>= 7
    return bytes([*digits, number])


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
