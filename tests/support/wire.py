"""HTTP written by hand, where a client library would hide what is to be seen."""

import asyncio

from crossfade.core.service import Service

EVENTS = "GET /events HTTP/1.1\nhost: x\naccept: text/event-stream\n"
WEBSOCKET = (
    "GET /echo HTTP/1.1\nhost: x\nconnection: Upgrade\nupgrade: websocket\n"
    "sec-websocket-version: 13\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\n"
)


async def stream(service: Service, head: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the service's port on which this request was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.listener.http)
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n")
    await writer.drain()
    return reader, writer
