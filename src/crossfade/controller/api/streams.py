"""Answers of one JSON value a line, which may go on for as long as somebody listens: events and logs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from crossfade.controller.api import views
from crossfade.controller.api.hub import Hub
from crossfade.engine.ports.journal import Event


async def events(
    request: web.Request,
    past: AsyncIterator[Event],
    hub: Hub,
    wanted: Callable[[Event], bool],
    *,
    after: int,
    follow: bool,
) -> web.StreamResponse:
    """Events from the journal, then those that come, while `follow`; none is given twice and none is left out."""
    response = _lines()
    watching = hub.follow()
    live = asyncio.ensure_future(anext(watching)) if follow else None
    await asyncio.sleep(0)  # the watch begins before the journal is read: nothing falls between
    try:
        event = await anext(past, None)  # first: a journal that cannot be read is an error, not a broken answer
        await response.prepare(request)
        while event is not None:
            if wanted(event):
                await response.write(_line(views.event(event)))
            after = max(after, event.seq)
            event = await anext(past, None)
        while live is not None:
            event = await live
            live = asyncio.ensure_future(anext(watching))
            if event.seq > after and wanted(event):
                await response.write(_line(views.event(event)))
    except ConnectionError:
        return response  # the watcher left
    finally:
        if live is not None:
            live.cancel()
    await response.write_eof()
    return response


async def logs(request: web.Request, lines: AsyncIterator[tuple[str, str]]) -> web.StreamResponse:
    """What instances wrote, as (instance, line)."""
    response = _lines()
    said = await anext(lines, None)  # first: an unknown instance is an error, not a broken answer
    await response.prepare(request)
    with suppress(ConnectionError):
        while said is not None:
            await response.write(_line({"instance": said[0], "line": said[1]}))
            said = await anext(lines, None)
    return response


def _lines() -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})


def _line(value: dict[str, Any]) -> bytes:
    return (web.json_response(value).text or "").encode() + b"\n"
