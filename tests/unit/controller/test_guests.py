"""Who comes over TCP and is not known: what a stranger can take of the controller's files."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from tests.support.ports import free_port

from crossfade.controller.api import guests
from crossfade.controller.api.guests import GuestSite

STAY = 30.0  # seconds, of which no test waits any


async def answer(request: web.Request) -> web.Response:
    if request.headers.get("Authorization"):
        guests.know(request)
    return web.Response(text="ok")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A door that two strangers may stand in, for a moment."""
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    found = free_port()
    await GuestSite(runner, "127.0.0.1", found, most=2, stay=STAY).start()
    yield found
    await runner.cleanup()


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """All of a stranger's time is over."""
    loop = asyncio.get_running_loop()

    def leap() -> None:
        monkeypatch.setattr(loop, "time", lambda: time.monotonic() + STAY)

    return leap


async def came(port: int, *, said: bytes = b"GET / HT") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def test_strangers_are_few_and_do_not_stay(port: int, later: Callable[[], None]) -> None:
    """One too many is turned away at once, the others leave without a whole request, and then there is room again."""
    async with asyncio.timeout(60):
        (one, first), (two, second) = await came(port), await came(port, said=b"")
        three, third = await came(port, said=b"")
        assert await three.read() == b""
        assert not one.at_eof()
        later()
        assert await one.read() + await two.read() == b""
        four, fourth = await came(port, said=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await four.read()).endswith(b"ok")
    for writer in (first, second, third, fourth):
        writer.close()


async def test_who_is_known_stays_and_takes_no_strangers_place(port: int, later: Callable[[], None]) -> None:
    """As many as they are, and longer than a stranger may."""
    asked = b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer mine\r\n\r\n"
    async with asyncio.timeout(60):
        known = []
        for _ in range(4):
            reader, writer = await came(port, said=asked)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            known.append((reader, writer))
        stranger, last = await came(port, said=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await stranger.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        later()
        assert await stranger.read() == b""  # it came after all of them, and had to leave
        for reader, writer in known:
            writer.write(asked)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            writer.close()
        last.close()
