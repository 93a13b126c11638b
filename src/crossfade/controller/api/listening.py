"""The ways in to the API: its socket, its port, and the port for Prometheus."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from aiohttp import web

from crossfade.controller.api.guests import GuestSite
from crossfade.controller.api.server import Api
from crossfade.controller.supervisor import Supervisor
from crossfade.core.errors import PlatformError
from crossfade.paths import is_still

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_NAME = "the socket of the API"


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
    await _open(runner, socket)
    if tcp:
        await _listen(runner, tcp, "CROSSFADE_TCP")
    return runner


@asynccontextmanager
async def reachable(supervisor: Supervisor, runner: web.AppRunner, socket: Path) -> AsyncIterator[None]:
    """Whoever deletes the socket meanwhile has it opened anew: no order would reach us any more, not even to stop.

    At the end it is gone for good: who stops takes no order any more, however long what is left to do may take.
    """
    folder = socket.parent.stat()
    supervisor.keep(_NAME, partial(_stay, runner, socket, folder))
    try:
        yield
    finally:
        await supervisor.stop(_NAME)
        if is_still(folder, socket.parent):  # in another one that took its place the socket is somebody else's
            socket.unlink(missing_ok=True)  # noqa: ASYNC240  a moment


async def _stay(runner: web.AppRunner, socket: Path, folder: os.stat_result) -> None:
    while is_still(folder, socket.parent):
        await asyncio.sleep(LOOK_SECONDS)
        if not socket.exists() and is_still(folder, socket.parent):  # noqa: ASYNC240  a moment
            log.warning("%s is gone and is opened anew", socket)
            await _open(runner, socket)


async def _open(runner: web.AppRunner, socket: Path) -> None:
    socket.unlink(missing_ok=True)  # noqa: ASYNC240  a moment
    before = os.umask(0o177)
    try:
        await web.UnixSite(runner, str(socket)).start()
    finally:
        os.umask(before)


async def _listen(runner: web.AppRunner, address: tuple[str, int], variable: str) -> None:
    try:
        await GuestSite(runner, *address).start()
    except OSError as error:
        await runner.cleanup()
        host, port = address
        why = error.strerror or str(error)
        raise PlatformError(f"cannot listen at {host}:{port}: {why}", f"{variable} says where") from error
