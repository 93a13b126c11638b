"""The page's way in: a port of this machine's loopback, opened when somebody asks for it."""

import json
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from crossfade.controller.api import asked
from crossfade.controller.api.guests import GuestSite
from crossfade.controller.page.asking import Asking
from crossfade.controller.page.page import Page
from crossfade.core.errors import PlatformError, WrongInputError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
HIGHEST = 2**16 - 1


class PagePort:
    """Opens and closes the port, with a token of its own.

    `record` keeps both for the next controller, so that a page that was left open goes on when the controller is
    replaced; with None they end with this process.
    """

    def __init__(self, socket: Path, record: Path | None = None) -> None:
        self._page = Page(Asking(socket))
        self._record = record
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def token(self) -> str:
        """What lets in; empty while nobody is."""
        return self._page.token

    def routes(self) -> list[web.RouteDef]:
        """What the API has of it: opening and closing, and the page itself, for who forwards the socket."""
        return [web.post("/v1/page", self._open), web.post("/v1/page/close", self._shut), *self._page.routes()]

    async def reopen(self) -> None:
        """As the controller before us had it. What fails here is only logged: nothing that serves depends on it."""
        if self._record is None:
            return
        try:
            known = json.loads(self._record.read_bytes())
            self._page.token, self._page.who = str(known["token"]), str(known["by"])
            await self._listen(int(known["port"]))
        except FileNotFoundError:
            return
        except (OSError, OverflowError, ValueError, LookupError, TypeError, PlatformError) as error:
            self._page.token = ""
            log.warning("the page is not opened again: %s", error)

    async def close(self) -> None:
        """Stop listening; who has the address finds the next controller there."""
        if self._runner:
            await self._runner.cleanup()
        self._runner, self._port = None, 0

    async def _open(self, request: web.Request) -> web.Response:
        """Where the page is; it is opened if it was not, or at another port if one is named."""
        body = await asked.body(request)
        port = asked.number(body, "port", 0)
        if port > HIGHEST:
            raise WrongInputError(f"port: found {port}", f"allowed: 1 to {HIGHEST}, or 0 for any that is free")
        self._page.who = asked.order(body).by
        if not self._port or port not in {0, self._port}:
            await self.close()
            self._page.token = self._page.token or secrets.token_urlsafe(32)
            await self._listen(port)
        self._keep()
        path = f"/page/{self._page.token}/"
        return web.json_response({"url": f"http://{HOST}:{self._port}{path}", "port": self._port, "path": path})

    async def _shut(self, _: web.Request) -> web.Response:
        """Close it for good: its address is worth nothing any more."""
        was = bool(self._port)
        self._page.token = ""
        if self._record:
            self._record.unlink(missing_ok=True)
        await self.close()
        return web.json_response({"closed": was})

    async def _listen(self, port: int) -> None:
        app = web.Application()
        app.add_routes(self._page.routes())
        # A page that is closed ends what it is told; an order goes on, for the API has it by another connection.
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=1.0, handler_cancellation=True
        )
        await runner.setup()
        try:
            await GuestSite(runner, HOST, port).start()
        except OSError as error:
            await runner.cleanup()
            why = error.strerror or str(error)
            raise PlatformError(
                f"cannot listen at {HOST}:{port}: {why}", "--port names another, 0 takes any"
            ) from error
        self._runner, self._port = runner, _port(runner)

    def _keep(self) -> None:
        """Write down where it is, for its owner alone: the token is the key."""
        if self._record is None:
            return
        kept: dict[str, Any] = {"port": self._port, "token": self._page.token, "by": self._page.who}
        beside = self._record.with_suffix(".new")
        with suppress(FileNotFoundError):
            beside.unlink()
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(kept, file)
            beside.replace(self._record)
        except OSError as error:
            raise PlatformError(f"{self._record} cannot be written: {error.strerror}", "make room for it") from error


def _port(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])
