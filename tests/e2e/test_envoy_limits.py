"""Envoy at its limits: others are served when somebody takes all that can be taken."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from h2.connection import H2Connection
from h2.settings import SettingCodes
from tests.contract.balancer_kits import fetch, routing, service
from tests.support.backend import Backend
from tests.support.edge import running_envoy, url
from tests.support.wire import WEBSOCKET, stream

from crossfade.core.service import Service
from crossfade.platforms.local.balancers.envoy import EnvoyBalancer

CEILING = 20  # connections of clients


@pytest.fixture
async def envoy(tmp_path: Path) -> AsyncIterator[EnvoyBalancer]:
    async with running_envoy(tmp_path / "envoy", connections=CEILING) as balancer:
        yield balancer


async def test_an_envoy_that_nobody_looks_after_does_not_fill_the_disk(envoy: EnvoyBalancer, tmp_path: Path) -> None:
    """Without a controller it goes on for weeks, and asks for one ten times a second."""
    log = tmp_path / "envoy" / "envoy.log"
    before = log.stat().st_size
    await envoy.close()
    await asyncio.sleep(1)
    assert log.read_bytes()[before:] == b""


@pytest.mark.slow
async def test_who_opens_connections_and_does_not_ask_keeps_nobody_out(envoy: EnvoyBalancer) -> None:
    """Silent ones and half-sent heads are closed; a WebSocket without news and who asks all the while stay."""
    web = service()
    async with Backend("a") as one, aiohttp.ClientSession() as early, aiohttp.ClientSession() as late:
        await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": one.address}, 1)
        reader, writer = await stream(web, WEBSOCKET)
        await reader.readuntil(b"\r\n\r\n")
        assert (await fetch(early, url(web))).body == "a"
        flood = await asyncio.gather(*(_silent(web, half_sent=bool(n % 2)) for n in range(3 * CEILING)))
        assert (await fetch(early, url(web))).body == "a"
        assert (await envoy.report(web.key)).routing.weights
        await asyncio.gather(*(_closed(*connection) for connection in flood))
        assert (await fetch(late, url(web))).body == "a"
        writer.write(b"still here")
        assert await reader.readexactly(10) == b"still here"
        writer.close()


async def test_who_asks_for_much_and_reads_nothing_does_not_fill_the_memory(
    envoy: EnvoyBalancer, tmp_path: Path
) -> None:
    """Of each answer little is held: of 300 streams once more than a gigabyte was, all for one client."""
    web, answer = service(), b"x" * 4_000_000
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n\r\n".encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(head + answer)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as app, aiohttp.ClientSession() as http:
        address = f"127.0.0.1:{app.sockets[0].getsockname()[1]}"
        await envoy.apply(web, routing({1: 100}, {1: "a"}), {"a": address}, 1)
        before = _held(tmp_path / "envoy")
        writers = [await _asks_for_much(web, streams=100) for _ in range(3)]
        held: list[int] = []
        while len(held) < 4 or held[-1] > held[-4]:  # until it grows no more
            held.append(_held(tmp_path / "envoy"))
            await asyncio.sleep(0.5)
        assert (await fetch(http, url(web))).status == 200
        for writer in writers:
            writer.close()
    assert held[-1] - before < 300 << 20


def _held(directory: Path) -> int:
    """Bytes of memory that Envoy has."""
    pid = json.loads((directory / "process.json").read_text())["main"]["pid"]
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def _asks_for_much(web: Service, *, streams: int) -> asyncio.StreamWriter:
    """A connection of HTTP/2 whose streams have no room for their answers."""
    _, writer = await asyncio.open_connection("127.0.0.1", web.listener.http)
    client = H2Connection()
    client.initiate_connection()
    client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    for _ in range(streams):
        asked = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/")]
        client.send_headers(client.get_next_available_stream_id(), asked, end_stream=True)
    writer.write(client.data_to_send())
    await writer.drain()
    return writer


async def _silent(web: Service, *, half_sent: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.listener.http)
    if half_sent:
        with suppress(ConnectionError):  # the ceiling may have closed it
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-more: ")
            await writer.drain()
    return reader, writer


async def _closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Return when Envoy has closed it, with or without a word."""
    with suppress(ConnectionError):
        while await reader.read(1000):
            pass
    writer.close()
