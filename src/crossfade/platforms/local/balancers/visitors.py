"""Visitors who stay with their release: the cookie that names it, and the releases that it may name.

The value is the release's number and no secret: it leads to none but those that have visitors.
"""

import hashlib

from crossfade.core.service import Service
from crossfade.platforms.local.balancers.book import Entry


def cookie(service: Service) -> str:
    """Its name, of the service's own: two may answer one visitor. `crossfade-release-` and ten digits, however long the
    service's is: Envoy looks for no long ones.
    """
    return f"crossfade-release-{hashlib.sha256(service.key.encode()).hexdigest()[:10]}"


def attributes(service: Service) -> str:
    """What follows the value, but whether it is for HTTPS alone."""
    return f"; Path=/; Max-Age={round(service.sticky.ttl if service.sticky else 0)}; HttpOnly"


def stayed_with(entry: Entry) -> tuple[int, ...]:
    """The releases that a visitor may stay with: each that has visitors and somebody to answer them."""
    if not entry.service.pins or not entry.routing.weights:
        return ()
    visited = entry.routing.visited()
    return tuple(group.release for group in entry.routing.groups if group.registered and group.release in visited)
