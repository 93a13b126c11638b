"""A client that writes what it likes, and what an app gets to see of it."""

import asyncio

from crossfade.core.service import Service


async def say(port: int | None, text: str, *, first: bytes = b"") -> str:
    """The whole answer to a request of these lines, each header on its own; empty when nobody answers."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first + f"{text}\nconnection: close\n\n".replace("\n", "\r\n").encode("latin-1"))
        async with asyncio.timeout(30):
            answer = await reader.read()
    except ConnectionError:
        return ""
    writer.close()
    return answer.decode("latin-1")


async def seen_by_app(web: Service, *headers: str, first: bytes = b"") -> dict[str, str]:
    """The headers that reach the app, names in lower-case letters."""
    lines = "\n".join(("GET /headers HTTP/1.1", "host: x", *headers))
    _, _, body = (await say(web.listener.http, lines, first=first)).partition("\r\n\r\n")
    return {
        name.lower(): value
        for line in body.split("\r\n")[1:]
        if (name := line.partition(": ")[0]) and (value := line.partition(": ")[2]) is not None
    }


def client(seen: dict[str, str]) -> tuple[str, str, str]:
    """Who it is for the app, twice, and how it came."""
    return seen["x-forwarded-for"], seen["x-real-ip"], seen["x-forwarded-proto"]
