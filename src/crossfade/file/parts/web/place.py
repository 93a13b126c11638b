"""The place where an instance listens: a port or a socket, and a command that says the same."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossfade.file.part import Clash

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service

_PORT = re.compile(r"\$(PORT\b|\{PORT\b)")
_SOCKET = re.compile(r"\$\{?CROSSFADE_SOCKET\b")


def wrong_place(service: "Service") -> Iterator[Clash]:
    """A variable in the command that its instances are not given, and a socket where there can be none."""
    command = str(service.command or "")
    if service.listen_on == "port":
        if _SOCKET.search(command):
            found = "$CROSSFADE_SOCKET, which an instance that listens on a port is not given"
            yield Clash(("command",), found, "listen_on: socket beside it, or $PORT")
    elif service.image is not None:
        yield Clash(("listen_on",), "a socket of a container", "port beside an image, socket beside a source")
    elif _PORT.search(command):
        found = "$PORT, which an instance that listens on a socket is not given"
        yield Clash(("command",), found, "$CROSSFADE_SOCKET, or listen_on: port")
