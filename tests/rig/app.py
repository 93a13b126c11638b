"""The app that tasks of the rig run: says its release, misbehaves as it is told, and is unkind on SIGTERM.

/health (or HEALTH), / (the release), /slow?s=0.1, /env/NAME (a variable's value). It ends at once on SIGTERM, whatever
it is answering: an engine that relies on an app's kindness loses requests here. BOOT=S: not healthy for S seconds.
FAULT: `sick` says 503 on /health, `errors` 500 on all else, `late=S` answers after S seconds, `broken` exits with 1 at
once, `dies=S` exits with 3 after S seconds, `hungry` takes memory until it is killed, `deaf` never listens, `mute` does
not answer health checks, `stubborn` does not hear SIGTERM.
"""

import heapq
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable

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


class App:
    """One thread without asyncio, which alone would take five times as long to start as all of this."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._later, (time.monotonic() + seconds, self._count, act))

    def hear(self, connection: socket.socket, act: Callable[[], object]) -> None:
        """`act` whenever something has come."""
        self._selector.register(connection, selectors.EVENT_READ, act)

    def forget(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        connection.close()

    def serve(self) -> None:
        listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=1024)
        self.hear(listener, lambda: Conversation(self, listener.accept()[0]))
        while True:
            due = self._later[0][0] - time.monotonic() if self._later else None
            for key, _ in self._selector.select(due if due is None else max(0.0, due)):
                key.data()
            while self._later and self._later[0][0] <= time.monotonic():
                heapq.heappop(self._later)[-1]()


class Conversation:
    """Answers one request after the other until the client leaves."""

    def __init__(self, app: App, connection: socket.socket) -> None:
        self._app, self._connection, self._heard, self._answering = app, connection, b"", False
        app.hear(connection, self._hear)

    def _hear(self) -> None:
        try:
            said = self._connection.recv(2**16)
        except OSError:
            said = b""
        self._heard += said
        if said:
            self._go_on()
        else:
            self._end()

    def _go_on(self) -> None:
        head, whole, rest = self._heard.partition(b"\r\n\r\n")
        if self._answering or not whole:
            return
        line, *headers = head.split(b"\r\n")
        named = dict(header.lower().split(b":", 1) for header in headers)
        length = int(named.get(b"content-length", 0))
        if len(rest) < length:
            return
        self._heard, self._answering = rest[length:], True
        path = line.split()[1].decode()
        status, late = answer(path)
        if late:
            self._app.later(late, lambda: self._answer(status, path))
        else:
            self._answer(status, path)

    def _answer(self, status: int, path: str) -> None:
        named = path.removeprefix("/env/") if path.startswith("/env/") else "RELEASE"
        body = os.environ.get(named, RELEASE if named == "RELEASE" else "").encode()
        said = f"HTTP/1.1 {status} X\r\nX-Release: {RELEASE}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._answering = False
        try:
            self._connection.sendall(said.encode() + body)
        except OSError:
            self._end()
        else:
            self._go_on()

    def _end(self) -> None:
        if self._connection.fileno() >= 0:
            self._app.forget(self._connection)


def eat(app: App, taken: bytearray) -> None:
    taken += b"x" * 2**24
    if len(taken) < _MOST:
        app.later(0.01, lambda: eat(app, taken))


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN if FAULT == "stubborn" else lambda *_: os._exit(0))
    sys.stdout.write(f"release {RELEASE} starts\n")
    sys.stdout.flush()
    if FAULT == "broken":
        raise RuntimeError("no database")
    app = App()
    if FAULT == "dies":
        app.later(float(AMOUNT), lambda: os._exit(3))
    if FAULT == "deaf":
        time.sleep(3600)
    if FAULT == "hungry":
        app.later(0.01, lambda: eat(app, bytearray()))
    app.serve()


if __name__ == "__main__":
    main()
