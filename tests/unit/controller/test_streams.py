"""Lines of several services as one answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from crossfade.controller.api.streams import as_they_come, ended_by_leaving
from crossfade.core.errors import PlatformError
from crossfade.engine.ports.logs import Said


async def says(*lines: str) -> AsyncIterator[Said]:
    for line in lines:
        yield Said(0.0, "web", line)


async def fails() -> AsyncIterator[Said]:
    await asyncio.sleep(0)
    raise PlatformError("the log is gone")
    yield


async def test_following_ends_where_nobody_has_any_more_to_come() -> None:
    """Files of a site write one line and no more: who follows them alone gets an answer that ends."""
    async with asyncio.timeout(60):
        found = [said.line async for _, said in as_they_come({"shop/site": says("a"), "shop/web": says("b", "c")})]
    assert sorted(found) == ["a", "b", "c"]


async def test_trouble_with_one_is_told() -> None:
    """Its lines would be missing otherwise, and nobody would know."""
    with pytest.raises(PlatformError, match="the log is gone"):
        async with asyncio.timeout(60):
            _ = [said async for said in as_they_come({"shop/site": says("a"), "shop/web": fails()})]


async def asked(path: Path, method: str) -> list[str]:
    """What became of a handler that says nothing, when who asked it by this method is gone."""
    began, became, go_on, over = asyncio.Event(), list[str](), asyncio.Event(), asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        began.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            became.append("ended")
            raise
        else:
            became.append("went on")
        finally:
            over.set()
        return web.Response()

    app = web.Application(middlewares=[ended_by_leaving(0.01)])
    app.router.add_route("*", "/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(path)).start()
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        await began.wait()
        writer.close()
        with suppress(TimeoutError):  # an order goes on, which is seen for a while only
            await asyncio.wait_for(over.wait(), 0.3 if method == "POST" else 30)
        go_on.set()
        await over.wait()
    finally:
        await runner.cleanup()
    return became


@pytest.mark.parametrize(("method", "became"), [("GET", "ended"), ("POST", "went on")])
async def test_a_look_ends_with_who_asked_and_an_order_goes_on(tmp_path: Path, method: str, became: str) -> None:
    """A `logs --follow` that was broken off would read on for ever; a deploy goes on without its shell."""
    assert await asked(tmp_path / "sock", method) == [became]
