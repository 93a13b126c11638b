"""A web app that boots in 60 ms: says its release, and misbehaves as its environment tells it.

/health, / (the release), /slow?s=1, /big, /download?seconds=1 (1 MB, slowly), /who (the instance), and what a POST
brought: its length and SHA-256. FAULT:
`errors` answers 500 except on /health, `late=S` answers after S seconds, `sick` answers 503 on /health, `flaps=N` is
healthy for N checks and sick for N, `dies=N` exits hard at the N-th request that is no health check, `broken` exits
at once, `deaf` never listens.
"""

import asyncio
import hashlib
import json
import os
import signal
import sys

RELEASE = os.environ.get("CROSSFADE_RELEASE", "0")
INSTANCE = os.environ.get("CROSSFADE_INSTANCE", "")
FAULT, _, AMOUNT = os.environ.get("FAULT", "").partition("=")
PIECES_PER_SECOND = 20

served = checked = 0
busy: set[asyncio.Task[None]] = set()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            sent = await body(head.lower(), reader)
            task = asyncio.create_task(respond(method, path, sent, writer))
            busy.add(task)
            task.add_done_callback(busy.discard)
            await task
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def body(head: str, reader: asyncio.StreamReader) -> bytes:
    if "transfer-encoding: chunked" in head:
        found = b""
        while size := int(await reader.readline(), 16):
            found += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return found
    length = next((int(h.split(":")[1]) for h in head.split("\r\n") if h.startswith("content-length")), 0)
    return await reader.readexactly(length)


async def respond(method: str, path: str, sent: bytes, writer: asyncio.StreamWriter) -> None:
    code, content = 200, RELEASE.encode()
    if path.startswith("/health"):
        code = 200 if healthy() else 503
    else:
        code = await misbehave()
        if method == "POST":
            content = json.dumps({"length": len(sent), "sha256": hashlib.sha256(sent).hexdigest()}).encode()
        elif path.startswith("/slow"):
            await asyncio.sleep(float(path.partition("s=")[2] or 1))
        elif path.startswith("/who"):
            content = INSTANCE.encode()
        elif path.startswith(("/big", "/download")):
            content = b"x" * 1_000_000
    seconds = float(path.partition("seconds=")[2] or 0)
    head = (
        f"HTTP/1.1 {code} X\r\nX-Release: {RELEASE}\r\nX-Instance: {INSTANCE}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode())
    pieces = max(1, int(seconds * PIECES_PER_SECOND))
    size = -(-len(content) // pieces)
    for at in range(0, len(content), size):
        writer.write(content[at : at + size])
        await writer.drain()
        await asyncio.sleep(seconds / pieces)


def healthy() -> bool:
    global checked  # noqa: PLW0603  one counter, one process
    checked += 1
    if FAULT == "flaps":
        return (checked - 1) // int(AMOUNT) % 2 == 0
    return FAULT != "sick"


async def misbehave() -> int:
    """The status of an answer that is no health check, if there is to be one."""
    global served  # noqa: PLW0603  as above
    served += 1
    if FAULT == "dies" and served >= int(AMOUNT):
        os._exit(3)
    if FAULT == "late":
        await asyncio.sleep(float(AMOUNT))
    return 500 if FAULT == "errors" else 200


async def main() -> None:
    if FAULT == "deaf":
        await asyncio.sleep(3600)
    if FAULT == "broken":
        sys.exit("no database")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(answer, "0.0.0.0", int(os.environ["PORT"]), backlog=1024)
    await stop.wait()
    server.close()
    if busy:
        await asyncio.wait(busy, timeout=5)


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
