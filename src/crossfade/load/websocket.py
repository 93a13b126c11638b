"""A client of WebSockets (RFC 6455): numbered messages that must come back."""

import asyncio
import base64
import hashlib
import os
import struct
from enum import IntEnum

from crossfade.load.client import Answer, Client
from crossfade.load.connection import not_connected
from crossfade.load.report import Cause, Mode
from crossfade.load.response import SWITCHING_PROTOCOLS, MalformedError, parse_head
from crossfade.load.tally import Lost, Tally
from crossfade.load.target import LoadTarget

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# Normal closure, going away, service restart, try again later: the server says it, and we come back.
TOLD_TO_CLOSE = {1000, 1001, 1012, 1013}
LONGEST_MESSAGE = 2**20


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Closed(Exception):  # noqa: N818 - what happened, not an error
    """The server sent a close frame, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with code {code}")
        self.code = code


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """One complete frame as a client sends it: masked."""
    mask = os.urandom(4)
    size = len(payload)
    if size < 126:  # noqa: PLR2004 - the format's own limits: 7 bits, then 16, then 64
        length = struct.pack("!B", 0x80 | size)
    elif size < 2**16:
        length = struct.pack("!BH", 0x80 | 126, size)
    else:
        length = struct.pack("!BQ", 0x80 | 127, size)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + length + mask + masked


async def read_frame(reader: asyncio.StreamReader) -> tuple[bool, Opcode, bytes]:
    """If it is the last of its message, what it is, and its payload.

    Raises:
        MalformedError: a masked, reserved or oversized frame.
        asyncio.IncompleteReadError: the connection ended.
    """
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:  # noqa: PLR2004 - 16 bits of length follow
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    elif size == 127:  # noqa: PLR2004 - 64 bits of length follow
        (size,) = struct.unpack("!Q", await reader.readexactly(8))
    if second & 0x80 or first & 0x70 or size > LONGEST_MESSAGE or first & 0x0F not in set(Opcode):
        raise MalformedError(f"not a frame that a server may send: {bytes([first, second])!r}")
    return bool(first & 0x80), Opcode(first & 0x0F), await reader.readexactly(size)


class WebSocket:
    """An open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, text: str) -> None:
        self._writer.write(frame(Opcode.TEXT, text.encode()))

    async def receive(self) -> bytes:
        """The next message; pings are answered on the way. Raises Closed, and what `read_frame` raises."""
        message = b""
        while True:
            last, opcode, payload = await read_frame(self._reader)
            if opcode is Opcode.PING:
                self._writer.write(frame(Opcode.PONG, payload))
            elif opcode is Opcode.CLOSE:
                self._writer.write(frame(Opcode.CLOSE, payload[:2]))
                raise Closed(int.from_bytes(payload[:2]) if payload else 1000)
            elif opcode is not Opcode.PONG:
                message += payload
                if last:
                    return message

    def close(self) -> None:
        if not self._writer.is_closing():
            self._writer.write(frame(Opcode.CLOSE, struct.pack("!H", 1000)))
        self._writer.close()


class WebSocketClient(Client):
    """Sends numbered messages, and wants each back within the answer before it sends the next.

    When the server says close while a message is under way, nobody can know if it arrived: it is sent again on the
    next connection, as any application has to do, and counted as resent.
    """

    mode = Mode.WEBSOCKET

    def __init__(self, target: LoadTarget, tally: Tally, number: int = 0) -> None:
        super().__init__(target, tally, number)
        self._path = target.paths[number % len(target.paths)]
        self._socket: WebSocket | None = None
        self._release: str | None = None
        self._sequence = 0

    async def exchange(self) -> Answer:
        try:
            async with asyncio.timeout(self.target.timeout):
                return await (self._round_trip() if self._socket else self._handshake())
        except TimeoutError:
            raise self._lost(Cause.TIMEOUT, "waiting for the echo") from None
        except MalformedError as error:
            raise self._lost(Cause.MALFORMED, str(error)) from None
        except (asyncio.IncompleteReadError, OSError) as error:
            opened = self._socket is not None
            cause = Cause.CUT if opened else Cause.RESET if isinstance(error, OSError) else Cause.CLOSED
            raise self._lost(cause, "ended without a close frame" if opened else "in the handshake") from None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _round_trip(self) -> Answer:
        self._sequence += 1
        text = f"client {self.number} message {self._sequence};"
        resend = False
        while True:
            if self._socket is None:
                await self._handshake()
            assert self._socket is not None  # noqa: S101 - the handshake returned
            self.tally.resent += resend
            self._socket.send(text)
            try:
                message = await self._socket.receive()
            except Closed as closed:
                if closed.code not in TOLD_TO_CLOSE:
                    raise self._lost(Cause.CUT, str(closed)) from None
                self.tally.told_to_close += 1
                self.close()
                resend = True
                continue
            if text.encode() not in message:
                raise self._lost(Cause.MISMATCH, f"sent {text!r}, received {message[:80]!r}")
            return Answer(self.target.release_in(message) or self._release)

    async def _handshake(self) -> Answer:
        endpoint = self.target.endpoint
        name = endpoint.server_name if endpoint.tls else None
        try:
            reader, writer = await asyncio.open_connection(
                endpoint.host, endpoint.port, ssl=endpoint.tls, server_hostname=name
            )
        except OSError as error:
            raise not_connected(error) from None
        self.tally.connections += 1
        try:
            answer = await self._upgrade(reader, writer)
        except BaseException:
            writer.close()
            raise
        self._socket = WebSocket(reader, writer)
        self._release = answer.release
        return answer

    async def _upgrade(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        key = base64.b64encode(os.urandom(16))
        extra = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
        }
        writer.write(self.target.head("GET", self._path, extra))
        try:
            response = parse_head((await reader.readuntil(b"\r\n\r\n"))[:-2])
        except asyncio.LimitOverrunError:
            raise MalformedError("a response without an end") from None
        answer = self.judge(response, self._path)
        proof = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324 - RFC 6455 says so
        if response.status != SWITCHING_PROTOCOLS or response.header("sec-websocket-accept") != proof:
            raise Lost(Cause.MISMATCH, f"{self._path} did not open a WebSocket", status=response.status)
        return answer

    def _lost(self, cause: Cause, detail: str) -> Lost:
        return Lost(cause, detail, release=self._release)
