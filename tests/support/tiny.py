"""A web app that boots in 30 ms: says its release, and misbehaves as its environment tells it.

/health, / (the release), /slow?s=1, /big, /download?seconds=1 (1 MB, slowly), /who (the instance), and what a POST
brought: its length and SHA-256. FAULT:
`errors` answers 500 except on /health, `late=S` answers after S seconds, `sick` answers 503 on /health, `flaps=N` is
healthy for N checks and sick for N, `dies=N` exits hard at the N-th request that is no health check, `broken` exits
at once, `deaf` never listens.

A thread a connection: hundreds of these are started, and asyncio alone takes as long to import as all of this to boot.
"""

import os
import signal
import socket
import sys
import threading
import time
from io import BufferedReader

RELEASE = os.environ.get("CROSSFADE_RELEASE", "0")
INSTANCE = os.environ.get("CROSSFADE_INSTANCE", "")
FAULT, _, AMOUNT = os.environ.get("FAULT", "").partition("=")
PIECES_PER_SECOND = 20
LAST_ANSWERS = 5.0  # seconds after SIGTERM

lock = threading.Lock()
served = checked = busy = 0


def converse(connection: socket.socket) -> None:
    """Answer one request after the other until the client leaves."""
    with connection, connection.makefile("rb") as reader:
        try:
            while line := reader.readline():
                method, path, _ = line.decode().split(" ", 2)
                sent = body(headers(reader), reader)
                count(1)
                try:
                    respond(method, path, sent, connection)
                finally:
                    count(-1)
        except (OSError, EOFError):
            return


def count(change: int) -> None:
    """Requests that are being answered."""
    global busy  # noqa: PLW0603  one counter, one process
    with lock:
        busy += change


def headers(reader: BufferedReader) -> dict[str, str]:
    found = {}
    while (line := reader.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        found[name.lower()] = value.strip()
    return found


def body(head: dict[str, str], reader: BufferedReader) -> bytes:
    if head.get("transfer-encoding", "").lower() == "chunked":
        found = b""
        while size := int(reader.readline(), 16):
            found += exactly(reader, size + 2)[:-2]
        reader.readline()
        return found
    return exactly(reader, int(head.get("content-length", "0")))


def exactly(reader: BufferedReader, size: int) -> bytes:
    found = reader.read(size)
    if len(found) < size:
        raise EOFError
    return found


def respond(method: str, path: str, sent: bytes, connection: socket.socket) -> None:
    code, content = 200, RELEASE.encode()
    if path.startswith("/health"):
        code = 200 if healthy() else 503
    else:
        code = misbehave()
        if method == "POST":
            content = receipt(sent)
        elif path.startswith("/slow"):
            time.sleep(float(path.partition("s=")[2] or 1))
        elif path.startswith("/who"):
            content = INSTANCE.encode()
        elif path.startswith(("/big", "/download")):
            content = b"x" * 1_000_000
    seconds = float(path.partition("seconds=")[2] or 0)
    head = (
        f"HTTP/1.1 {code} X\r\nX-Release: {RELEASE}\r\nX-Instance: {INSTANCE}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    if not seconds:
        connection.sendall(head.encode() + content)
        return
    connection.sendall(head.encode())
    pieces = max(1, int(seconds * PIECES_PER_SECOND))
    size = -(-len(content) // pieces)
    for at in range(0, len(content), size):
        connection.sendall(content[at : at + size])
        time.sleep(seconds / pieces)


def receipt(sent: bytes) -> bytes:
    import hashlib

    return f'{{"length": {len(sent)}, "sha256": "{hashlib.sha256(sent).hexdigest()}"}}'.encode()


def healthy() -> bool:
    global checked  # noqa: PLW0603  as above
    with lock:
        checked += 1
    if FAULT == "flaps":
        return (checked - 1) // int(AMOUNT) % 2 == 0
    return FAULT != "sick"


def misbehave() -> int:
    """The status of an answer that is no health check, if there is to be one."""
    global served  # noqa: PLW0603  as above
    with lock:
        served += 1
    if FAULT == "dies" and served >= int(AMOUNT):
        os._exit(3)
    if FAULT == "late":
        time.sleep(float(AMOUNT))
    return 500 if FAULT == "errors" else 200


def listen() -> socket.socket:
    if path := os.environ.get("CROSSFADE_SOCKET"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(1024)
        return server
    return socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=1024)


def main() -> None:
    if FAULT == "deaf":
        time.sleep(3600)
    if FAULT == "broken":
        sys.exit("no database")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with listen() as server:
        try:
            while True:
                connection, _ = server.accept()
                if server.family != socket.AF_UNIX:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=converse, args=(connection,), daemon=True).start()
        finally:
            server.close()
            end = time.monotonic() + LAST_ANSWERS
            while busy and time.monotonic() < end:
                time.sleep(0.01)


if __name__ == "__main__":
    main()
