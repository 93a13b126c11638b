"""haproxy.cfg as a pure function of what the services are to be.

Each port is a frontend that finds out three things of a request: `txn.svc`, the service that its host and path lead to,
`txn.to`, the backend of one release of it, by the maps, and `txn.kind` when a preview was asked for. Each service has
backends that releases take as they come; see `slots`. Every rule costs every request, so a plain one passes over those
that look into odd ones; see `who.odd`.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping

from crossfade.core.service import Service, Tls
from crossfade.platforms.local.balancers import visitors
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.haproxy import backends, maps, settings, who
from crossfade.platforms.local.balancers.haproxy.settings import KEPT, ms, quoted
from crossfade.platforms.local.balancers.haproxy.slots import Slots
from crossfade.platforms.local.balancers.rules import (
    HEAD_WITHIN,
    HSTS,
    Door,
    answered_on_http,
    by_host,
    doors,
    seen_at,
    sent_on,
)
from crossfade.platforms.local.balancers.unprivileged import Unprivileged

Files = dict[str, str]  # text by name, from HAProxy's working directory

_HTTPS = 443
_NO_SERVICE = "!{ var(txn.svc) -m found }"
_NOWHERE = "!{ var(txn.to) -m found }"
_ASKED = "{ var(txn.asked) -m found }"
_SHOWN = (f"  http-request set-var(txn.kind) str({settings.PREVIEW})", f"  http-request {KEPT}")  # a preview


def render(
    entries: Mapping[str, Entry],
    slots: Slots,
    links: Mapping[Tls, tuple[str, str]],
    secrets: Mapping[str, str],
    *,
    shutdown: int,
    often: int = settings.OFTEN,
    who: Unprivileged | None = None,
) -> Files:
    """All files. `links` are the names of certificate and key, `secrets` those of previews by service.

    `shutdown` are the seconds that a replaced worker may take, `often` is as in `settings`, `who` is who workers are;
    None: as their master is.

    Raises WrongInputError when services cannot share a port.
    """
    open_ = doors(entries)
    lists = {_list(door): _certificates(door, entries, links) for door in open_ if door.tls}
    parts = [*_uris(open_), *_defaults(entries)]
    for door in open_:
        parts += _frontend(door, entries)
    for _, entry in sorted(entries.items()):
        parts += backends.lines(entry, slots, often)
    lines = [*_global(shutdown, who, structure(parts, lists)), *parts, ""]
    return {
        settings.CONFIG: "\n".join(lines),
        **lists,
        **{name: maps.text(content) for name, content in maps.maps(entries, slots, secrets).items()},
    }


def structure(lines: list[str], lists: Mapping[str, str]) -> str:
    """A name for all that only a reload can change: everything but the servers."""
    kept = [line for line in lines if not line.startswith(settings.SERVER_LINE)]
    return hashlib.sha256("\n".join([*kept, *lists.values()]).encode()).hexdigest()[:16]


def _global(shutdown: int, who: Unprivileged | None, name: str) -> Iterator[str]:
    yield "global"
    if who:
        yield f"  user {who.user}"
        yield f"  group {who.group}"
    yield "  expose-experimental-directives"  # normalize-uri
    yield f"  description {name}"
    yield "  log stdout format raw local0 notice"
    yield f"  log stdout format short sample 1:{settings.EACH} local0 info"
    yield f"  stats socket unix@{settings.WORKER} mode 600 level admin expose-fd listeners"
    yield f"  hard-stop-after {shutdown}s"
    # A new instance is checked after so many ms, and not after up to an interval. It has to be enabled by then, or its
    # first check is passed over: see `Publisher.add_again`.
    yield "  max-spread-checks 30"
    yield "  ssl-load-extra-del-ext"
    yield "  ssl-default-bind-options ssl-min-ver TLSv1.2"
    yield "  tune.ssl.default-dh-param 2048"


def _uris(open_: Collection[Door]) -> Iterator[str]:
    """HAProxy keeps a copy of each URI for its log; without an access log nobody reads it."""
    if not any(door.access_log for door in open_):
        yield "  tune.http.logurilen 16"


def _defaults(entries: Mapping[str, Entry]) -> Iterator[str]:
    idle = max((entry.service.idle_timeout for entry in entries.values()), default=3600.0)
    yield "defaults"
    yield "  mode http"
    yield "  log global"
    yield f"  log-format {settings.COUNT_FORMAT}"
    yield "  option log-separate-errors"
    yield "  timeout connect 2s"
    yield f"  timeout client {ms(idle)}"
    yield "  timeout http-keep-alive 120s"
    yield f"  timeout http-request {HEAD_WITHIN}"
    yield "  timeout queue 2s"
    # A worker that was replaced answers what comes on a connection that it has, and closes it then: nothing is lost.
    yield "  option idle-close-on-response"
    yield "  option abortonclose"
    yield "  option redispatch 1"
    yield "  retries 2"


def _list(door: Door) -> str:
    return f"certificates/{door.port}.list"


def _certificates(door: Door, entries: Mapping[str, Entry], links: Mapping[Tls, tuple[str, str]]) -> str:
    """Each with the names it is for; the first of the port also for all others."""
    lines = [links[door.tls[0]][0]]
    for key in door.services:
        service = entries[key].service
        names = " ".join(sorted({rule.host.lower() for rule in service.routes} - {"*"}))
        if service.listener.tls and names:
            lines.append(f"{links[service.listener.tls][0]} {names}")
    return "".join(f"{line}\n" for line in lines)


def _frontend(door: Door, entries: Mapping[str, Entry]) -> Iterator[str]:
    address = f"[{door.host}]" if ":" in door.host else door.host
    yield f"frontend {door.name}"
    secure = f" ssl crt-list {_list(door)} alpn h2,http/1.1" if door.tls else ""
    yield f"  bind {address}:{door.port}{secure}"
    services = [seen_at(door, entries[key].service) for key in door.services]
    if door.access_log:
        yield f"  log-format {settings.ACCESS_FORMAT}"
    yield from who.client(door, {service.preview.header for service in services})
    if door.access_log:
        yield f"  http-request {KEPT}"
        yield "  http-request set-var(txn.host) req.hdr(host)"
        yield "  http-request set-var(txn.id) req.hdr(x-request-id)"
    if door.preview:
        yield from who.connection()
        yield from who.host()
        yield from who.path(door)
        yield from _preview_port(entries[door.preview].service)
    else:
        yield from _rules(door, entries, services)
    yield "  use_backend %[var(txn.to)]"


def _preview_port(service: Service) -> Iterator[str]:
    yield f"  http-request set-var(txn.svc) str({service.key})"
    yield from _SHOWN
    yield f"  http-request set-var(txn.to) str({service.key}?),map({maps.PREVIEWS})"
    yield _answer(503, f"No release of {service.key} is in preview.\\n", _NOWHERE)


def _rules(door: Door, entries: Mapping[str, Entry], services: list[Service]) -> Iterator[str]:
    moved = sent_on(door, by_host(services))
    simple = not door.redirect and not any(service.sticky for service in services)
    alone = simple and _takes_all(services) and not moved and not services[0].headers
    if alone:
        yield from _plain(f"str({services[0].key})")
    yield from who.host()
    yield from who.path(door)
    for host, to in moved:
        scheme, _, rest = to.partition("://")
        there = f"{'%[req.hdr(x-forwarded-proto)]' if scheme == 'http' else scheme}://{rest}%[pathq]"
        when = f"{{ req.hdr(host),host_only,lower,rtrim(.) -m str {host} }}"
        yield f"  http-request redirect location {there} code 301 if {{ method GET HEAD }} {when}"
        yield f"  http-request redirect location {there} code 308 if {when}"
    yield from _choice(services)
    if simple and not alone:
        yield from _plain("var(txn.svc)")
    yield from who.connection()
    yield from _asked(services)
    for key in sorted(door.redirect):
        yield from _redirects(entries[key].service)
    for service in services:
        yield from _sticky(service, door, only=len(services) == 1)
        yield from _headers(service, door)
        yield from _stays(service)
    yield from _routed(services)
    for service in services:
        yield from _told(service, door)
    if not _takes_all(services):
        yield _answer(404, "Not found.\\n", f"{_NO_SERVICE} {_NOWHERE}")
    yield _answer(503, "No release of %[var(txn.svc)] serves now.\\n", _NOWHERE)


def _routed(services: list[Service]) -> Iterator[str]:
    """By the service alone, or by a number where releases share it: then its name alone is not in the map.

    Shares may end between these two looks, which then both find nothing.
    """
    alone = f"  http-request set-var(txn.to) var(txn.svc),map({maps.ROUTES}) if {_NOWHERE}"
    yield alone
    if any(service.sticky for service in services):
        yield f"  http-request set-var(txn.draw) var(txn.sticky),xxh32,mod({maps.SHARES}) if {_NOWHERE}"
    yield f"  http-request set-var(txn.draw) rand({maps.SHARES}) if {_NOWHERE} !{{ var(txn.draw) -m found }}"
    yield f"  http-request set-var(txn.to) var(txn.svc),concat(:,txn.draw),map({maps.ROUTES}) if {_NOWHERE}"
    yield alone


def _choice(services: list[Service]) -> Iterator[str]:
    """The service by host and path, most specific first."""
    if _takes_all(services):
        yield f"  http-request set-var(txn.svc) str({services[0].key})"
        return
    yield "  http-request set-var(txn.name) req.hdr(host),host_only,lower,rtrim(.)"
    for host, rules in by_host(services).items():
        name = "" if host == "*" else f" {{ var(txn.name) -m {_match(host)} }}"
        for path, service in rules:
            for where in _places(path):
                yield f"  http-request set-var(txn.svc) str({service.key}) if {_NO_SERVICE}{name}{where}"


def _plain(service: str) -> Iterator[str]:
    """A request with nothing odd about it goes where the map says, unless a number has to be drawn for it.

    The log names its backend, and with that its service, so `txn.svc` need not be set.
    """
    yield f"  http-request set-var(txn.to) {service},map({maps.ROUTES}) unless {who.ODD}"
    yield "  http-request allow if { var(txn.to) -m found }"


def _takes_all(services: list[Service]) -> bool:
    """One service for whatever comes: nothing has to be found out, of which each rule costs every request a little."""
    return len(services) == 1 and any((rule.host, rule.path) == ("*", "/*") for rule in services[0].routes)


def _match(host: str) -> str:
    return f"end {quoted(host[1:])}" if host.startswith("*.") else f"str {quoted(host)}"


def _places(path: str) -> tuple[str, ...]:
    """`/api/*` is /api and all below it, `/api*` all that begins so, `/api` only itself."""
    if not path.endswith("*"):
        return (f" {{ path {quoted(path)} }}",)
    stem = path[:-1]
    if stem in {"", "/"}:
        return ("",)
    below = f" {{ path_beg {quoted(stem)} }}"
    return (below, f" {{ path {quoted(stem[:-1])} }}") if stem.endswith("/") else (below,)


def _asked(services: list[Service]) -> Iterator[str]:
    """A preview by its full name reaches the release whatever the host and the path; by its secret alone, by rule."""
    headers = {service.preview.header for service in services}
    for header in sorted(headers):
        yield f"  http-request set-var(txn.asked) req.hdr({header})"
        named = f"var(txn.asked),map({maps.PREVIEWS})"
        yield f"  http-request set-var(txn.to) {named} if {_ASKED} {{ var(txn.asked) -m reg :[0-9a-f]{{32}}$ }}"
        for service in services:
            if service.preview.header == header:
                bare = f"str({service.key}),concat(?,txn.asked),map({maps.PREVIEWS})"
                when = f"{_ASKED} {_is(service.key)} {_NOWHERE} {{ var(txn.asked) -m reg ^[0-9a-f]{{32}}$ }}"
                yield f"  http-request set-var(txn.to) {bare} if {when}"
        yield f"  http-request del-header {header} if {_NOWHERE}"
        yield from (f"{rule} if {_ASKED} {{ var(txn.to) -m found }}" for rule in _SHOWN)
        if len(headers) > 1:
            yield "  http-request unset-var(txn.asked)"


def _redirects(service: Service) -> Iterator[str]:
    """With 308 a client sends the same method and body again; with 301 many make a GET of a POST."""
    port = "" if service.listener.https == _HTTPS else f":{service.listener.https}"
    to = f"https://%[req.hdr(host),host_only]{port}%[pathq]"
    exceptions = [place for path in answered_on_http(service, "/*") for place in _places(path)]
    kept = "".join(f" !{place.strip()}" for place in exceptions if place)
    when = f"{_is(service.key)} {_NOWHERE} !{{ req.hdr(x-forwarded-proto) -i https }}{kept}"
    yield f"  http-request {KEPT} if {when}"  # no backend's total has it
    yield f"  http-request redirect location {to} code 301 if {{ method GET HEAD }} {when}"
    yield f"  http-request redirect location {to} code 308 if {when}"


def _headers(service: Service, door: Door) -> Iterator[str]:
    """Only where the app says nothing of its own: it may know better."""
    for header, value in service.headers:
        if door.secure or header.lower() != HSTS:
            written = quoted(value.replace("%", "%%"))
            when = f"{_is(service.key)} {{ res.hdr_cnt({header}) eq 0 }}"
            yield f"  http-after-response set-header {header} {written} if {when}"


def _sticky(service: Service, door: Door, *, only: bool) -> Iterator[str]:
    """The balancer's own cookie, else the app's, else a new one of ours.

    Ours has a name of its own: had it the app's, our Set-Cookie would overwrite the session the app just opened.
    """
    if service.sticky is None:
        return
    ours, mine = service.sticky.ours, "" if only else f" {_is(service.key)}"
    unknown = "!{ var(txn.sticky) -m found }"
    for cookie in (ours, service.sticky.cookie):
        escaped = cookie.replace("'", "\\'")  # for who reads the argument, who comes after who reads the line
        yield f"  http-request set-var(txn.sticky) {quoted(f'req.cook({escaped})')} if {unknown}{mine}"
    yield f"  http-request set-var(txn.fresh) uuid() if {unknown}{mine}"
    yield f"  http-request set-var(txn.sticky) var(txn.fresh) if {unknown}{mine}"
    more = f"Path=/; Max-Age={round(service.sticky.ttl)}; HttpOnly{'; Secure' if door.secure else ''}"
    fresh = f"{ours.replace('%', '%%')}=%[var(txn.fresh)]; {more}"
    yield f"  http-after-response add-header Set-Cookie {quoted(fresh)} if {{ var(txn.fresh) -m found }}{mine}"


def _stays(service: Service) -> Iterator[str]:
    """Who stays with a release goes there, whatever the shares."""
    if service.pins:
        mine = f"{_is(service.key)} {_NOWHERE}"
        yield f"  http-request set-var(txn.known) req.cook({visitors.cookie(service)}) if {mine}"
        there = f"var(txn.svc),concat(=,txn.known),map({maps.ROUTES})"
        yield f"  http-request set-var(txn.to) {there} if {mine} {{ var(txn.known) -m found }}"
        yield f"  http-request set-var(txn.stays) int(1) if {_is(service.key)} {{ var(txn.to) -m found }}"


def _told(service: Service, door: Door) -> Iterator[str]:
    """Who is new is told the release that answers; a preview stays with none."""
    if service.pins:
        new = f"{_is(service.key)} !{{ var(txn.stays) -m found }} !{{ var(txn.kind) -m found }}"
        yield f"  http-request set-var(txn.met) var(txn.svc),concat(@,txn.to),map({maps.ROUTES}) if {new}"
        secure = "; Secure" if door.secure else ""
        cookie = f"{visitors.cookie(service)}=%[var(txn.met)]{visitors.attributes(service)}{secure}"
        when = f"{_is(service.key)} {{ var(txn.met) -m found }}"
        yield f"  http-after-response add-header Set-Cookie {quoted(cookie)} if {when}"


def _is(key: str) -> str:
    return f"{{ var(txn.svc) -m str {key} }}"


def _answer(code: int, text: str, when: str) -> str:
    return f'  http-request return status {code} content-type text/plain lf-string "{text}" if {when}'
