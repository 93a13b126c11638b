"""Reads an HTTP/1.1 response from bytes as they come. No I/O."""

from collections.abc import Callable

LONGEST_HEAD = 64 * 1024
START = b"HTTP/1."
SWITCHING_PROTOCOLS = 101
WITHOUT_BODY = (204, 304)

Sink = Callable[[bytes], object]


class MalformedError(Exception):
    """What came is not HTTP/1.1."""


class Response:
    """Status, headers, and the body unless it went to a sink."""

    __slots__ = ("_head", "_names", "body", "status")

    def __init__(self, status: int, head: bytes) -> None:
        self.status = status
        self.body = bytearray()
        self._head = head
        self._names = head.lower()

    def header(self, name: str) -> str | None:
        """The value of the first header of this name, given in lower case."""
        needle = b"\r\n" + name.encode() + b":"
        start = self._names.find(needle)
        if start < 0:
            return None
        start += len(needle)
        return self._head[start : self._head.find(b"\r\n", start)].strip().decode("latin-1")

    def headers(self, name: str) -> list[str]:
        """The values of all headers of this name, given in lower case: a server may set several cookies."""
        lines = (line.partition(b":") for line in self._head.split(b"\r\n")[1:])
        return [value.strip().decode("latin-1") for known, _, value in lines if known.strip().lower() == name.encode()]


OnHead = Callable[[Response], Sink | None]


def parse_head(head: bytes) -> Response:
    """The response without its body; `head` ends with the last header's line end.

    Raises:
        MalformedError: it does not start with a status line.
    """
    status = head[9:12]
    if not head.startswith(START) or not status.isdigit():
        raise MalformedError(f"not a status line: {head[:40]!r}")
    return Response(int(status), head)


class ResponseReader:
    """Feed it bytes until `done`. `on_head`, called with the complete head, may return where the body shall go."""

    def __init__(self, on_head: OnHead | None = None) -> None:
        self.response: Response | None = None
        self.done = False
        self.keep_alive = False
        self.rest = b""  # not read yet; after the end: bytes that do not belong to this response
        self._on_head = on_head
        self._sink: Sink | None = None
        self._left = 0  # bytes of the body, or of the chunk with its line end, that are still to come
        self._step = self._read_head

    @property
    def began(self) -> bool:
        """True once any byte of an answer has come."""
        return self.response is not None or bool(self.rest)

    def feed(self, data: bytes) -> None:
        """Raises MalformedError when this is not HTTP/1.1; nothing can be read from the connection after that."""
        self.rest = self.rest + data if self.rest else data
        while not self.done and self._step():
            pass

    def end(self) -> bool:
        """The connection ended. True when that completes the response: it had neither length nor chunks."""
        if self.response is not None and self._step == self._read_until_close:
            self.done = True
        return self.done

    def _read_head(self) -> bool:
        end = self.rest.find(b"\r\n\r\n")
        if end < 0:
            # Garbage is told at once, not when it turns out that it never ends.
            if self.rest[: len(START)] != START[: len(self.rest)] or len(self.rest) > LONGEST_HEAD:
                raise MalformedError(f"not a response: {self.rest[:40]!r}")
            return False
        response = parse_head(self.rest[: end + 2])
        self.rest = self.rest[end + 4 :]
        if response.status < 200 and response.status != SWITCHING_PROTOCOLS:  # noqa: PLR2004 - 1xx: more will follow
            return True
        self.response = response
        self._choose_framing(response)
        self._sink = (self._on_head and self._on_head(response)) or response.body.extend
        return True

    def _choose_framing(self, response: Response) -> None:
        length = response.header("content-length")
        self.keep_alive = "close" not in (response.header("connection") or "").lower()
        if response.status in WITHOUT_BODY or response.status == SWITCHING_PROTOCOLS:
            self.done = True
        elif "chunked" in (response.header("transfer-encoding") or "").lower():
            self._step = self._read_chunk_size
        elif length is None:
            self.keep_alive = False
            self._step = self._read_until_close
        elif length.isdigit():
            self._left = int(length)
            self._step = self._read_length
            self.done = self._left == 0
        else:
            raise MalformedError(f"content-length {length!r}")

    def _take(self, most: int) -> int:
        """Hands at most this many bytes of the body on; returns how many."""
        taken = self.rest[:most]
        self.rest = self.rest[most:]
        if taken and self._sink:
            self._sink(taken)
        return len(taken)

    def _read_length(self) -> bool:
        self._left -= self._take(self._left)
        self.done = self._left == 0
        return False

    def _read_until_close(self) -> bool:
        self._take(len(self.rest))
        return False

    def _read_chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            raise MalformedError(f"chunk size {line[:40]!r}") from None
        self._step = self._read_chunk if self._left else self._read_trailer
        return True

    def _read_chunk(self) -> bool:
        self._left -= self._take(self._left)
        if self._left:
            return False
        self._step = self._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if line:
            raise MalformedError(f"a chunk is longer than its size: {line[:40]!r}")
        self._step = self._read_chunk_size
        return True

    def _read_trailer(self) -> bool:
        line = self._line()
        self.done = line == b""
        return line is not None

    def _line(self) -> bytes | None:
        line, end, rest = self.rest.partition(b"\r\n")
        if not end:
            if len(line) > LONGEST_HEAD:
                raise MalformedError(f"a line without an end: {line[:40]!r}")
            return None
        self.rest = rest
        return line
