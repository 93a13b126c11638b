"""A tiny HTTP server that stands for an instance: it says its name and misbehaves when asked to."""

import asyncio
import base64
import contextlib
import hashlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Self

from tests.support.ports import free_port

_ROOT = Path(__file__).parents[2]
_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Backend:
    """Serves on 127.0.0.1 in this process, or on a Unix socket. `seen` are its requests in order, health checks aside.

    /fail answers 500, /slow after 1 s, /hold when `gate` is set, /begin at once and ends
    when `gate` is set, /hint says a 103 before, /die closes unanswered, /cut in the middle of its
    body, /stub so at once, /headers says what came, /events streams, /echo is a WebSocket, /health answers
    `healthy` after `health_takes`. What it `lacks` gets a 404, or as in many sites a page.
    """

    def __init__(self, name: str, port: int = 0, socket: Path | None = None) -> None:
        self.name = name
        self.port = port
        self.socket = socket
        self.healthy = True
        self.health_takes = 0.0  # seconds
        self.seen: list[str] = []
        self.checks = 0
        self.lacks: dict[str, str] = {}  # path -> what it gets instead: "404", or "page"
        self.gate = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"unix:{self.socket}" if self.socket else f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        if self.socket:
            self._server = await asyncio.start_unix_server(self._serve, self.socket, backlog=512)
            return self
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Gone at once: the port refuses and every connection is reset."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await self._discard_body(head, reader)
                if not await self._answer(head, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _discard_body(self, head: str, reader: asyncio.StreamReader) -> None:
        length = _header(head, "content-length")
        if length:
            await reader.readexactly(int(length))
        elif _header(head, "transfer-encoding"):
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        path = head.split(" ", 2)[1].partition("?")[0]
        if path == "/health":
            self.checks += 1
            await asyncio.sleep(self.health_takes)
            self._send(writer, 200 if self.healthy else 503, "healthy")
            return True
        self.seen.append(path)
        match path.rpartition("/")[2]:
            case "fail":
                self._send(writer, 500, self.name)
            case "slow" | "hold" as how:
                await (asyncio.sleep(1.0) if how == "slow" else self.gate.wait())
                self._send(writer, 200, self.name)
            case "begin":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{")
                await self.gate.wait()
                writer.write(b"}")
            case "headers":
                self._send(writer, 200, head)
            case "hint":
                writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n")
                self._send(writer, 200, self.name)
            case "die" | "cut" | "stub" as how:
                await self._break_off(how, writer)
                return False
            case "events":
                await self._events(writer)
            case "echo":
                await self._echo(head, reader, writer)
                return False
            case _:
                self._send(writer, *self._page(path))
        await writer.drain()
        return True

    async def _break_off(self, how: str, writer: asyncio.StreamWriter) -> None:
        if how != "die":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
            await writer.drain()
        if how == "cut":
            await asyncio.sleep(0.05)
        if how != "stub":
            writer.transport.abort()

    def _page(self, path: str) -> tuple[int, str, str]:
        instead = self.lacks.get(path)
        if instead is None:
            return 200, self.name, ""
        return 404 if instead == "404" else 200, f"page of {self.name}", "text/html"

    def _send(self, writer: asyncio.StreamWriter, code: int, body: str, kind: str = "") -> None:
        data = body.encode()
        said = f"content-type: {kind}\r\n" if kind else ""
        head = (
            f"HTTP/1.1 {code} X\r\ncontent-length: {len(data)}\r\n{said}x-release: {self.name}\r\nserver: tiny\r\n\r\n"
        )
        writer.write(head.encode() + data)

    async def _events(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            event = f"data: {self.name}\n\n".encode()
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.05)

    async def _echo(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accept a WebSocket and send every byte of a frame back as it came, as raw bytes after the handshake."""
        key = _header(head, "sec-websocket-key").encode()
        accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-accept: {accept}\r\n\r\n".encode()
        )
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def _header(head: str, name: str) -> str:
    for line in head.split("\r\n")[1:]:
        field, _, value = line.partition(":")
        if field.strip().lower() == name:
            return value.strip()
    return ""


@contextmanager
def process(name: str) -> Iterator[tuple[Popen[bytes], str]]:
    """The same server in a process of its own, which a test may kill; (process, address)."""
    port = free_port()
    with Popen([sys.executable, "-m", __name__, name, str(port)], stdout=DEVNULL, cwd=_ROOT) as child:
        try:
            yield child, f"127.0.0.1:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGKILL)


async def _main() -> None:
    async with Backend(sys.argv[1], int(sys.argv[2])):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
