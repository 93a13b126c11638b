"""Floods of HTTP/2, which cost who sends them next to nothing: others are answered, and the memory is not filled."""

import asyncio
import resource
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, StreamEnded
from hpack import Encoder
from tests.contract.balancer_kits import Kit, kit, routing, service
from tests.support.backend import Backend
from tests.support.certificate import certificate
from tests.support.ports import free_port

from crossfade.core.service import Listener, Service
from crossfade.platforms.local.balancers.known import working_in

pytestmark = pytest.mark.long

MANY = 3000  # frames
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS, NOTHING = 1, 4, 0
CANCEL = struct.pack(">I", 8)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FIELDS = 8 * (b"\x00\x03x-a\x7e" + 126 * b"a")  # of a head: 1 KB, which no table shortens
GROWTH = 64 << 20  # bytes that a flood may take


def frame(kind: int, flags: int = NOTHING, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def head(method: str = "GET") -> bytes:
    """Without a table, so that it is the same each time."""
    fields = ((":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", "/"))
    encoder = Encoder()
    encoder.header_table_size = 0
    return encoder.encode(fields)


def begun(flags: int, method: str = "POST") -> bytes:
    """A request that goes on."""
    return frame(HEADERS, flags, 1, head(method))


def rapid_reset() -> bytes:
    """CVE-2023-44487: each request is given up at once, so that the limit of streams is never met."""
    ids = range(1, 2 * MANY, 2)
    asked = head("GET")
    return b"".join(frame(HEADERS, END_STREAM | END_HEADERS, n, asked) + frame(RESET, 0, n, CANCEL) for n in ids)


FLOODS = {
    "rapid reset": rapid_reset,
    # CVE-2024-27316 and its kind: a head that never ends.
    "continuation": lambda: begun(NOTHING) + MANY * frame(CONTINUATION, 0, 1, FIELDS),
    "empty continuation": lambda: begun(NOTHING) + MANY * frame(CONTINUATION, 0, 1),
    # CVE-2019-9512 and -9515: each wants an answer, which nobody reads.
    "ping": lambda: MANY * frame(PING, 0, 0, bytes(8)),
    "settings": lambda: MANY * frame(SETTINGS),
    # CVE-2019-9518 and -9513.
    "empty data": lambda: begun(END_HEADERS) + MANY * frame(DATA, 0, 1),
    "priority": lambda: begun(END_HEADERS) + MANY * frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 7)),
    "window update": lambda: begun(END_HEADERS) + MANY * frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)),
}


@pytest.fixture(params=["envoy", "haproxy", "nginx"])
async def made(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    async with kit(request.param, tmp_path / "balancer") as one:
        yield one


async def test_a_flood_keeps_nobody_out_and_takes_no_memory(made: Kit, tmp_path: Path) -> None:
    """One client sends thousands of frames of each kind and reads nothing; another one asks meanwhile and after it."""
    listener = Listener(host="127.0.0.1", http=free_port(), https=free_port(), tls=certificate(tmp_path, "localhost"))
    web = service(listener=listener)
    async with Backend("a") as app:
        await made.balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
        assert await asked(web) == "a"
        for name, flood in FLOODS.items():
            before = held(made.directory)
            _, writer = await connected(web)
            sending = asyncio.create_task(sent(writer, flood()))
            assert await asked(web) == "a", name
            await sending
            assert await asked(web) == "a", name
            grown = held(made.directory) - before
            writer.transport.abort()
            assert grown < GROWTH, name


def trusting() -> ssl.SSLContext:
    """Whoever answers is the right one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def connected(web: Service) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of HTTP/2 on which nothing was asked yet."""
    context = trusting()
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.https, ssl=context)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    writer.write(PREFACE + frame(SETTINGS))
    return reader, writer


async def sent(writer: asyncio.StreamWriter, flood: bytes) -> None:
    """All of it, or as much as is taken within a second. Nothing of what is answered is read."""
    writer.transport.pause_reading()
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(1):
            writer.write(flood)
            await writer.drain()


async def asked(web: Service) -> str:
    """What another client is answered."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.https, ssl=trusting())
        writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    return answer.partition(b"\r\n\r\n")[2].decode()


def held(directory: Path) -> int:
    """Bytes of memory that the balancer's processes have."""
    found = 0
    for known in working_in(directory):
        with suppress(OSError):
            found += int(Path(f"/proc/{known.pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return found


@pytest.mark.parametrize("made", ["nginx"], indirect=True)
async def test_a_connection_of_nginx_comes_to_an_end(made: Kit, tmp_path: Path) -> None:
    """After a thousand requests: an older nginx has no other limit for who asks and gives up at once."""
    listener = Listener(host="127.0.0.1", https=free_port(), tls=certificate(tmp_path, "localhost"))
    web = service(listener=listener)
    async with Backend("a") as app:
        await made.balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
        reader, writer = await connected(web)
        client, ended = H2Connection(), 0
        client.initiate_connection()  # as `connected` has done
        client.clear_outbound_data_buffer()
        fields = ((":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"))
        while not reader.at_eof() and ended < 2000:
            for _ in range(0 if client.open_outbound_streams else 50):
                client.send_headers(client.get_next_available_stream_id(), fields, end_stream=True)
            writer.write(client.data_to_send())
            events = client.receive_data(await reader.read(1 << 16))
            ended += sum(isinstance(event, StreamEnded) for event in events)
            if any(isinstance(event, ConnectionTerminated) for event in events):
                break
        writer.transport.abort()
        assert 900 <= ended <= 1000
