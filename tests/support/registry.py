"""A container registry on loopback: what Docker needs to push an image, to pull it, and to ask what a tag is."""

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SIGNED = "X-Amz-Signature"  # in the address of a blob, which then needs no login


@dataclass(frozen=True, slots=True)
class Pushed:
    """A manifest that came, and who brought it: the credentials of Basic, as they were sent."""

    by: str
    repository: str
    name: str  # tag or digest
    media: str
    text: bytes


class Registry(ThreadingHTTPServer):
    """Everything in memory. `asked` counts questions for manifests; a `closed` one answers 503 to everything.

    With `lets_in` it asks who one is; `heard` is told of manifests.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}  # by tag and by digest: media type and text
        self.uploads: dict[str, bytes] = {}
        self.asked = 0
        self.closed = False
        self.lets_in: Callable[[str], bool] | None = None
        self.heard: Callable[[Pushed], None] = lambda _: None

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def registry() -> Iterator[Registry]:
    server = Registry()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Registry

    def log_message(self, *_: Any) -> None: ...

    def _answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(503 if self.server.closed else status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _sent(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = b""
        while size := int(self.rfile.readline(), 16):
            sent += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return sent

    @property
    def _who(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Basic ")

    def _refused(self) -> bool:
        signed = self.command == "GET" and SIGNED in parse_qs(urlsplit(self.path).query)
        if self.server.lets_in is None or signed or self.server.lets_in(self._who):
            return False
        self._sent()
        self._answer(401, WWW_Authenticate='Basic realm="registry"')
        return True

    def do_GET(self) -> None:
        if self._refused():
            return
        path = urlsplit(self.path).path
        kind, _, name = path.rpartition("/")
        if kind.endswith("/manifests"):
            self.server.asked += 1
            if name in self.server.manifests:
                media, text = self.server.manifests[name]
                self._answer(200, text, Content_Type=media, Docker_Content_Digest=_digest(text))
                return
        elif kind.endswith("/blobs") and name in self.server.blobs:
            self._answer(200, self.server.blobs[name], Docker_Content_Digest=name)
            return
        self._answer(200 if path == "/v2/" else 404)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        if self._refused():
            return
        self._sent()
        upload = uuid.uuid4().hex
        self.server.uploads[upload] = b""
        self._answer(202, Location=f"{urlsplit(self.path).path.rstrip('/')}/{upload}")

    def do_PATCH(self) -> None:
        if self._refused():
            return
        upload = self.path.rpartition("/")[2]
        self.server.uploads[upload] += self._sent()
        self._answer(202, Location=self.path, Range=f"0-{len(self.server.uploads[upload]) - 1}")

    def do_PUT(self) -> None:
        if self._refused():
            return
        sent, parts = self._sent(), urlsplit(self.path)
        kind, _, name = parts.path.rpartition("/")
        if kind.endswith("/manifests"):
            for key in (name, _digest(sent)):
                self.server.manifests[key] = (self.headers["Content-Type"], sent)
            repository = kind.removeprefix("/v2/").removesuffix("/manifests")
            self.server.heard(Pushed(self._who, repository, name, self.headers["Content-Type"], sent))
            self._answer(201, Docker_Content_Digest=_digest(sent))
        else:
            self.server.blobs[parse_qs(parts.query)["digest"][0]] = self.server.uploads.pop(name) + sent
            self._answer(201)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
