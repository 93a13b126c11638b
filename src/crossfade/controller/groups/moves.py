"""Routes that go from one service to another in one deploy: who claims them of whom, and in which order all go out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from crossfade.core.errors import RefusedError
from crossfade.core.group import Member
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.loop import Loop
from crossfade.engine.ports.balancer import Exposed

_AT_ONCE = frozenset({"blue-green", "recreate"})
_APART = "move the route in a deploy of its own"


def claimed(services: Sequence[Service], known: Mapping[str, Exposed], now: float) -> list[Service]:
    """The services, each with whom it takes routes from: others of this deploy that have them now and let them go.

    RefusedError where a route would have an owner that does not know it: in a swap, in a switch bit by bit, or when
    `depends_on` asks for the opposite order.
    """
    free = _let_go(services, known)
    found = [
        replace(
            service,
            takes=(
                *((other, now) for other in free if _takes(service, known[other].service, free[other])),
                *((other, now) for other in [service.follows] if _claims_back(service, known)),
            ),
        )
        for service in services
    ]
    for service in found:
        _require_at_once(service, known)
    try:
        TopologicalSorter(_before(found)).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise RefusedError(f"routes that move and depends_on ask for opposite orders: {circle}", _APART) from error
    return found


def members(changed: Sequence[tuple[Loop, Release]]) -> list[Member]:
    """Each after those of its `depends_on` that change too, and after who takes a route from it."""
    before = _before([release.service for _, release in changed])
    return [
        Member(
            service=loop.key,
            source=loop.ledger.current,
            target=release.number,
            after=tuple(sorted(before[loop.key])),
        )
        for loop, release in changed
    ]


def _before(services: Sequence[Service]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {service.key: set() for service in services}
    for service in services:
        found[service.key] |= {f"{service.home}/{name}" for name in service.depends_on} & found.keys()
        for giving in service.claims.keys() & found.keys():
            found[giving].add(service.key)
    return found


def _require_at_once(service: Service, known: Mapping[str, Exposed]) -> None:
    if service.takes and service.key in known and service.strategy.name not in _AT_ONCE:
        raise RefusedError(
            f"{service.key} takes a route of {service.takes[0][0]} over, and with {service.strategy.name} its old "
            "release would be asked for it, too",
            "deploy it with --strategy blue-green",
        )


def _let_go(services: Sequence[Service], known: Mapping[str, Exposed]) -> dict[str, set[tuple[str, str]]]:
    """What those that let something go have now and then no more: of hundreds of services mostly none does."""
    free = {
        service.key: _routes(known[service.key].service) - _routes(service)
        for service in services
        if service.key in known
    }
    return {key: routes for key, routes in free.items() if routes}


def _takes(taker: Service, now: Service, free: set[tuple[str, str]]) -> bool:
    """Does it want, on one of the same ports, what the other lets go?"""
    ports = {now.listener.http, now.listener.https} & {taker.listener.http, taker.listener.https} - {None}
    return taker.key != now.key and bool(ports and free & _routes(taker))


def _claims_back(service: Service, known: Mapping[str, Exposed]) -> bool:
    """Does it take the place of one that took its own, in a rollback across the name? Then the later word is ours."""
    return service.follows in known and service.key in known[service.follows].service.claims


def _routes(service: Service) -> set[tuple[str, str]]:
    return {(rule.host.lower(), rule.path) for rule in service.routes}
