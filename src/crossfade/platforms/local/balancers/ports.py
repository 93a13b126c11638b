"""The ports that a balancer is about to open."""

from collections.abc import Iterable

from crossfade.platforms.local.balancers import sockets
from crossfade.platforms.local.balancers.rules import Door


def require_free(live: Iterable[Door], wanted: Iterable[Door]) -> None:
    """PlatformError when a port that is open with `wanted`, and not with `live`, is somebody else's: it names them."""
    open_ = {door.port for door in live}
    for door in wanted:
        if door.port not in open_:
            sockets.require_free(door.host, door.port)
