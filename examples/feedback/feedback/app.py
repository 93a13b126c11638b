"""The HTTP API."""

import json
import logging
import os
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedback import health, release, schema
from feedback.store import Store

RELEASE = os.environ.get("CROSSFADE_RELEASE", release.VERSION)
INSTANCE = os.environ.get("CROSSFADE_INSTANCE", str(os.getpid()))
LONGEST_MESSAGE = 10_000
log = logging.getLogger(__name__)


async def version(_: Request) -> JSONResponse:
    release.before_api()
    return JSONResponse({"version": release.VERSION, "release": RELEASE, "instance": INSTANCE})


async def feedbacks(request: Request) -> JSONResponse:
    release.before_api()
    store: Store = request.app.state.store
    if request.method == "POST":
        fields = _valid(await request.body())
        return JSONResponse(await run_in_threadpool(store.add, fields), status_code=201)
    count, latest = await run_in_threadpool(store.overview)
    return JSONResponse({"count": count, "latest": latest})


def _valid(body: bytes) -> dict[str, Any]:
    """The fields of one feedback; HTTP 422 says what is wrong with them."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise HTTPException(422, f"not JSON: {error}") from None
    if not isinstance(given, dict) or schema.REQUIRED - given.keys():
        raise HTTPException(422, f"an object with {', '.join(sorted(schema.REQUIRED))} is needed")
    # Fields of another release are dropped, not refused: both serve at once while traffic moves over.
    fields = {name: value for name, value in given.items() if name in schema.FIELDS}
    for name, value in fields.items():
        if not isinstance(value, schema.FIELDS[name]) or isinstance(value, bool):
            raise HTTPException(422, f"{name} must be {schema.FIELDS[name].__name__}")
    if len(fields["message"]) > LONGEST_MESSAGE:
        raise HTTPException(422, f"message is longer than {LONGEST_MESSAGE} characters")
    return fields


def signed(app: ASGIApp) -> ASGIApp:
    """Puts the release and the instance on every response, also on those that no route answered."""
    signature = [(b"x-release", RELEASE.encode()), (b"x-instance", INSTANCE.encode())]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *signature]
            await send(message)

        await app(scope, receive, send_signed)

    return answer


def unbroken(app: ASGIApp) -> ASGIApp:
    """Ends an exception here, once Starlette has answered it 500, so that the connection is kept.

    uvicorn would close it without a word of that in the answer: a request that is already on its way is lost, and if
    it was a POST, no balancer may send it again.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            log.exception("%s was answered 500", scope.get("path"))

    return answer


def build(store: Store) -> ASGIApp:
    app = Starlette(
        routes=[
            Route("/actuator/health", health.shallow),
            Route("/health/deep", health.deep),
            Route("/api/version", version),
            Route("/api/feedbacks", feedbacks, methods=["GET", "POST"]),
        ]
    )
    app.state.store = store
    return signed(unbroken(app))
