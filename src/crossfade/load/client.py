"""Clients that send HTTP requests one after the other. How many, and when, is up to `LoadGenerator`."""

import base64
import functools
import hashlib
import json
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from crossfade.load.connection import Connection
from crossfade.load.report import Cause, Mode
from crossfade.load.response import OnHead, Response, Sink
from crossfade.load.tally import Lost, Tally
from crossfade.load.target import LoadTarget

SERVER_ERROR = 500
CHUNK = 16 * 1024


class Answer(NamedTuple):
    """What came back. Only HTTP answers have a status; waiting for an event to happen is not a latency (`timed`)."""

    release: str | None
    status: int | None = None
    timed: bool = True


class Finished(Exception):  # noqa: N818 - what happened, not an error
    """The client was told to finish while nothing was under way."""


class Request(NamedTuple):
    label: str
    head: bytes
    body: bytes = b""


class Client(ABC):
    """One user of the service. `number` tells the clients of one traffic apart."""

    mode: ClassVar[Mode]

    def __init__(self, target: LoadTarget, tally: Tally, number: int = 0) -> None:
        self.target = target
        self.tally = tally
        self.number = number

    async def once(self) -> bool:
        """Makes one exchange and counts it. False when it was lost."""
        sent = self.tally.clock()
        try:
            answer = await self.exchange()
        except Finished:
            return True
        except Lost as loss:
            self.close()
            self.tally.lost(self.mode, sent, loss)
            return False
        self.tally.answered(self.mode, sent, answer.status, answer.release, timed=answer.timed)
        return True

    @abstractmethod
    async def exchange(self) -> Answer:
        """Asks once and waits for the answer.

        Raises:
            Lost: no complete and right answer; a status of 500 or above is none.
            Finished: `finish` was called, and nothing was under way.
        """

    def finish(self) -> None:  # noqa: B027 - most clients only ever wait for an answer
        """No more exchanges are wanted: one that only waits for the server to speak up may end now."""

    @abstractmethod
    def close(self) -> None:
        """Ends the connection, whatever is under way."""

    async def connect(self) -> Connection:
        """A new connection, counted. Raises Lost."""
        connection = await Connection.open(self.target.endpoint, self.target.timeout)
        self.tally.connections += 1
        return connection

    def judge(self, response: Response, path: str) -> Answer:
        """Raises Lost for a server error."""
        release = self.target.release(response)
        if response.status >= SERVER_ERROR:
            raise Lost(Cause.STATUS, f"{response.status} from {path}", status=response.status, release=release)
        return Answer(release, response.status)


class KeepAliveClient(Client):
    """GETs over one connection, for as long as the server keeps it open."""

    mode = Mode.KEEPALIVE
    keep_alive = True

    def __init__(self, target: LoadTarget, tally: Tally, number: int = 0) -> None:
        super().__init__(target, tally, number)
        self.on_head: OnHead | None = None
        self._connection: Connection | None = None
        self._requests = self.build()
        self._next = number % len(self._requests)

    def build(self) -> list[Request]:
        """The requests to send in turn."""
        extra = {} if self.keep_alive else {"Connection": "close"}
        return [Request(path, self.target.head("GET", path, extra)) for path in self.target.paths]

    async def exchange(self) -> Answer:
        label, head, body = self._requests[self._next]
        self._next = (self._next + 1) % len(self._requests)
        connection = self._connection
        # A server may close an idle connection: nothing was asked on it, so nothing is lost.
        if connection is None or connection.ended():
            self.close()
            connection = self._connection = await self.connect()
        response = await connection.exchange(head + body, self.target.timeout, self.on_head)
        if not (self.keep_alive and connection.reusable):
            self.close()
        answer = self.judge(response, label)
        self.check(response, label)
        return answer

    def check(self, response: Response, label: str) -> None:
        """Raises Lost when the content of a complete answer is wrong."""

    def close(self) -> None:
        if self._connection is not None:
            self.tally.stray += self._connection.stray
            self._connection.close()
            self._connection = None


class ConnectionClient(KeepAliveClient):
    """GETs with a new connection for each."""

    mode = Mode.CONNECTION
    keep_alive = False


# What forms and API calls send, and now and then an upload of 1 MB that is under way for a while.
SIZES = (64, 512, 64, 2048, 64, 16 * 1024, 1024 * 1024)


# One copy for all clients: 64 clients with their own would hold 64 x 2 MB.
@functools.cache
def message(size: int) -> bytes:
    """A JSON body of this many bytes, as long as it is at least 14."""
    return b'{"message":"' + b"x" * (size - 14) + b'"}'


@functools.cache
def chunked(body: bytes) -> bytes:
    """The body in chunks of 16 kB, as the wire carries it."""
    pieces = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@functools.cache
def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class PostClient(KeepAliveClient):
    """POSTs of all sizes, each with a Content-Length and chunked. An answer in JSON that says `length` or `sha256` of
    what arrived must be right.
    """

    mode = Mode.POST

    def __init__(self, target: LoadTarget, tally: Tally, number: int = 0) -> None:
        self._bodies = target.bodies or tuple(message(size) for size in SIZES)
        super().__init__(target, tally, number)

    def build(self) -> list[Request]:
        path = self.target.paths[0]
        requests = []
        for body in self._bodies:
            plain = {"Content-Type": "application/json", "Content-Length": str(len(body))}
            pieces = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
            label = f"{path} ({len(body)} bytes)"
            requests += [
                Request(label, self.target.head("POST", path, plain), body),
                Request(f"{label}, chunked", self.target.head("POST", path, pieces), chunked(body)),
            ]
        return requests

    def check(self, response: Response, label: str) -> None:
        try:
            said = json.loads(response.body)
        except (ValueError, RecursionError):
            return
        sent = self._bodies[(self._next - 1) // 2]  # two requests a body; -1 // 2 is the last body, as it should be
        truth = {"length": len(sent), "sha256": sha256(sent)}
        if isinstance(said, dict) and any(said.get(name, value) != value for name, value in truth.items()):
            raise Lost(Cause.MISMATCH, f"{label} arrived as {bytes(response.body[:80])!r}", status=response.status)


class DownloadClient(KeepAliveClient):
    """Downloads, hashed as they come. A `Repr-Digest: sha-256=:...:` header (RFC 9530) must match the body; whether all
    of it came is told by its Content-Length or its last chunk, so an answer that has neither is a mismatch.
    """

    mode = Mode.DOWNLOAD

    def __init__(self, target: LoadTarget, tally: Tally, number: int = 0) -> None:
        super().__init__(target, tally, number)
        self.on_head = self._begin
        self._hash = hashlib.sha256()

    def _begin(self, _: Response) -> Sink:
        self._hash = hashlib.sha256()
        return self._hash.update

    def check(self, response: Response, label: str) -> None:
        if response.header("content-length") is None and response.header("transfer-encoding") is None:
            raise Lost(Cause.MISMATCH, f"{label}: without a length, who knows if it is all", status=response.status)
        promised = response.header("repr-digest") or ""
        found = f"sha-256=:{base64.b64encode(self._hash.digest()).decode()}:"
        if promised.startswith("sha-256=") and promised != found:
            raise Lost(Cause.MISMATCH, f"{label} is {found}, not {promised}", status=response.status)
