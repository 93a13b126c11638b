"""One HTTP/1.1 connection that carries one request at a time."""

import asyncio
import errno
import socket
import ssl
from dataclasses import dataclass

from crossfade.load.report import Cause
from crossfade.load.response import MalformedError, OnHead, Response, ResponseReader
from crossfade.load.tally import Lost

# What the kernel says when this machine has run out, rather than the service being away.
OURS = {errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect: an IP address, and for HTTPS the name on the certificate."""

    family: socket.AddressFamily
    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str | None = None


class Connection(asyncio.Protocol):
    def __init__(self, sock: socket.socket, *, encrypted: bool) -> None:
        self.reusable = False
        self.stray = False  # bytes came that belong to no request
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._socket = sock
        self._encrypted = encrypted
        self._reader: ResponseReader | None = None
        self._answer: asyncio.Future[Response] | None = None

    @classmethod
    async def open(cls, endpoint: Endpoint, timeout: float) -> "Connection":  # noqa: ASYNC109 - a loss of its own kind
        """Raises Lost (refused, timeout, unsent)."""
        loop = asyncio.get_running_loop()
        try:
            sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
        except OSError as error:
            raise not_connected(error) from None
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        try:
            async with asyncio.timeout(timeout):
                await loop.sock_connect(sock, (endpoint.host, endpoint.port))
                name = endpoint.server_name if endpoint.tls else None
                _, connection = await loop.create_connection(
                    lambda: cls(sock, encrypted=endpoint.tls is not None),
                    sock=sock,
                    ssl=endpoint.tls,
                    server_hostname=name,
                )
        except TimeoutError:
            sock.close()
            raise Lost(Cause.TIMEOUT, "connecting") from None
        except OSError as error:
            sock.close()
            raise not_connected(error) from None
        except asyncio.CancelledError:
            sock.close()
            raise
        return connection

    async def exchange(self, request: bytes, timeout: float | None, on_head: OnHead | None = None) -> Response:  # noqa: ASYNC109 - a loss of its own kind
        """Sends the request and returns the complete response. Afterwards `reusable` says if another may follow.

        Raises:
            Lost: reset, closed, truncated, malformed, or not complete within `timeout` seconds.
        """
        assert self._transport is not None  # noqa: S101 - open() returns connected ones only
        self.reusable = False
        self._reader = ResponseReader(on_head)
        self._answer = self._loop.create_future()
        timer = self._loop.call_later(timeout, self._expire) if timeout is not None else None
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            if timer:
                timer.cancel()
            self._reader = None

    def ended(self) -> bool:
        """True when the server has closed the idle connection. The kernel knows before the event loop does; asking it
        right before a request is sent leaves no doubt whether the close or the request came first.
        """
        if not self.reusable:
            return True
        try:
            # Readable and idle: an orderly end, or over plain TCP bytes that belong to no request.
            waiting = self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        if waiting and self._encrypted:
            return False
        self.stray = bool(waiting)
        return True

    def close(self) -> None:
        self.reusable = False
        if self._transport is None:
            return
        if self._reader or self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection makes no other
        self._transport = transport
        self.reusable = True

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            self.reusable = False
            self.stray = True
            return
        try:
            reader.feed(data)
        except MalformedError as error:
            self._lose(Lost(Cause.MALFORMED, str(error)))
            return
        if reader.done:
            self._complete(reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        reader = self._reader
        if reader is None:
            return
        how = "reset" if exc else "closed"
        if exc is None and reader.end():
            self._complete(reader)
        elif reader.began:
            self._lose(Lost(Cause.TRUNCATED, f"{how} before the response was complete"))
        else:
            self._lose(Lost(Cause.RESET if exc else Cause.CLOSED, f"{how} after the request was sent"))

    def _complete(self, reader: ResponseReader) -> None:
        self._reader = None
        # Answered before the whole body was sent, as with 413: the rest of it would be read as the next request.
        sent = self._transport is not None and not self._transport.get_write_buffer_size()
        self.reusable = reader.keep_alive and not reader.rest and sent
        self.stray = bool(reader.rest)
        if self._answer is not None and not self._answer.done() and reader.response is not None:
            self._answer.set_result(reader.response)

    def _expire(self) -> None:
        # The answer may have come in the same turn of the event loop: then there is nothing to lose any more.
        if self._reader is not None:
            began = self._reader.began
            self._lose(Lost(Cause.TIMEOUT, "in the middle of the response" if began else "waiting for the response"))

    def _lose(self, loss: Lost) -> None:
        self._reader = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(loss)
        if self._transport is not None:
            self._transport.abort()


def not_connected(error: OSError) -> Lost:
    """The loss of a request for which no connection could be made."""
    return Lost(Cause.UNSENT if error.errno in OURS else Cause.REFUSED, f"connecting: {error.strerror or error}")
