"""The beginning of an HTTP/2 connection without TLS: whoever answers it speaks it (RFC 9113, 3.4)."""

import asyncio

from crossfade.platforms.local.address import socket_of

# The preface, and an empty SETTINGS frame: length 0, kind 4, no flags, stream 0.
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_HEAD, _KIND, _SETTINGS = 9, 3, 4  # bytes of a frame's head, where it says what it is, and what the first has to be


async def speaks(address: str) -> bool:
    """Does it answer with its own settings? OSError when nobody listens there."""
    if path := socket_of(address):
        reader, writer = await asyncio.open_unix_connection(path)
    else:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(GREETING)
        return (await reader.readexactly(_HEAD))[_KIND] == _SETTINGS
    except asyncio.IncompleteReadError:
        return False
    finally:
        writer.close()
