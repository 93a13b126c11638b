"""Routing as Envoy's route configurations: one for each port.

Order inside a host: preview by its full name, then rule after rule, most specific first. Where there are many rules, a
tree of their paths says which of them a request is held against: Envoy would try one after the other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.clusters import Json, RoutePart, typed
from crossfade.platforms.local.balancers.envoy.filters.proxies import CLIENT
from crossfade.platforms.local.balancers.envoy.routes import (
    CAME_BY_HTTP,
    PARAMETER,
    READ,
    UPWARDS,
    Access,
    pass_by_name,
    preview,
    preview_by_name,
    routes_of_rule,
)
from crossfade.platforms.local.balancers.rules import HOST, Door, by_host, seen_at, sent_on

FEW = 32  # rules that are as soon tried one after the other
ASKED_AGAIN = 1 << 20  # bytes that a request has at most which is asked again, as Envoy would hold by itself

Parts = tuple[RoutePart, ...]


class Rules:
    """The routes of a port's rules as they were made last: a service that is told nothing else keeps its own.

    It is told so when its entry is the very same: to hash or compare hundreds of them takes longer than all else.
    """

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], _Made] = {}  # by path, none for previews by name, and by service
        self._made: dict[tuple[str, str], _Made] = {}

    def begin(self) -> None:
        """All that is there is asked for from now on; what is not is forgotten the next time."""
        self._before, self._made = self._made, {}

    def of(self, path: str, entry: Entry, way: Access) -> Parts:
        """The routes of one rule; several hosts can share it."""
        return self._once((path, entry.service.key), entry, way, lambda: routes_of_rule(path, entry, way))

    def by_name(self, entry: Entry, secret: str) -> Parts:
        """The routes of a preview by its release's full name."""
        return self._once(("", entry.service.key), entry, secret, lambda: preview_by_name(entry, secret))

    def _once(self, key: tuple[str, str], entry: Entry, how: Access | str, make: Callable[[], Iterator[Json]]) -> Parts:
        made = self._made.get(key) or self._before.get(key)
        if made is None or made.entry is not entry or made.how != how:
            made = _Made(entry=entry, how=how, routes=tuple(map(RoutePart, make())))
        self._made[key] = made
        return made.routes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    entry: Entry
    how: Access | str
    routes: Parts


def route_configuration(door: Door, entries: Mapping[str, Entry], secrets: Mapping[str, str], rules: Rules) -> Json:
    """`secrets` are those of previews, by service; `rules` those of this port."""
    if door.preview:
        hosts = [_host("*", list(preview(entries[door.preview])))]
    else:
        hosts = _hosts(door, entries, secrets, rules)
    client = [_said("x-forwarded-for", _ADDRESS), _said(CLIENT, _ADDRESS)]
    if door.trusted:  # what was read of their word for Envoy comes first; headers of hosts are added before others
        hosts = [{**host, "request_headers_to_add": [_said(CLIENT, _ADDRESS, "ADD_IF_ABSENT")]} for host in hosts]
        client = [_said("x-forwarded-for", f"%REQ({CLIENT})%")]
    return {
        **typed("config.route.v3.RouteConfiguration"),
        "name": door.name,
        "ignore_port_in_host_matching": True,
        # Envoy's own note about who is outside; the app gets X-Forwarded-For, which says it better.
        "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-internal"],
        "request_headers_to_add": client,
        "virtual_hosts": hosts,
    }


# One address, of who is connected or of whom a trusted proxy names: what else was said came from strangers.
_ADDRESS = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"


def _said(header: str, value: str, how: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Json:
    return {"header": {"key": header, "value": value}, "append_action": how}


def _hosts(door: Door, entries: Mapping[str, Entry], secrets: Mapping[str, str], kept: Rules) -> list[Json]:
    kept.begin()
    services = [seen_at(door, entries[key].service) for key in door.services]
    ways = {
        key: Access(
            redirected=key in door.redirect,
            trusting=bool(door.trusted),
            secure=door.secure,
            secret=secrets.get(key, ""),
        )
        for key in door.services
    }
    rules_by_host = by_host(services)
    named = [
        (pass_by_name(entries[key], secrets[key]), kept.by_name(entries[key], secrets[key]))
        for key in door.services
        if key in secrets
    ]
    return [
        _ruled(
            host, named, [(path, kept.of(path, entries[s.key], ways[s.key])) for path, s in rules], by_path=door.by_path
        )
        for host, rules in rules_by_host.items()
    ] + [_host(host, list(_sent_on(to))) for host, to in sent_on(door, rules_by_host)]


def _refusing(headers: list[Json]) -> RoutePart:
    return RoutePart(
        {"name": "refused", "match": {"prefix": "/", "headers": headers}, "direct_response": {"status": 400}}
    )


_ODD: Json = {"name": ":authority", "string_match": {"safe_regex": {"regex": HOST}}, "invert_match": True}
_ODD_HOST = _refusing([_ODD])
# What has found the host of one name is that name, but for a port, and to look for a letter costs less than 1 %.
_ODD_PORT = _refusing([{"name": ":authority", "string_match": {"contains": ":"}}, _ODD])
# Envoy takes `/..;x` for `/..`, but not `/%2e%2e;x`, of which that is left. To look for two letters costs little.
_ODD_PATH = _refusing(
    [
        {"name": ":path", "string_match": {"contains": PARAMETER}},
        {"name": ":path", "string_match": {"safe_regex": {"regex": UPWARDS}}},
    ]
)


def _host(name: str, routes: Sequence[Json | RoutePart], *, by_path: bool = False) -> Json:
    routes = [_ODD_HOST if "*" in name else _ODD_PORT, *([_ODD_PATH] if by_path else []), *routes]
    return {"name": name, "domains": [name], "routes": routes, "request_body_buffer_limit": ASKED_AGAIN}


def _ruled(
    name: str, named: Sequence[tuple[tuple[str, str], Parts]], rules: Sequence[tuple[str, Parts]], *, by_path: bool
) -> Json:
    """A host with its routes in order. Of many rules, among which paths decide, it has a `tree` besides, by which they
    are told to Envoy: how many of the routes, after the two that refuse, belong to each preview's header and value, and
    then to each rule's path.
    """
    host = _host(name, [part for _, parts in (*named, *rules) for part in parts], by_path=by_path)
    if len(rules) <= FEW:
        return host
    tree = {
        "named": [(*header, len(parts)) for header, parts in named],
        "rules": [(path, len(parts)) for path, parts in rules],
    }
    return {**host, "tree": tree}


def _sent_on(to: str) -> Iterator[Json]:
    """To another host, path and all. Behind a proxy browsers may have come by HTTPS though we have no certificate."""
    scheme, _, rest = to.partition("://")
    host, _, port = rest.partition(":")
    for methods, code in (([READ], "MOVED_PERMANENTLY"), ([], "PERMANENT_REDIRECT")):
        for headers, said in (([CAME_BY_HTTP], scheme), ([], "https")):
            redirect: Json = {"host_redirect": host, "scheme_redirect": said, "response_code": code}
            yield {
                "name": "moved",
                "match": {"prefix": "/", "headers": [*methods, *headers]},
                "redirect": {**redirect, **({"port_redirect": int(port)} if port else {})},
            }
