"""Two services that cannot share the ports of one machine: which port or route both ask for, and the way out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crossfade.core.service import Service

_APART = "give one of them another port"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteClash:
    """What both ask for, as a sentence, and how to part them."""

    cause: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Port:
    host: str
    preview: bool = False
    https: bool = False


_Opened = tuple[_Port, tuple[frozenset[str], bool]]


class Tenants:
    """Services that share the ports of one machine. Of hundreds only those are compared that meet at something."""

    def __init__(self, services: Iterable[Service] = ()) -> None:
        self._known: dict[str, Service] = {}
        self._meet: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)  # keys by what they ask for
        self._kinds: defaultdict[int, set[_Opened]] = defaultdict(set)  # how each port is opened
        for service in services:
            self.add(service)

    def add(self, service: Service) -> None:
        self._known[service.key] = service
        for number, opened in _opened(service).items():
            self._kinds[number].add(opened)
            self._meet[number, opened].add(service.key)
            for rule in service.routes:
                self._meet[number, rule.host.lower(), rule.path].add(service.key)

    def clash(self, new: Service) -> tuple[RouteClash, Service] | None:
        """Why one more cannot be reached beside the first that is in its way, and that one."""
        near = {key for meeting in self._meetings(new) for key in self._meet.get(meeting, ())}
        for key in sorted(near - {new.key}):
            if found := clash(new, self._known[key]):
                return found, self._known[key]
        return None

    def _meetings(self, new: Service) -> Iterator[tuple[object, ...]]:
        for number, opened in _opened(new).items():
            for other in self._kinds.get(number, ()):
                if other != opened or opened[0].preview:
                    yield number, other
            for rule in new.routes:
                yield number, rule.host.lower(), rule.path


def clash(new: Service, held: Service) -> RouteClash | None:
    """Why `new` cannot be reached beside `held`, which was there before; None when both can.

    What `new` claims of `held` is no clash: the balancer gives it to whoever serves it.
    """
    theirs = _ports(held)
    for number, port in sorted(_ports(new).items()):
        other = theirs.get(number)
        found = _on_port(number, new, port, held, other) if other else None
        if found:
            return found
    return None


def _opened(service: Service) -> dict[int, _Opened]:
    return {number: (port, _trust(service)) for number, port in _ports(service).items()}


def _ports(service: Service) -> dict[int, _Port]:
    listener, preview = service.listener, service.preview
    found = {}
    if listener.http is not None:
        found[listener.http] = _Port(host=listener.host)
    if listener.https is not None and listener.tls is not None:
        found[listener.https] = _Port(host=listener.host, https=True)
    if preview.port is not None:
        found[preview.port] = _Port(host=preview.host, preview=True)
    return found


def _on_port(number: int, new: Service, mine: _Port, held: Service, theirs: _Port) -> RouteClash | None:
    if mine.preview or theirs.preview:
        if mine.preview and theirs.preview and held.key in new.claims:
            return None
        return RouteClash(cause=f"port {number} of {new.key} is already used by {held.key}", way_out=_APART)
    if mine.https != theirs.https:
        return RouteClash(
            cause=f"port {number} cannot be https for one and http for the other: {new.key}, {held.key}",
            way_out=_APART,
        )
    if mine.host != theirs.host:
        return RouteClash(
            cause=f"port {number} is opened at {theirs.host} by {held.key} and at {mine.host} by {new.key}",
            way_out=f"{_APART}, or the same host",
        )
    if _trust(new) != _trust(held):
        return RouteClash(
            cause=f"port {number} trusts other proxies for {held.key} than for {new.key}",
            way_out=f"{_APART}, or the same listen.trusted_proxies and listen.proxy_protocol",
        )
    return None if held.key in new.claims else _on_route(number, new, held)


def _on_route(number: int, new: Service, held: Service) -> RouteClash | None:
    taken = {(rule.host.lower(), rule.path) for rule in held.routes}
    for rule in new.routes:
        if (rule.host.lower(), rule.path) in taken:
            return RouteClash(
                cause=f"{new.key} and {held.key} both ask for host {rule.host} path {rule.path} on port {number}",
                way_out="narrow the routes of one, or give it another port",
            )
    return None


def _trust(service: Service) -> tuple[frozenset[str], bool]:
    return frozenset(service.listener.trusted_proxies), service.listener.proxy_protocol
