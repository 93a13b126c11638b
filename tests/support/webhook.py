"""A webhook on this machine that remembers what it was sent, and answers as it is told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class Webhook:
    """`answers` are statuses in turn, the last one for ever; 0 closes the connection without a word."""

    def __init__(self, answers: Sequence[int]) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not status and request.transport:
            request.transport.close()
        return web.Response(status=status or 200, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def webhook(*answers: int) -> AsyncIterator[Webhook]:
    """One that listens on loopback; its path is a secret."""
    hook, app = Webhook(answers or (200,)), web.Application()
    app.router.add_post("/geheim", hook.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    hook.url = f"http://127.0.0.1:{port}/geheim"
    try:
        yield hook
    finally:
        await runner.cleanup()
