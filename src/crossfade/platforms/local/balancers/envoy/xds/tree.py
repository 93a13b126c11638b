"""The routes of a virtual host with many rules, as a tree of their paths: Envoy finds the longest one at once."""

from collections.abc import Iterator, Sequence
from itertools import islice

from envoy.config.route.v3 import route_components_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf import any_pb2
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2

from crossfade.platforms.local.balancers.envoy.clusters import Json
from crossfade.platforms.local.balancers.envoy.routes import PARAMETER, UPWARDS, path_match
from crossfade.platforms.local.balancers.rules import HOST

_ROUTE = bytes([route_components_pb2.RouteList.ROUTES_FIELD_NUMBER << 3 | 2])  # what stands before a route in a list
_REFUSING = 2  # as many routes begin a host whose rules are told so: of odd hosts and of odd paths
_LIST = "type.googleapis.com/envoy.config.route.v3.RouteList"


def matcher(tree: Json, routes: Sequence[bytes]) -> matcher_pb2.Matcher:
    """`routes` are the host's in order, each as a field of it, which begins with a byte that a list has otherwise.

    Envoy looks at the longest stem that a path begins with, and where none of its rules is for the path at the next
    shorter one: `/api/v2x` begins with `/api/v2`, whose rule it is not, and finds that of `/api`.
    """
    listed = iter([_ROUTE + route[1:] for route in routes])
    refusing = _take(listed, _REFUSING)
    named = [(header, value, _take(listed, number)) for header, value, number in tree["named"]]
    by_path = matcher_pb2.Matcher()
    by_path.matcher_tree.input.CopyFrom(_header(":path"))
    stems = by_path.matcher_tree.prefix_match_map.map
    for path, number in tree["rules"]:
        ((kind, stem),) = path_match(path).items()
        rule = stems[stem].matcher.matcher_list.matchers.add()
        rule.predicate.CopyFrom(_any_of(_written_as(kind, stem)))
        rule.on_match.CopyFrom(_to(_take(listed, number)))
    found = matcher_pb2.Matcher()
    refused = found.matcher_list.matchers.add()
    refused.predicate.CopyFrom(_odd())
    refused.on_match.CopyFrom(_to(refusing))
    for header, value, them in named:
        one = found.matcher_list.matchers.add()
        one.predicate.single_predicate.input.CopyFrom(_header(header))
        one.predicate.single_predicate.value_match.exact = value
        one.on_match.CopyFrom(_to(them))
    found.on_no_match.matcher.CopyFrom(by_path)
    return found


def _odd() -> matcher_pb2.Matcher.MatcherList.Predicate:
    """What the first routes refuse: they are not looked at for each request, but answer each that is led to them."""
    host = {"not_matcher": _single(":authority", _regex(HOST))}
    path = {
        "and_matcher": {"predicate": [_single(":path", {"contains": PARAMETER}), _single(":path", _regex(UPWARDS))]}
    }
    return matcher_pb2.Matcher.MatcherList.Predicate(or_matcher={"predicate": [host, path]})


def _single(header: str, way: Json) -> Json:
    return {"single_predicate": {"input": _header(header), "value_match": way}}


def _regex(text: str) -> Json:
    return {"safe_regex": {"google_re2": {}, "regex": text}}


def _written_as(kind: str, stem: str) -> list[Json]:
    """How a path may be written that such a rule is for, with its query."""
    if kind == "prefix":
        return [{"prefix": stem}]
    ends: list[Json] = [{"exact": stem}, {"prefix": f"{stem}?"}]
    return ends if kind == "path" else [*ends, {"prefix": f"{stem}/"}]


def _any_of(ways: Sequence[Json]) -> matcher_pb2.Matcher.MatcherList.Predicate:
    made = [
        matcher_pb2.Matcher.MatcherList.Predicate(single_predicate={"input": _header(":path"), "value_match": way})
        for way in ways
    ]
    if len(made) == 1:
        return made[0]
    return matcher_pb2.Matcher.MatcherList.Predicate(or_matcher={"predicate": made})


def _take(listed: Iterator[bytes], number: int) -> bytes:
    return b"".join(islice(listed, number))


def _header(name: str) -> extension_pb2.TypedExtensionConfig:
    asked = any_pb2.Any()
    asked.Pack(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=name))
    return extension_pb2.TypedExtensionConfig(name="request-headers", typed_config=asked)


def _to(routes: bytes) -> matcher_pb2.Matcher.OnMatch:
    action = extension_pb2.TypedExtensionConfig(name="routes", typed_config=any_pb2.Any(type_url=_LIST, value=routes))
    return matcher_pb2.Matcher.OnMatch(action=action)
