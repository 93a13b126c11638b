"""What the hand-made servers say."""

import asyncio
import socket
import struct


async def request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next request: its head and its body. Raises IncompleteReadError when the client has gone."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    if b"content-length" in fields:
        return head, await reader.readexactly(int(fields[b"content-length"]))
    body = b""
    if b"transfer-encoding" in fields:
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    return head, body


def answer(body: bytes = b"hello", *, status: int = 200, release: str = "1", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\nX-Release: {release}\r\n{headers}\r\n"
    return head.encode() + body


def reset(writer: asyncio.StreamWriter) -> None:
    """Breaks the connection with a TCP reset: what closing without lingering does."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
