"""One HTTP answer as our own API gives it: a known length, or chunks.

`http.client` would do, and takes half of what `crossfade status` does: it loads TLS and the parser for mail (ADR 14).
"""

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self


class BrokenOffError(Exception):
    """The other side went away before its answer was complete."""


class AnswerReader:
    """The reader of one answer from a connection, which ends with it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        words = self._line().split(b" ")
        if len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004  HTTP/1.1 200 OK
            raise BrokenOffError("its answer is not HTTP")
        self.status = int(words[1])
        headers = {}
        while line := self._line():
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        self._length = (
            None if headers.get(b"transfer-encoding") == b"chunked" else int(headers.get(b"content-length", b"0"))
        )

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self._parts())

    def lines(self) -> Iterator[bytes]:
        """Each line as soon as it is there."""
        begun = b""
        for part in self._parts():
            *whole, begun = (begun + part).split(b"\n")
            yield from whole
        if begun:
            yield begun

    def _parts(self) -> Iterator[bytes]:
        if self._length is not None:
            yield self._exactly(self._length)
            return
        while size := int(self._line(), 16):
            yield self._exactly(size)
            self._line()

    def _exactly(self, size: int) -> bytes:
        content = self._file.read(size)
        if len(content) < size:
            raise BrokenOffError("it broke off its answer")
        return content

    def _line(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise BrokenOffError("it broke off its answer")
        return line.rstrip(b"\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._connection.close()
