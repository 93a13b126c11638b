"""Envoy's control plane: it asks for what it is to run on a unix socket of ours, and is told of every change (xDS)."""

import asyncio
import os
from pathlib import Path
from typing import Any

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers.envoy.bootstrap import DISCOVERY
from crossfade.platforms.local.balancers.envoy.xds.conversation import Conversation
from crossfade.platforms.local.balancers.envoy.xds.resources import NOTHING, Offer, Resources, offer


class Discovery:
    """Serves one offer to every Envoy that asks: the one that runs, and one that finishes what it holds.

    Without it Envoy goes on with what it was told last, and asks again as soon as there is somebody to ask.
    """

    def __init__(self, directory: Path) -> None:
        # A socket's path may be 107 bytes long and a state directory longer: it is reached through an open directory.
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        self._socket = directory / DISCOVERY
        self._server: Any = None
        self._streams: dict[Conversation, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self.offered: Offer = NOTHING

    async def open(self) -> None:
        """Begin to answer, also anew where somebody deleted the socket: an Envoy that starts would find nobody.

        What a controller left that was killed is in nobody's way.
        """
        if self._server is not None and self._socket.exists():
            return
        await self.close()
        # These take 0.1 s that only who runs Envoy pays.
        from crossfade.platforms.local.balancers.envoy.xds import grpc  # noqa: PLC0415

        self._socket.unlink(missing_ok=True)
        self._server = grpc.GrpcServer(self._converse)
        try:
            await self._server.start(path=f"/proc/self/fd/{self._directory}/{DISCOVERY}")
        except OSError as error:
            self._server = None
            raise PlatformError(f"{self._socket} cannot be opened: {error}", "it is tried again") from error
        self._socket.chmod(0o600)

    async def close(self) -> None:
        """Answer no more; Envoy goes on."""
        if self._server is not None:
            await self._server.end()
            self._server = None
            self._socket.unlink(missing_ok=True)

    async def dispose(self) -> None:
        """Close for good."""
        await self.close()
        os.close(self._directory)

    def offer(self, wanted: Resources) -> None:
        """Have every Envoy told what differs from the offer before."""
        self.offered = offer(wanted, self.offered)
        self.tell()

    def put_back(self, before: Offer) -> None:
        """Offer again what was offered before."""
        self.offered = before
        self.tell()

    def tell(self) -> None:
        """Send to every Envoy what it has yet to be sent."""
        for stream in self._streams.values():
            stream.set()

    def with_process(self, node: str) -> Conversation | None:
        """What is said with this process of Envoy; None while it is not connected."""
        return next((conversation for conversation in reversed(self._streams) if conversation.node == node), None)

    async def news(self, seconds: float) -> None:
        """Return when an Envoy has said something, or after that time."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _converse(self, stream: Any) -> None:
        """One stream, as long as Envoy keeps it."""
        conversation, due = Conversation(), asyncio.Event()
        self._streams[conversation] = due

        async def listen() -> None:
            async for request in stream:
                if request is not None:
                    conversation.hear(request)
                    due.set()
                    self._changed.set()

        listening = asyncio.create_task(listen())
        listening.add_done_callback(lambda _: due.set())
        try:
            while not listening.done():
                await due.wait()
                due.clear()
                for response in list(conversation.due(self.offered)):  # another request may come between two
                    await stream.send_message(response)
        finally:
            listening.cancel()
            del self._streams[conversation]
            self._changed.set()
