"""moto in this process: every request is answered by one thread, so none sees another's half."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from tests.rig.dispatcher import dispatcher, models
from tests.rig.mended import mend
from tests.rig.wire import Answer
from werkzeug.test import run_wsgi_app

T = TypeVar("T")
_NOT_KEPT = {"connection", "content-length", "date", "server", "transfer-encoding"}


class Emulator:
    """`await ask(...)` for a client's request as it came; `await use(...)` with a botocore client for our own."""

    def __init__(self) -> None:
        mend()
        self._application = dispatcher()
        self._thread = ThreadPoolExecutor(1, "moto")
        self._session = botocore.session.Session()
        self._session.register_component("data_loader", models())
        self._client = cache(self._make)

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """`path` with its query, as it came over the wire."""
        return await self._run(partial(self._answer, method, f"http://127.0.0.1{path}", headers, body))

    async def use(self, service: str, region: str, work: Callable[[Any], T]) -> T:
        """`work` with a client of the service: nothing else is asked of the emulator meanwhile."""
        return await self._run(lambda: work(self._client(service, region)))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _make(self, service: str, region: str) -> Any:
        keys = {"aws_access_key_id": "rig", "aws_secret_access_key": "rig"}
        client = self._session.create_client(service, region, endpoint_url="http://127.0.0.1", **keys)
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        body = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        body = body.encode() if isinstance(body, str) else body
        headers = {n: v.decode() if isinstance(v, bytes) else v for n, v in request.headers.items()}
        made = self._answer(request.method, request.url, headers, body)
        return AWSResponse(request.url, made.status, made.headers, _Raw(made.body))

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        split = urlsplit(url)
        environ: dict[str, Any] = {
            "CONTENT_LENGTH": str(len(body)),
            "PATH_INFO": unquote(split.path, "latin-1"),  # as WSGI wants it: bytes, each a character
            "QUERY_STRING": split.query,
            "RAW_URI": f"{split.path}?{split.query}" if split.query else split.path,
            "REQUEST_METHOD": method,
            "SERVER_NAME": split.hostname,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.errors": sys.stderr,
            "wsgi.input": BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
        }
        for name, value in {"Host": "127.0.0.1", **headers}.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        host = self._application.infer_service_region_host(environ, split.path)
        if host and self._application.get_backend_for_host(host) is None:
            raise NotImplementedError(host)
        pieces, status, found = run_wsgi_app(self._application, environ)
        kept = {name: value for name, value in found.items() if name.lower() not in _NOT_KEPT}
        return Answer(int(status.split()[0]), kept, b"".join(pieces))


class _Raw(BytesIO):
    """What botocore reads an answer from."""

    def stream(self, size: int = 65536, **_: Any) -> Any:
        while piece := self.read(size):
            yield piece
