"""An app that stands in for one that cannot run here: it answers its health check, and everything else if it is well.

A program by itself, copied into the release that it is: it imports nothing of crossfade.
"""

import asyncio
import json
import os
import signal
import sys

SLOW = 2.0  # seconds that a slow answer takes
LIVES = 3.0  # seconds after which one that crashes is gone

HEALTH = os.environ.get("STAND_IN_HEALTH", "/")
SICK = os.environ.get("STAND_IN_SICK", "")
RELEASE = os.environ.get("CROSSFADE_RELEASE", "")
INSTANCE = os.environ.get("CROSSFADE_INSTANCE", "")


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ending: asyncio.Event, busy: set["asyncio.Task[None]"]
) -> None:
    """One connection, request by request; in `busy` while it has one that is not answered."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  a coroutine runs in one
    try:
        while not ending.is_set():
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            busy.add(task)
            lines = head.split("\r\n")
            method, target, _ = lines[0].split(" ", 2)
            sent = dict(line.lower().split(":", 1) for line in lines[1:] if ":" in line)
            await reader.readexactly(int(sent.get("content-length", "0")))
            status = await answer(target)
            body = json.dumps({"stand_in": True, "release": RELEASE, "path": target}).encode()
            stays = "close" if ending.is_set() else "keep-alive"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                f"X-Release: {RELEASE}\r\nX-Instance: {INSTANCE}\r\nConnection: {stays}\r\n\r\n".encode()
                + (b"" if method == "HEAD" else body)
            )
            await writer.drain()
            busy.discard(task)
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # whoever asked is gone, or speaks no HTTP
    finally:
        busy.discard(task)
        writer.close()


async def answer(target: str) -> str:
    if target == HEALTH:
        return "503 Service Unavailable" if SICK == "unhealthy" else "200 OK"
    if SICK == "slow":
        await asyncio.sleep(SLOW)
    return "500 Internal Server Error" if SICK == "errors" else "200 OK"


async def main() -> int:
    ending, loop = asyncio.Event(), asyncio.get_running_loop()
    busy: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer, ending, busy)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    port = os.environ.get("PORT")
    server = await asyncio.start_server(begin, "127.0.0.1", int(port)) if port else None
    try:
        async with asyncio.timeout(LIVES if SICK == "crash" else None):
            await ending.wait()
    except TimeoutError:
        sys.stderr.write("this stand-in crashes, as it was asked to\n")
        return 1
    if server:
        server.close()
    if busy:  # whoever was let in is answered, as any good app does it
        await asyncio.wait(busy)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
