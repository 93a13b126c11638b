"""A folder as an ASGI application."""

import gzip
from pathlib import Path
from urllib.parse import quote

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from crossfade.platforms.local.static.asked import encodings, names, same, wants_page
from crossfade.platforms.local.static.folder import Served, index

_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"  # it may be kept, and is asked for with its ETag each time
_PACKED = 64 << 20  # bytes of packed files that are kept in memory; what comes after them is packed each time


class StaticSite:
    """Serves what is in `folder` now. `fallback` is the page of what is not there, of sites that are one page."""

    def __init__(self, folder: Path, fallback: str = "", immutable: tuple[str, ...] = ()) -> None:
        self._files = index(folder, immutable)
        self._fallback = self._files.get(fallback)
        self._missing = self._files.get("404.html")
        self._packed: dict[str, bytes] = {}  # by etag

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        answer = await self._answer(request)
        answer.headers["x-content-type-options"] = "nosniff"
        await answer(_without_stale_range(request, answer), receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path if request.scope["path"] == "" else request.scope["path"]
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse("Method not allowed.\n", 405, {"allow": "GET, HEAD"})
        for name in names(path):
            if file := self._files.get(name):
                return await self._file(request, file)
        if f"{path.removeprefix('/')}/index.html" in self._files:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{quote(path)}/{query}", 308, {"cache-control": _ASK_FIRST})
        if wants_page(path, request.headers):
            if self._fallback:
                return await self._file(request, self._fallback)
            if self._missing:
                return await self._file(request, self._missing, 404)
        return PlainTextResponse("Not found.\n", 404, {"cache-control": _ASK_FIRST})

    async def _file(self, request: Request, file: Served, status: int = 200) -> Response:
        """Parts of a file are parts of it as it is; whole it may be packed."""
        headers = {"cache-control": _FOREVER if file.immutable and status == 200 else _ASK_FIRST}  # noqa: PLR2004
        encoding = ""
        if file.packable or file.packed:
            headers["vary"] = "Accept-Encoding"
            encoding = "" if "range" in request.headers else self._encoding(request, file)
        headers["etag"] = f'"{file.etag}{f"-{encoding}" if encoding else ""}"'
        if status == 200 and same(request.headers.get("if-none-match", ""), headers["etag"]):  # noqa: PLR2004
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["content-encoding"] = encoding
        if encoding and encoding not in file.packed:
            packed = await self._pack(file)
            body = packed if request.method == "GET" else b""
            return Response(body, status, {**headers, "content-length": str(len(packed))}, file.kind)
        path = file.packed[encoding] if encoding else file.path
        answer = FileResponse(path, status, headers, file.kind, stat_result=path.stat())
        del answer.headers["last-modified"]  # of the copy, and no word on the content
        return answer

    def _encoding(self, request: Request, file: Served) -> str:
        wanted = encodings(request.headers.get("accept-encoding", ""))
        return next((one for one in wanted if one in file.packed or (one == "gzip" and file.packable)), "")

    async def _pack(self, file: Served) -> bytes:
        known = self._packed.get(file.etag)
        if known is None:
            known = await anyio.to_thread.run_sync(lambda: gzip.compress(file.path.read_bytes(), 6, mtime=0))
            if sum(map(len, self._packed.values())) + len(known) <= _PACKED:
                self._packed[file.etag] = known
        return known


def _without_stale_range(request: Request, answer: Response) -> Scope:
    """With If-Range a part is asked of the content that is known already: of any other all is sent."""
    known = request.headers.get("if-range")
    left_out = {b"if-range"} | ({b"range"} if known is not None and known != answer.headers.get("etag") else set())
    return {**request.scope, "headers": [one for one in request.scope["headers"] if one[0] not in left_out]}
