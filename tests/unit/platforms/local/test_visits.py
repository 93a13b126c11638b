"""Requests of our own, for a verdict where too few people come."""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from tests.support.certificate import certificate

from crossfade.core.errors import PlatformError
from crossfade.platforms.local import probes
from crossfade.platforms.local.probes import HttpProbe


@asynccontextmanager
async def served(
    answer: Callable[[web.Request], Awaitable[web.Response]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The port where `answer` answers for `/health`."""
    application = web.Application()
    application.router.add_get("/health", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_name_is_asked_for_where_it_is_reached() -> None:
    """Whoever answers there is asked by that name, which leads nowhere by itself."""
    heard: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.host, request.headers["X-Preview"]))
        return web.Response()

    async with served(answer) as port:
        probe = HttpProbe(reached_at={"shop.invalid": "127.0.0.1"})
        try:
            await probe.visit(f"http://shop.invalid:{port}/health", {"X-Preview": "token"}, 3, 5.0)
        finally:
            await probe.close()
    assert heard == [(f"shop.invalid:{port}", "token")] * 3


VISIT = """
import asyncio, sys
from crossfade.platforms.local.probes import HttpProbe

async def main(url: str) -> None:
    probe = HttpProbe(reached_at={"shop.invalid": "127.0.0.1"})
    try:
        await probe.visit(url, {}, 2, 5.0)
    finally:
        await probe.close()

asyncio.run(main(sys.argv[1]))
"""


async def test_a_certificate_is_asked_for_its_name(tmp_path: Path) -> None:
    """By that name, and by no other. An address has no certificate to be known by: it is our own balancer's."""
    tls = certificate(tmp_path, "shop.invalid")
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.host)
        return web.Response()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)

    async def visited(name: str, port: int) -> tuple[int | None, str]:
        """From a process of its own, which trusts this certificate."""
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", VISIT, f"https://{name}:{port}/health"),
            env={**os.environ, "SSL_CERT_FILE": tls.certificate},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asked.communicate()
        return asked.returncode, said.decode()

    async with served(answer, context) as port:
        code, said = await visited("shop.invalid", port)
        assert (code, heard) == (0, [f"shop.invalid:{port}"] * 2), said
        code, said = await visited("127.0.0.1", port)
        assert (code, len(heard)) == (0, 4), said
        code, said = await visited("localhost", port)
        assert code == 1
        assert "certificate" in said


async def test_whoever_answers_one_at_a_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four are asked for at once, and the last of them waits for three: none of that is the release's fault."""
    monkeypatch.setattr(probes, "LEAST_PATIENCE", 0.1)
    alone, answered = asyncio.Lock(), 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal answered
        async with alone:
            await asyncio.sleep(0.3)
            answered += 1
        return web.Response()

    async with served(answer) as port:
        probe = HttpProbe()
        try:
            await probe.visit(f"http://127.0.0.1:{port}/health", {}, 4, 60.0)
        finally:
            await probe.close()
    assert answered == 4


async def test_requests_that_get_nowhere_are_trouble() -> None:
    """And not awaited for ever: nobody will count them."""
    probe = HttpProbe()
    try:
        with pytest.raises(PlatformError, match=r"none of our own 2 requests to http://shop.invalid/ was answered: .+"):
            await probe.visit("http://shop.invalid/", {}, 2, 5.0)
    finally:
        await probe.close()
