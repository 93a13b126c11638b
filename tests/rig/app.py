"""The app that tasks of the rig run: says its release, misbehaves as it is told, and is unkind on SIGTERM.

/health (or HEALTH), / (the release), /slow?s=0.1, /env/NAME (a variable's value). It ends at once on SIGTERM, whatever
it is answering: an engine that relies on an app's kindness loses requests here. BOOT=S: not healthy for S seconds.
FAULT: `sick` says 503 on /health, `errors` 500 on all else, `late=S` answers after S seconds, `broken` exits with 1 at
once, `dies=S` exits with 3 after S seconds, `hungry` takes memory until it is killed, `deaf` never listens, `mute` does
not answer health checks, `stubborn` does not hear SIGTERM.
"""

import asyncio
import os
import signal
import sys
import time

RELEASE = os.environ.get("RELEASE", "0")
HEALTH = os.environ.get("HEALTH", "/health")
FAULT, _, AMOUNT = os.environ.get("FAULT", "").partition("=")
READY = time.monotonic() + float(os.environ.get("BOOT", "0"))
_MOST = 2**30  # bytes that `hungry` takes at most


def answer(path: str) -> tuple[int, float]:
    """Status, and seconds until it is sent."""
    if path.startswith(HEALTH):
        return (503 if FAULT == "sick" or time.monotonic() < READY else 200), 3600.0 if FAULT == "mute" else 0.0
    late = float(AMOUNT) if FAULT == "late" else 0.0
    if path.startswith("/slow"):
        late += float(path.partition("s=")[2] or 0.1)
    return (500 if FAULT == "errors" else 200), late


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request after the other until the client leaves."""
    try:
        while line := await reader.readline():
            length = 0
            while (head := await reader.readline()).strip():
                name, _, value = head.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            await reader.readexactly(length)
            path = line.split()[1].decode()
            status, late = answer(path)
            if late:
                await asyncio.sleep(late)
            named = path.removeprefix("/env/") if path.startswith("/env/") else "RELEASE"
            body = os.environ.get(named, RELEASE if named == "RELEASE" else "").encode()
            said = f"HTTP/1.1 {status} X\r\nX-Release: {RELEASE}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(said.encode() + body)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN if FAULT == "stubborn" else lambda *_: os._exit(0))
    sys.stdout.write(f"release {RELEASE} starts\n")
    sys.stdout.flush()
    if FAULT == "broken":
        raise RuntimeError("no database")
    if FAULT == "dies":
        asyncio.get_running_loop().call_later(float(AMOUNT), os._exit, 3)
    if FAULT == "deaf":
        await asyncio.sleep(3600)
    server = await asyncio.start_server(converse, "127.0.0.1", int(os.environ["PORT"]), backlog=1024)
    if FAULT == "hungry":
        taken = bytearray()
        while len(taken) < _MOST:
            taken += b"x" * 2**24
            await asyncio.sleep(0.01)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
