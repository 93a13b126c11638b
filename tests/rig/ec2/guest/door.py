"""Connections into an instance and out of it: its network is its own, and these are the ways across."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

_CHUNK = 1 << 16
_HOST = "127.0.0.1"


async def inward(fds: socket.socket, address: str, say: Callable[..., Any]) -> None:
    """Each socket that the rig hands over listens outside; what comes there is meant for a port of the instance.

    At its `address`; else at its loopback, where programs of the rig stand for what Docker would publish.
    """
    loop = asyncio.get_running_loop()
    fds.setblocking(False)
    waiting = asyncio.Event()
    loop.add_reader(fds, waiting.set)
    servers = []
    while True:
        await waiting.wait()
        waiting.clear()
        try:
            told, (fd, *_), _, _ = socket.recv_fds(fds, 64, 1)
        except (BlockingIOError, ValueError):
            continue
        port = int(told)
        outside = socket.socket(fileno=fd)
        outside.setblocking(False)
        servers.append(await asyncio.start_server(_to_port(address, port), sock=outside, backlog=1024))
        say(open=port)


async def outward(port: int, path: str) -> None:
    """AWS's endpoint, where the instance's environment says that it is."""
    await asyncio.start_server(_to_path(path), _HOST, port, backlog=1024)


def _to_port(address: str, port: int) -> Callable[..., Any]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            with contextlib.suppress(ConnectionRefusedError):
                return await asyncio.open_connection(address, port)
            return await asyncio.open_connection(_HOST, port)

        await join(reader, writer, connect)

    return serve


def _to_path(path: str) -> Callable[..., Any]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await join(reader, writer, lambda: asyncio.open_unix_connection(path))

    return serve


async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connect: Callable[..., Any]) -> None:
    try:
        far_reader, far_writer = await connect()
    except OSError:
        writer.transport.abort()  # as who knocks where nobody listens
        return
    await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_CHUNK):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.transport.abort()
    finally:
        if reader.at_eof():
            with contextlib.suppress(OSError):
                writer.close()
