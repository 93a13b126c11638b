"""Guests: whoever comes over TCP. Each connection is a file of the controller's, without which it can do nothing."""

import asyncio
from weakref import WeakSet

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

MOST = 100  # connections at once of whoever is not known
STAY = 10.0  # seconds that such a connection may last, whatever comes on it

_known = WeakSet[asyncio.BaseTransport]()  # connections whose requests brought what lets in


def know(request: web.Request) -> None:
    """Whoever asked may stay as long as they like."""
    if request.transport is not None:
        _known.add(request.transport)


class GuestSite(web.BaseSite):
    """A TCP port that strangers may reach: silent ones and half requests leave again, and too many do not come in.

    aiohttp itself keeps a connection on which no whole request ever came.
    """

    def __init__(self, runner: web.BaseRunner, host: str, port: int, *, most: int = MOST, stay: float = STAY) -> None:
        super().__init__(runner)
        self._host, self._port = host, port
        self._most, self._stay = most, stay
        self._guests = set[RequestHandler]()  # of the last seconds, some of them gone

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(self._receive, self._host, self._port)

    def _receive(self) -> asyncio.Protocol:
        if len(self._guests) >= self._most:
            self._guests = {guest for guest in self._guests if _is_strange(guest)}
        if len(self._guests) >= self._most or self._runner.server is None:
            return _TurnedAway()
        guest = self._runner.server()
        self._guests.add(guest)
        asyncio.get_running_loop().call_later(self._stay, self._see_out, guest)
        return guest

    def _see_out(self, guest: RequestHandler) -> None:
        self._guests.discard(guest)
        if _is_strange(guest):
            guest.force_close()


def _is_strange(guest: RequestHandler) -> bool:
    """It is still there, and brought nothing that lets in."""
    return guest.transport is not None and guest.transport not in _known


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
