"""The routes of one rule, and of one preview: of a rule, preview requests before clients' ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from crossfade.core.service import IDLE_TIMEOUT, Service
from crossfade.platforms.local.balancers import visitors
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.envoy.clusters import Json, assets_of, name, seconds
from crossfade.platforms.local.balancers.envoy.filters import streams
from crossfade.platforms.local.balancers.envoy.retries import assets, retries
from crossfade.platforms.local.balancers.previews import named
from crossfade.platforms.local.balancers.rules import HSTS, answered_on_http

# What the name of a route begins with, by which the log of failures knows it: `clients/feedback/web`.
CLIENTS, PREVIEW = "clients", "preview"
_SHARES = 10_000  # weights add up to this, so a client's hash keeps its side of the split while weights grow


# A servlet takes `/..;x` for `/..`, others do not: whose path that is, nobody can say.
PARAMETER, UPWARDS = ".;", r"[^?]*/\.+;.*"


@dataclass(frozen=True, slots=True, kw_only=True)
class _To:
    """Where the requests of one rule go, whatever they are."""

    service: Service
    weights: tuple[tuple[int, int], ...]
    preview: bool = False
    stood_in_for: bool = False  # another release answers when all instances of this one are dead
    secure: bool = False  # browsers come by HTTPS
    greets: bool = False  # who comes is new, and is told its release
    hashed: frozenset[int] = frozenset()  # releases whose clients keep their instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a service is reached at one port."""

    redirected: bool
    trusting: bool
    secure: bool
    secret: str  # of its preview


def preview_by_name(entry: Entry, secret: str) -> Iterator[Json]:
    """The release's full name with its secret in the header reaches it whatever the host and the path."""
    service, release = entry.service, entry.routing.preview
    if release is not None:
        _, full = pass_by_name(entry, secret)
        yield from _routes(_with_pass({"prefix": "/"}, service, full), _preview(service, release))


def pass_by_name(entry: Entry, secret: str) -> tuple[str, str]:
    """The header and its value that `preview_by_name` asks for."""
    return entry.service.preview.header, named(entry.service.key, entry.routing.preview or 0, secret)


def preview(entry: Entry) -> Iterator[Json]:
    """All of a preview port leads to the previewed release; without one it says so."""
    release, key = entry.routing.preview, entry.service.key
    if release is None:
        yield _nobody({"prefix": "/"}, f"{PREVIEW}/{key}", f"No release of {key} is in preview.\n")
    else:
        yield from _routes({"prefix": "/"}, _preview(entry.service, release))


def _with_pass(match: Json, service: Service, value: str) -> Json:
    return {**match, "headers": [{"name": service.preview.header, "string_match": {"exact": value}}]}


def routes_of_rule(path: str, entry: Entry, way: Access) -> Iterator[Json]:
    service, routing = entry.service, entry.routing
    match = path_match(path)
    if routing.preview is not None:
        yield from _routes(_with_pass(match, service, way.secret), _preview(service, routing.preview))
    answers = list(_answers(match, entry, way))
    if way.redirected:
        for exception in answered_on_http(service, path):
            yield from _answers(path_match(exception), entry, way)
        yield from _redirects(match, service)
        answers = answers if way.trusting else []  # where no proxy ends TLS, nobody gets past the redirect
    yield from answers


def _answers(match: Json, entry: Entry, way: Access) -> Iterator[Json]:
    service, routing = entry.service, entry.routing
    if routing.weights:
        for release in visitors.stayed_with(entry):
            yield from _routes(_who_knows(release, match, service), _to(entry, ((release, 1),), way))
        yield from _routes(match, replace(_to(entry, routing.weights, way), greets=service.pins))
    else:
        yield _nobody(match, f"{CLIENTS}/{service.key}", f"No release of {service.key} serves now.\n")


def _to(entry: Entry, weights: tuple[tuple[int, int], ...], way: Access) -> _To:
    """By the routing alone, so that it is right from the switch on: the endpoints of who stands in follow."""
    stood_in_for = any(entry.routing.stand_ins(release) for release, _ in weights)
    hashed = frozenset(release for release, _ in weights if entry.made(release).sticky)
    return _To(service=entry.service, weights=weights, stood_in_for=stood_in_for, secure=way.secure, hashed=hashed)


def _who_knows(release: int, match: Json, service: Service) -> Json:
    """Requests whose cookie names the release."""
    cookie = re.escape(visitors.cookie(service))
    regex = rf"(.*;\s*)?{cookie}={release}(\s*;.*)?"
    known = {"name": "cookie", "string_match": {"safe_regex": {"regex": regex}}}
    return {**match, "headers": [*match.get("headers", []), known]}


def _redirects(match: Json, service: Service) -> Iterator[Json]:
    """With 308 a client sends the same method and body again; with 301 many make a GET of a POST."""
    for methods, code in (([READ], "MOVED_PERMANENTLY"), ([], "PERMANENT_REDIRECT")):
        yield {
            "name": f"redirect/{service.key}",
            "match": {**match, "headers": [*match.get("headers", []), CAME_BY_HTTP, *methods]},
            "redirect": {"https_redirect": True, "port_redirect": service.listener.https, "response_code": code},
        }


def _preview(service: Service, release: int) -> _To:
    return _To(service=service, weights=((release, 1),), preview=True)


def path_match(path: str) -> Json:
    """`/api/*` is /api and all below it, `/api*` all that begins so, `/api` only itself."""
    if not path.endswith("*"):
        return {"path": path}
    stem = path[:-1]
    if stem in {"", "/"}:
        return {"prefix": "/"}
    return {"path_separated_prefix": stem[:-1]} if stem.endswith("/") else {"prefix": stem}


def _routes(match: Json, to: _To) -> Iterator[Json]:
    """Routes that differ in whether the answer may be a stream, and in whether the request may be repeated.

    Envoy tries one after the other, and most requests are a plain GET: the first is a short cut to what the fifth says,
    past the look at the answer. Who opens an event stream by GET says so, as browsers do.
    """
    headers = match.get("headers", [])
    for more in assets() if to.stood_in_for else ():
        asked = {**match, "headers": [*headers, _GET, _NO_UPGRADE, *more]}
        yield _route(asked, to, answer="ends", repeatable=True, asset=True)
    for more, answer, repeatable in (
        (_PLAIN, "ends", True),
        ([_WEBSOCKET, _GET], "lasts", True),
        ([_EVENTS, _SAFE], "may last", True),
        ([_EVENTS, _NO_TRACE], "may last", False),
        ([_SAFE], "ends", True),
        ([_NO_TRACE], "ends", False),
    ):
        route = _route({**match, "headers": [*headers, *more]}, to, answer=answer, repeatable=repeatable)
        yield route if more == _PLAIN else {**route, "typed_per_filter_config": streams.looked_for()}


_GET: Json = {"name": ":method", "string_match": {"exact": "GET"}}
_NO_UPGRADE: Json = {"name": "upgrade", "present_match": False}
_NO_EVENTS: Json = {
    "name": "accept",
    "string_match": {"contains": "text/event-stream"},
    "invert_match": True,
    "treat_missing_header_as_empty": True,
}
_PLAIN = [_GET, _NO_UPGRADE, _NO_EVENTS]
_WEBSOCKET: Json = {"name": "upgrade", "string_match": {"exact": "websocket", "ignore_case": True}}
_EVENTS: Json = {"name": "accept", "string_match": {"contains": "text/event-stream"}}
READ: Json = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
CAME_BY_HTTP: Json = {  # to us, or as a trusted proxy says: what others say of it is not kept
    "name": "x-forwarded-proto",
    "string_match": {"exact": "https", "ignore_case": True},
    "invert_match": True,
    "treat_missing_header_as_empty": True,
}
# Who answers a TRACE shows what only the app is told.
_NO_TRACE: Json = {"name": ":method", "string_match": {"exact": "TRACE"}, "invert_match": True}
_SAFE: Json = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS"}}}


def _route(match: Json, to: _To, *, answer: str, repeatable: bool, asset: bool = False) -> Json:
    """Streams have clusters of their own, so that how long they last is no latency. What is one is told by its answer.

    Until that begins, a request that may get a stream has the time that any has, and is not asked again when it is
    over: a try's own limit counts to the beginning, and Envoy takes its end for a death.
    """
    service = to.service
    by_try = answer == "may last" and service.timeout > 0
    action: Json = {
        **_where(to, lasting=answer != "ends", asset=asset),
        "timeout": seconds(service.timeout if answer == "ends" else 0.0),
        # Envoy sets a timer anew for a route that has its own, which is 3 % of what a request costs it.
        **({} if service.idle_timeout == IDLE_TIMEOUT else {"idle_timeout": seconds(service.idle_timeout)}),
        "retry_policy": {
            **retries(repeatable=repeatable and not by_try, stood_in_for=to.stood_in_for, asset=asset),
            **({"per_try_timeout": seconds(service.timeout)} if by_try else {}),
        },
    }
    if service.sticky:
        action["hash_policy"] = _hash_policy(service, secure=to.secure)
    added = [_added(header, value) for header, value in service.headers if to.secure or header.lower() != HSTS]
    if to.greets and len(to.weights) == 1:
        added.append(_greeting(to, to.weights[0][0]))
    return {
        "name": f"{PREVIEW if to.preview else CLIENTS}/{service.key}",
        "match": match,
        "route": action,
        **({"response_headers_to_add": added} if added else {}),
        **({} if to.preview else {"request_headers_to_remove": [service.preview.header]}),
    }


def _added(header: str, value: str) -> Json:
    """Only where the app says nothing of its own: it may know better. A % would begin one of Envoy's variables."""
    return {"header": {"key": header, "value": value.replace("%", "%%")}, "append_action": "ADD_IF_ABSENT"}


def _where(to: _To, *, lasting: bool, asset: bool) -> Json:
    def cluster(release: int) -> str:
        if asset and release in to.hashed:
            return assets_of(to.service.key, release)
        return name(to.service.key, release, preview=to.preview, streams=lasting)

    if len(to.weights) == 1:
        return {"cluster": cluster(to.weights[0][0])}
    shares = [
        {
            "name": cluster(release),
            "weight": share,
            **({"response_headers_to_add": [_greeting(to, release)]} if to.greets else {}),
        }
        for release, share in _scaled(to.weights)
    ]
    return {"weighted_clusters": {"clusters": shares, **({"use_hash_policy": True} if to.service.sticky else {})}}


def _greeting(to: _To, release: int) -> Json:
    """The cookie by which a new visitor stays with the release that answers now."""
    secure = "; Secure" if to.secure else ""
    value = f"{visitors.cookie(to.service)}={release}{visitors.attributes(to.service)}{secure}"
    return {"header": {"key": "set-cookie", "value": value}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}


def _scaled(weights: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Shares of `_SHARES`; the last takes what rounding left: (1, 1), (2, 2) is 3333 and 6667."""
    total = sum(weight for _, weight in weights)
    scaled = [(release, weight * _SHARES // total) for release, weight in weights]
    rest = _SHARES - sum(share for _, share in scaled)
    return [*scaled[:-1], (scaled[-1][0], scaled[-1][1] + rest)]


def _hash_policy(service: Service, *, secure: bool) -> list[Json]:
    """The balancer's own cookie, else the app's, else a new one of ours.

    Ours has a name of its own: had it the app's, our Set-Cookie would overwrite the session the app just opened.
    """
    if service.sticky is None:
        return []
    ours = sticky_cookie(service)
    attributes: Json = {"attributes": [{"name": "Secure"}]} if secure else {}
    return [
        {"cookie": {"name": ours}, "terminal": True},
        {"cookie": {"name": service.sticky.cookie}, "terminal": True},
        {"cookie": {"name": ours, "ttl": seconds(service.sticky.ttl), "path": "/", **attributes}},
    ]


def sticky_cookie(service: Service) -> str:
    """The cookie the balancer sets itself."""
    return service.sticky.ours if service.sticky else ""


def _nobody(match: Json, route: str, body: str) -> Json:
    return {"name": route, "match": match, "direct_response": {"status": 503, "body": {"inline_string": body}}}
