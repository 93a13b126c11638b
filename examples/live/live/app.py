"""The endpoints. Streams end when `stopping` is set; answers under way are finished first."""

import asyncio
import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Iterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

RELEASE = os.environ.get("CROSSFADE_RELEASE", "0")
INSTANCE = os.environ.get("CROSSFADE_INSTANCE", str(os.getpid()))

EVENT_SECONDS = float(os.environ.get("EVENT_SECONDS", "0.25"))
HEARTBEAT_EVERY = 20  # events
SERVICE_RESTART = 1012
PIECES_PER_SECOND = 20
LONGEST_DOWNLOAD = 300.0
LARGEST_DOWNLOAD = 64 * 2**20


async def health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "UP", "release": RELEASE, "instance": INSTANCE})


async def echo(websocket: WebSocket) -> None:
    """Sends every message back with the release before it, and says 1012 (service restart) when this one has to go."""
    stopping: asyncio.Event = websocket.app.state.stopping
    await websocket.accept(headers=[(b"x-release", RELEASE.encode()), (b"x-instance", INSTANCE.encode())])
    stop = asyncio.create_task(stopping.wait())
    try:
        while not stopping.is_set():
            received = asyncio.create_task(websocket.receive_text())
            await asyncio.wait({stop, received}, return_when=asyncio.FIRST_COMPLETED)
            if received.done():
                await websocket.send_text(f"{RELEASE} {received.result()}")
            else:
                received.cancel()
        await websocket.close(SERVICE_RESTART)
    except WebSocketDisconnect:
        pass
    finally:
        stop.cancel()


async def events(request: Request) -> StreamingResponse:
    """Numbered events, on from the `Last-Event-ID` that a returning reader brings. Ends in an orderly way at a stop."""
    last = request.headers.get("last-event-id", "0")
    start = int(last) + 1 if last.isdigit() else 1
    return StreamingResponse(
        _events(start, request.app.state.stopping),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _events(number: int, stopping: asyncio.Event) -> AsyncIterator[str]:
    yield "retry: 100\n\n"
    while not stopping.is_set():
        yield f"id: {number}\ndata: {RELEASE}\n\n"
        if number % HEARTBEAT_EVERY == 0:
            yield ": heartbeat\n\n"
        number += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), EVENT_SECONDS)


async def download(request: Request) -> StreamingResponse:
    """`?bytes=` of data, spread over `?seconds=`; not cut short by a stop."""
    seconds = _number(request, "seconds", 20.0, LONGEST_DOWNLOAD)
    size = int(_number(request, "bytes", 2.0**20, LARGEST_DOWNLOAD))
    digest = hashlib.sha256()
    for piece in _pieces(size, 2**16):
        digest.update(piece)
    return StreamingResponse(
        _slowly(size, seconds),
        media_type="application/octet-stream",
        headers={
            "Content-Length": str(size),
            "Repr-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
        },
    )


def _number(request: Request, name: str, default: float, most: float) -> float:
    try:
        number = float(request.query_params.get(name, default))
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise HTTPException(422, f"{name} must be a number from 0 to {most:g}")
    return number


def _pieces(size: int, piece: int) -> Iterator[bytes]:
    """The same bytes whatever the size of the pieces: 0 to 255, again and again."""
    pattern = bytes(range(256)) * (piece // 256 + 2)
    for at in range(0, size, piece):
        yield pattern[at % 256 : at % 256 + min(piece, size - at)]


async def _slowly(size: int, seconds: float) -> AsyncIterator[bytes]:
    # 20 pieces a second, but none smaller than a byte: 20 s of 1 MB are 400 pieces of 2.6 kB.
    count = max(1, min(size, int(seconds * PIECES_PER_SECOND)))
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number, piece in enumerate(_pieces(size, max(1, -(-size // count))), 1):
        yield piece
        await asyncio.sleep(start + seconds * number / count - loop.time())


async def upload(request: Request) -> JSONResponse:
    """What arrived: its length and SHA-256."""
    digest = hashlib.sha256()
    length = 0
    async for piece in request.stream():
        digest.update(piece)
        length += len(piece)
    return JSONResponse({"length": length, "sha256": digest.hexdigest()})


async def index(_: Request) -> Response:
    return Response(f"release {RELEASE}\n", media_type="text/plain")


def signed(app: ASGIApp) -> ASGIApp:
    """Puts the release and the instance on every HTTP response."""
    signature = [(b"x-release", RELEASE.encode()), (b"x-instance", INSTANCE.encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *signature]
            await send(message)

        await app(scope, receive, send_signed)

    return answer


def build(stopping: asyncio.Event) -> ASGIApp:
    app = Starlette(
        routes=[
            Route("/", index),
            Route("/health", health),
            Route("/events", events),
            Route("/download", download),
            Route("/upload", upload, methods=["POST"]),
            WebSocketRoute("/ws/echo", echo),
        ]
    )
    app.state.stopping = stopping
    return signed(app)
