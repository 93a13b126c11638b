"""Answers of one JSON value a line, which may go on for as long as somebody listens: events and logs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from crossfade.controller.api import views
from crossfade.controller.api.hub import Hub
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.logs import Said

HEARD = 1000  # lines of followed services that wait for a slow reader
STILL_THERE = 1.0  # seconds between two looks whether who asked is still there


def ended_by_leaving(every: float = STILL_THERE) -> Middleware:
    """A look ends when who asked for it is gone: of a quiet service nothing is written that would show it, and each
    `logs --follow` that was ever broken off would go on reading. An order goes on.
    """

    @web.middleware
    async def ended(request: web.Request, handler: Handler) -> web.StreamResponse:
        looking = asyncio.current_task()
        if request.method != "GET" or looking is None:
            return await handler(request)

        async def watch() -> None:
            while request.transport is not None:  # noqa: ASYNC110  nobody tells of it
                await asyncio.sleep(every)
            looking.cancel()

        watching = asyncio.create_task(watch())
        try:
            return await handler(request)
        finally:
            watching.cancel()

    return ended


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


async def logs(request: web.Request, lines: AsyncGenerator[tuple[str, Said], None]) -> web.StreamResponse:
    """What was written, by service."""
    response = _lines()
    async with aclosing(lines):
        one = await anext(lines, None)  # first: an unknown instance is an error, not a broken answer
        await response.prepare(request)
        with suppress(ConnectionError):
            while one is not None:
                service, said = one
                told = {"service": service, "instance": said.writer, "at": said.at, "line": said.line}
                await response.write(_line(told))
                one = await anext(lines, None)
    return response


async def in_order(sources: Mapping[str, AsyncIterator[Said]]) -> AsyncGenerator[tuple[str, Said], None]:
    """The lines of all services that are not followed, oldest first."""
    said = [(service, one) for service, lines in sources.items() async for one in lines]
    for one in sorted(said, key=lambda one: one[1].at):
        yield one


async def as_they_come(sources: Mapping[str, AsyncIterator[Said]]) -> AsyncGenerator[tuple[str, Said], None]:
    """The lines of all services that are followed, until none of them has any more to come."""
    heard: asyncio.Queue[tuple[str, Said] | Exception | None] = asyncio.Queue(HEARD)

    async def listen(service: str, lines: AsyncIterator[Said]) -> None:
        try:
            async for said in lines:
                await heard.put((service, said))
            await heard.put(None)
        except Exception as error:  # noqa: BLE001  raised below, where it is answered
            await heard.put(error)

    listening = [asyncio.create_task(listen(service, lines)) for service, lines in sources.items()]
    going_on = len(listening)
    try:
        while going_on:
            one = await heard.get()
            if isinstance(one, Exception):
                raise one
            if one is None:
                going_on -= 1
            else:
                yield one
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


def _lines() -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})


def _line(value: dict[str, Any]) -> bytes:
    return (web.json_response(value).text or "").encode() + b"\n"
