"""Where the API is listened for: its socket, its port, and the port for Prometheus."""

import os
from pathlib import Path

from aiohttp import web

from crossfade.controller.api.server import Api
from crossfade.core.errors import PlatformError


async def serve_metrics(api: Api, address: tuple[str, int]) -> web.AppRunner:
    """Only what Prometheus reads, to whoever can reach the port."""
    app = web.Application()
    app.router.add_get("/metrics", api.looks.metrics)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    await _listen(runner, address, "CROSSFADE_METRICS")
    return runner


async def serve(api: Api, socket: Path, tcp: tuple[str, int] | None = None) -> web.AppRunner:
    """Listen; the socket is made under a strict umask, so that nobody else can ever open it."""
    runner = web.AppRunner(api.application(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    socket.unlink(missing_ok=True)  # noqa: ASYNC240  once, before anything runs
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, str(socket)).start()
    finally:
        os.umask(before)
    if tcp:
        await _listen(runner, tcp, "CROSSFADE_TCP")
    return runner


async def _listen(runner: web.AppRunner, address: tuple[str, int], variable: str) -> None:
    try:
        await web.TCPSite(runner, *address).start()
    except OSError as error:
        await runner.cleanup()
        host, port = address
        why = error.strerror or str(error)
        raise PlatformError(f"cannot listen at {host}:{port}: {why}", f"{variable} says where") from error
