"""The ports that a balancer is about to open."""

from collections.abc import Mapping

from crossfade.platforms.local.balancers import sockets
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.rules import doors


def require_free(live: Mapping[str, Entry], wanted: Mapping[str, Entry]) -> None:
    """PlatformError when a port that is open with `wanted`, and not with `live`, is somebody else's: it names them."""
    open_ = {door.port for door in doors(live)}
    for door in doors(wanted):
        if door.port not in open_:
            sockets.require_free(door.host, door.port)
