"""Two services that cannot share the ports of one machine: which port or route both ask for, and the way out."""

from dataclasses import dataclass

from crossfade.core.service import Service

_APART = "give one of them another port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """What both ask for, as a sentence, and how to part them."""

    cause: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Port:
    host: str
    preview: bool = False
    https: bool = False


def clash(new: Service, held: Service) -> Clash | None:
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


def _on_port(number: int, new: Service, mine: _Port, held: Service, theirs: _Port) -> Clash | None:
    if mine.preview or theirs.preview:
        if mine.preview and theirs.preview and held.key in new.claims:
            return None
        return Clash(cause=f"port {number} of {new.key} is already used by {held.key}", way_out=_APART)
    if mine.https != theirs.https:
        return Clash(
            cause=f"port {number} cannot be https for one and http for the other: {new.key}, {held.key}",
            way_out=_APART,
        )
    if mine.host != theirs.host:
        return Clash(
            cause=f"port {number} is opened at {theirs.host} by {held.key} and at {mine.host} by {new.key}",
            way_out=f"{_APART}, or the same host",
        )
    if _trust(new) != _trust(held):
        return Clash(
            cause=f"port {number} trusts other proxies for {held.key} than for {new.key}",
            way_out=f"{_APART}, or the same listen.trusted_proxies and listen.proxy_protocol",
        )
    return None if held.key in new.claims else _on_route(number, new, held)


def _on_route(number: int, new: Service, held: Service) -> Clash | None:
    taken = {(rule.host.lower(), rule.path) for rule in held.routes}
    for rule in new.routes:
        if (rule.host.lower(), rule.path) in taken:
            return Clash(
                cause=f"{new.key} and {held.key} both ask for host {rule.host} path {rule.path} on port {number}",
                way_out="narrow the routes of one, or give it another port",
            )
    return None


def _trust(service: Service) -> tuple[frozenset[str], bool]:
    return frozenset(service.listener.trusted_proxies), service.listener.proxy_protocol
