"""What the page asks, in the words of every command: the controller's own API, over its own socket.

So the page knows nothing that `crossfade status --json` does not, and its orders pass all that orders pass.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector, web

from crossfade.core.errors import PlatformError

Json = dict[str, Any]

NO_LIMIT = ClientTimeout(total=None)  # an order may wait for a drain, and a log is followed for days


class Asking:
    """The API at a unix socket. One connection a question."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ask(self, method: str, path: str, query: Json | None = None, body: Json | None = None) -> tuple[int, Any]:
        """HTTP's status and the JSON. PlatformError when the controller does not answer in it."""
        try:
            async with (
                self._session() as session,
                session.request(method, f"http://crossfade{path}", params=query, json=body) as answer,
            ):
                return answer.status, await answer.json()
        except (ClientError, OSError, ValueError) as error:
            raise PlatformError(f"the controller does not answer: {error}", "`crossfade up` starts it again") from error

    async def lines(self, path: str, query: Json) -> AsyncGenerator[bytes, None]:
        """Lines as they come, until the controller ends them."""
        async with self._session() as session, session.get(f"http://crossfade{path}", params=query) as answer:
            async for line in answer.content:
                yield line

    async def hand_on(
        self, request: web.Request, path: str, query: Json, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Answer a request with what the API says to `path`, piece by piece."""
        async with self._session() as session, session.get(f"http://crossfade{path}", params=query) as answer:
            response = web.StreamResponse(
                status=answer.status, headers={**headers, "Content-Type": answer.content_type}
            )
            await response.prepare(request)
            with suppress(ConnectionError):  # who read it left
                async for piece in answer.content.iter_any():
                    await response.write(piece)
            return response

    def _session(self) -> ClientSession:
        return ClientSession(connector=UnixConnector(str(self._socket)), timeout=NO_LIMIT)
