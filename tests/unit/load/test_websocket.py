import asyncio
import base64
import hashlib
import struct

import pytest
from tests.unit.load import wire
from tests.unit.load.conftest import Handler, Serve, leap

from crossfade.load import Cause, LoadGenerator, Mode
from crossfade.load.websocket import GUID, Opcode, frame


async def handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proof: str | None = None) -> None:
    head, _ = await wire.request(reader)
    key = next(line for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key")).split()[1]
    proof = proof or base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    writer.write(f"HTTP/1.1 101 Go\r\nX-Release: 1\r\nSec-WebSocket-Accept: {proof}\r\n\r\n".encode())


async def receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next frame of a client, which has to be masked."""
    first, second = await reader.readexactly(2)
    assert second & 0x80
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
    mask = await reader.readexactly(4)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(size)))


def plain(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """A frame as a server sends it."""
    size = bytes([len(payload)]) if len(payload) < 126 else struct.pack("!BH", 126, len(payload))
    return bytes([(0x80 if last else 0) | opcode]) + size + payload


def closing(code: int) -> bytes:
    return plain(Opcode.CLOSE, struct.pack("!H", code))


def echoing(after: int, then: bytes | None, *, padding: bytes = b"") -> Handler:
    """Echoes so many messages, then answers the next one with these bytes and closes, or resets when there are none.

    From the second connection on it echoes for ever.
    """
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        left = after if connections == 1 else 1_000_000
        await handshake(reader, writer)
        while True:
            opcode, message = await receive(reader)
            if opcode == Opcode.CLOSE:
                return
            if left == 0:
                break
            left -= 1
            writer.write(plain(Opcode.TEXT, b"1 " + message + padding))
        if then is None:
            wire.reset(writer)
        else:
            writer.write(then)

    return handler


async def test_messages_come_back(serve: Serve) -> None:
    """A handshake and every round trip count once each, with the release that accepted the connection."""
    report = await LoadGenerator(await serve(echoing(100, b"")), clients=1, mode="websocket", requests=11).run()
    assert (report.requests, report.failed, report.connections, report.told_to_close) == (11, 0, 1, 0)
    assert report.modes[Mode.WEBSOCKET].requests == report.releases["1"].requests == 11
    assert report.statuses == {101: 1}


async def test_long_messages_come_back(serve: Serve) -> None:
    """Messages beyond the short form of a frame are read, too."""
    handler = echoing(100, b"", padding=b"x" * 1000)
    report = await LoadGenerator(await serve(handler), clients=1, mode="websocket", requests=5).run()
    assert report.failed == 0


@pytest.mark.parametrize("code", [1000, 1001, 1012])
async def test_a_connection_that_is_told_to_close_loses_nothing(serve: Serve, code: int) -> None:
    """After a close frame the message under way is sent again on a new connection, and is not lost."""
    report = await LoadGenerator(await serve(echoing(3, closing(code))), clients=1, mode="websocket", requests=10).run()
    assert (report.requests, report.failed) == (10, 0)
    assert (report.told_to_close, report.resent, report.connections) == (1, 1, 2)


@pytest.mark.parametrize(
    ("then", "cause"),
    [
        (b"", Cause.CUT),
        (None, Cause.CUT),
        (closing(1011), Cause.CUT),
        (plain(Opcode.TEXT, b"what?"), Cause.MISMATCH),
        (b"HTTP/1.1 200 OK\r\n\r\n", Cause.MALFORMED),
        (frame(Opcode.TEXT, b"masked"), Cause.MALFORMED),
    ],
    ids=["end", "reset", "error code", "wrong echo", "no frame", "masked frame"],
)
async def test_a_connection_that_breaks_off_is_a_loss(serve: Serve, then: bytes | None, cause: Cause) -> None:
    """An end without a close frame, an error's close code, a wrong echo or a broken frame lose the message."""
    report = await LoadGenerator(await serve(echoing(3, then)), clients=1, mode="websocket", requests=10).run()
    assert (report.requests, report.causes, report.told_to_close, report.connections) == (10, {cause: 1}, 0, 2)


async def test_silence_is_a_loss(serve: Serve) -> None:
    """An echo that does not come in time is lost."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handshake(reader, writer)
        await reader.read(1)
        leap(5.0)
        await reader.read()

    report = await LoadGenerator(await serve(silent), clients=1, mode="websocket", requests=2, timeout=5.0).run()
    assert report.causes == {Cause.TIMEOUT: 1}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (wire.answer(status=503), Cause.STATUS),
        (wire.answer(status=404), Cause.MISMATCH),
        (b"", Cause.CLOSED),
        (b"hello\r\n\r\n", Cause.MALFORMED),
        (b"HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: made-up\r\n\r\n", Cause.MISMATCH),
    ],
)
async def test_a_handshake_without_an_upgrade_is_a_loss(serve: Serve, answer: bytes, cause: Cause) -> None:
    """Who does not open a WebSocket loses the request for one."""

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.request(reader)
        writer.write(answer)

    report = await LoadGenerator(await serve(refuses), clients=1, mode="websocket", requests=2).run()
    assert report.causes == {cause: 2}


async def test_pings_and_pieces_are_understood(serve: Serve) -> None:
    """A ping is answered with its payload, and a message in pieces, with a ping between them, is put together."""
    pongs: list[tuple[int, bytes]] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handshake(reader, writer)
        _, message = await receive(reader)
        writer.write(plain(Opcode.TEXT, message[:3], last=False) + plain(Opcode.PING, b"there?"))
        pongs.append(await receive(reader))
        writer.write(plain(Opcode.CONTINUATION, message[3:]))
        await reader.read()

    report = await LoadGenerator(await serve(handler), clients=1, mode="websocket", requests=2).run()
    assert (report.failed, pongs) == (0, [(Opcode.PONG, b"there?")])
