"""The rules of all services that share a port, most specific first: which service answers which request."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Listener, Rule, Service, Tls
from crossfade.platforms.local.balancers.book import Entry
from crossfade.strategies.several.clash import Tenants

HSTS = "strict-transport-security"  # must not be said over plain HTTP (RFC 6797, 7.2)
# What apps believe about their client, beside X-Forwarded-Proto, X-Forwarded-For and X-Real-IP, which are overwritten:
# what proxies and CDNs say, and another host or path than the one that was asked for, by which some frameworks would
# answer what a route keeps to itself. Rails answers 500 to a Client-IP that X-Forwarded-For does not have. By name, as
# nginx takes out no header by how it begins.
CLAIMS = (
    *("X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Prefix"),
    *("X-Forwarded-Ssl", "Forwarded", "Front-End-Https", "X-Original-Host", "X-Original-Url", "X-Rewrite-Url"),
    *("Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip"),
    *("Cf-Connecting-Ipv6", "Cf-Pseudo-Ipv4", "Fly-Client-Ip", "X-Azure-Clientip", "X-Azure-Socketip"),
    *("X-Appengine-User-Ip", "Do-Connecting-Ip", "X-Vercel-Forwarded-For", "X-Nf-Client-Connection-Ip"),
    *("Ali-Cdn-Real-Ip", "Cdn-Src-Ip", "Proxy-Client-Ip", "Wl-Proxy-Client-Ip", "X-Proxyuser-Ip", "X-Originating-Ip"),
    *("X-Remote-Ip", "X-Remote-Addr", "X-Original-Forwarded-For", "X-Original-For", "X-Original-Proto"),
    *("X-Forwarded", "Forwarded-For", "X-Forwarded-By", "X-Forwarded-Protocol", "X-Forwarded-Path", "X-Forwarded-Uri"),
    # Tornado believes X-Scheme.
    *("X-Forwarded-Method", "X-Scheme", "X-Url-Scheme", "X-Arr-Ssl", "X-Http-Host-Override", "X-Host"),
    # Who has signed in, as proxies that ask for it say.
    *("X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username"),
    *("X-Forwarded-Access-Token", "X-Forwarded-Client-Cert", "Remote-User", "Remote-Groups", "Remote-Email"),
    *("Remote-Name", "X-Remote-User", "X-Remote-Group", "X-Auth-Request-User", "X-Auth-Request-Email"),
    *("X-Auth-Request-Groups", "X-Webauth-User", "X-Client-Cert", "X-Ssl-Client-Cert", "Ssl-Client-Cert"),
    *("X-Client-Verify", "X-Ssl-Client-Verify", "Ssl-Client-Verify", "X-Ssl-Client-S-Dn", "Ssl-Client-S-Dn"),
)
# A Host that is no name or address with a port (RFC 9110, 7.2) is answered with 400: an app would make links of it for
# pages and mails, and `shop.example:@evil.example` leads to evil.example. No comma is in it, which a name might have:
# by one Envoy joins two Hosts.
_LABEL = "[0-9A-Za-z!$&'()*+;=_~%-]+"
HOST = rf"(\[[0-9A-Fa-f:.]+\]|{_LABEL}(\.{_LABEL})*\.?)(:[0-9]*)?"
# What a trusted proxy may call the scheme, wss where it says so of WebSockets. Of several, the first is the browser's.
SCHEMES = {"https": "https|wss", "http": "http|ws"}
HEAD_WITHIN = "10s"  # for a request's head: one that trickles in holds a connection, of which there is a limited number
_HTTP, _HTTPS = 80, 443
_EVERY_PATH = frozenset({"*", "/*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One open port and the services behind it, by key. `tls` holds the certificates of a port that has some."""

    host: str
    port: int
    services: tuple[str, ...] = ()
    tls: tuple[Tls, ...] = ()
    redirect: frozenset[str] = frozenset()  # services that are only sent on to https here
    preview: str = ""  # the one service whose preview port this is
    access_log: bool = False
    trusted: tuple[str, ...] = ()  # CIDRs of proxies whose word on the client counts
    proxy_protocol: bool = False
    by_path: bool = False  # who answers depends on the path
    moved: tuple[tuple[str, str], ...] = ()  # hosts that are sent on, and the URL before the path where to
    clients: tuple[str, ...] = ()  # CIDRs of the app's own parts, which are all that may come in; empty: everybody

    @property
    def name(self) -> str:
        """Its port, which is enough for a public door: of those inside, several have one port."""
        return f"{self.host}:{self.port}" if self.clients else str(self.port)

    @property
    def word(self) -> str:
        """The same as a part of a variable's name."""
        return re.sub(r"\W", "_", self.name)

    @property
    def secure(self) -> bool:
        """Do browsers come by HTTPS, here or at a proxy before?"""
        return bool(self.tls or (self.trusted and not self.clients))


def doors(entries: Mapping[str, Entry]) -> tuple[Door, ...]:
    """All ports to be open, ascending. PlatformError names the other service when two cannot share a port."""
    return _doors(_Exposed(tuple(entry.service for _, entry in sorted(handed_over(entries).items()) if entry.exposed)))


class _Exposed:
    """Services, equal when they are the very same: of hundreds, to compare each with itself would take its time."""

    def __init__(self, services: tuple[Service, ...]) -> None:
        self.services = services
        self._ids = tuple(map(id, services))

    def __hash__(self) -> int:
        return hash(self._ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Exposed) and self._ids == other._ids


@lru_cache(maxsize=4)  # each step of a change asks for the doors, and only one opens others
def _doors(exposed: _Exposed) -> tuple[Door, ...]:
    tenants = Tenants()
    open_: defaultdict[str, list[Door]] = defaultdict(list)
    for service in exposed.services:
        key = service.key
        if clash := tenants.clash(service):
            raise PlatformError(clash[0].cause, clash[0].way_out)
        tenants.add(service)
        for door in _doors_of(service):
            if door.preview and door.name in open_:
                raise WrongInputError(f"port {door.port} of {key} is already used by {key}", "give one another port")
            open_[door.name].append(door)
    shared = [_shared(parts) for parts in open_.values()]
    return tuple(sorted(shared, key=lambda door: (door.port, bool(door.clients), door.name)))


def newly_open(before: Iterable[Door], wanted: Iterable[Door]) -> list[Door]:
    """Those whose port is open with `wanted`, and was not `before`."""
    ports = {door.port for door in before}
    return [door for door in wanted if door.port not in ports]


def opened_by(service: Service) -> frozenset[str]:
    """The names of the doors that it is behind."""
    return frozenset(door.name for door in _doors_of(service))


def handed_over(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """What each service is asked for now, where one claims another's routes: those of both are the heir's from the
    moment in which somebody of it serves, and the other's again when nobody does.
    """
    found = dict(entries)
    for key, entry in entries.items():
        for old, since in entry.service.claims.items():
            if not entry.exposed or old not in found or entries[old].service.claims.get(key, -1.0) > since:
                continue
            giving, taking = (old, key) if entry.routing.serving() else (key, old)
            found[giving] = _without(found[giving], entries[taking].service.routes)
            if old == entry.service.follows:
                found[old] = _without_preview(found[old], entry.service.preview.port)
    return found


def _without_preview(entry: Entry, port: int | None) -> Entry:
    """Of two with the same port only the heir has something to show."""
    preview = entry.service.preview
    if preview.port is None or preview.port != port:
        return entry
    return _replaced(entry, preview=replace(preview, port=None))


def _replaced(entry: Entry, **changes: Any) -> Entry:
    return replace(entry, service=replace(entry.service, **changes))


def _without(entry: Entry, routes: Iterable[Rule]) -> Entry:
    taken = {(rule.host.lower(), rule.path) for rule in routes}
    left = tuple(rule for rule in entry.service.routes if (rule.host.lower(), rule.path) not in taken)
    return entry if left == entry.service.routes else _replaced(entry, routes=left)


def _doors_of(service: Service) -> list[Door]:
    listener, key = service.listener, service.key
    tls = listener.tls
    exceptions = tls.redirect_except if tls else ()
    front = Door(
        host=listener.host,
        port=0,
        services=(key,),
        access_log=listener.access_log,
        trusted=listener.trusted_proxies,
        proxy_protocol=listener.proxy_protocol,
        by_path=bool(exceptions) or any(rule.path not in _EVERY_PATH for rule in service.routes),
    )
    found = []
    if listener.http is not None:
        redirect = listener.https is not None and tls is not None and tls.redirect
        moved = _moved(listener, listener.https if redirect else listener.http, secure=redirect)
        found.append(replace(front, port=listener.http, redirect=frozenset({key} if redirect else ()), moved=moved))
    if listener.https is not None and tls is not None and tls.certificate:  # a pair without names is one of no use
        moved = _moved(listener, listener.https, secure=True)
        found.append(replace(front, port=listener.https, tls=(tls,), moved=moved))
    for inside in service.inside:
        clients = inside.clients  # what an app's own parts say of their clients is believed
        found.append(Door(host=inside.host, port=inside.port, services=(key,), clients=clients, trusted=clients))
    if service.preview.port is not None:
        found.append(Door(host=service.preview.host, port=service.preview.port, preview=key))
    return found


def _moved(listener: Listener, port: int | None, *, secure: bool) -> tuple[tuple[str, str], ...]:
    """`("www.example.com", "https://example.com:8443")`. Behind a proxy browsers know its ports and not ours."""
    usual = port == (_HTTPS if secure else _HTTP) or bool(listener.trusted_proxies)
    where = "" if usual else f":{port}"
    return tuple((host, f"{'https' if secure else 'http'}://{to}{where}") for host, to in listener.redirects)


def sent_on(door: Door, hosts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The hosts that are sent on at this door: none for which a service has a rule."""
    return tuple((host, to) for host, to in door.moved if host not in hosts)


def _shared(parts: list[Door]) -> Door:
    """One port for several, which do not clash."""
    if len(parts) == 1:
        return parts[0]
    return replace(
        parts[0],
        services=tuple(key for part in parts for key in part.services),
        tls=tuple(dict.fromkeys(tls for part in parts for tls in part.tls)),
        redirect=frozenset(key for part in parts for key in part.redirect),
        access_log=any(part.access_log for part in parts),
        by_path=any(part.by_path for part in parts),
        moved=tuple({host: to for part in reversed(parts) for host, to in part.moved}.items()),
    )


def seen_at(door: Door, service: Service) -> Service:
    """The service with the routes that it has at this door: inside, all that ask for its name, whatever the path.

    Where it is alone there, any name will do.
    """
    if not door.clients:
        return service
    return replace(service, routes=(Rule(host=service.name if len(door.services) > 1 else "*"),))


def by_host(services: Iterable[Service]) -> dict[str, list[tuple[str, Service]]]:
    """Host pattern -> its (path, service) pairs, in the order they are tried.

    A host's own rules come first, then those of the wildcards that cover it: with `api.example.com /v2/*` and `* /*`
    a request for api.example.com/other still finds the second. Rules that would never be reached are left out.
    """
    rules = [(rule, service) for service in services for rule in service.routes]
    hosts = {"*"} | {rule.host.lower() for rule, _ in rules}
    found: dict[str, list[tuple[str, Service]]] = {}
    for host in sorted(hosts, key=_host_order):
        mine = [(rule, service) for rule, service in rules if _covers(rule.host.lower(), host)]
        mine.sort(key=lambda pair: (_host_order(pair[0].host.lower()), _path_order(pair[0])))
        found[host] = []
        answered: set[str] = set()
        for rule, service in mine:
            if not answered & _answering_all_of(rule.path):
                answered.add(rule.path)
                found[host].append((rule.path, service))
    return found


def answered_on_http(service: Service, path: str) -> tuple[str, ...]:
    """Paths of the rule `path` that are not sent on to HTTPS."""
    tls = service.listener.tls
    return tuple(other for other in (tls.redirect_except if tls else ()) if path in _answering_all_of(other))


def _covers(pattern: str, host: str) -> bool:
    """Does every name that `host` stands for match `pattern`?"""
    return pattern in {"*", host} or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _answering_all_of(path: str) -> set[str]:
    """The paths that answer every request for this one: for `/api/x` itself, `/api/x/*`, `/api/x*` ... `/*` and `*`."""
    stem = path.removesuffix("*")
    answering = {f"{stem[:end]}*" for end in range(len(stem) + 1)}
    return answering if path.endswith("*") else answering | {path, f"{path}/*"}


def _host_order(host: str) -> tuple[bool, bool, int, str]:
    """Exact names, then wildcards from the longest, then `*`."""
    return (host == "*", host.startswith("*."), -len(host), host)


def _path_order(rule: Rule) -> tuple[bool, int, str]:
    """Exact paths, then prefixes from the longest."""
    return (rule.path.endswith("*"), -len(rule.path), rule.path)
