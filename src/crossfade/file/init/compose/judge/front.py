"""The service in front: which one gets the requests that no other one asks for."""

from collections.abc import Iterable, Mapping

from crossfade.file.init.compose.judge.features import waits_for
from crossfade.file.init.compose.judge.roles import Roles
from crossfade.file.init.compose.judge.signs import FRONTS, words
from crossfade.file.init.compose.source.ports import Port

_FRONT_PORTS = {80: 4, 443: 4, 8080: 2, 3000: 2, 8000: 1, 5000: 1}


def front(roles: Roles, published: Mapping[str, Port | None], routed: Iterable[str]) -> tuple[str, str]:
    """The name of the service in front, and why.

    `published` has every candidate and where visitors came in to it, `routed` are those to which a proxy sent `/`.
    """
    if proxied := next((name for name in published if name in set(routed)), None):
        return proxied, "the proxy sent it what nobody else got"
    best, said, most = "", [""], -1
    for name, port in published.items():
        points, why = _points(roles, name, port)
        if points > most:
            best, said, most = name, why, points
    return best, ", ".join(said) or "it is the first of the file"


def _points(roles: Roles, name: str, port: Port | None) -> tuple[int, list[str]]:
    points, why = 0, []
    if port is not None and port.published and not port.local:
        points += 1 + _FRONT_PORTS.get(port.published, 0)
        why.append(f"it publishes {port.published}")
    elif port is not None and port.published:
        points += 1
    if set(words(name)) & FRONTS:
        points += 3
        why.append(f"it is called {name}")
    if not [other for other in roles.dependants.get(name, []) if other in roles.services]:
        points += 2
        why.append("no other service waits for it")
    if any(other in roles.services for other in waits_for(roles.services[name])):
        points += 1
    return points, why
