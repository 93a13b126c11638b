"""A client of server-sent events: one stream, whose ids must follow each other."""

import asyncio

from crossfade.load.client import Answer, Client, Finished
from crossfade.load.connection import Connection
from crossfade.load.report import Cause, Mode
from crossfade.load.response import Response, Sink
from crossfade.load.tally import Lost, Tally
from crossfade.load.target import LoadTarget

OK = 200
# A browser waits seconds before it opens a stream again; without any wait, a server that ends streams at once while it
# goes would be asked a thousand times more.
PAUSE_BEFORE_RETURN = 0.1


class EventLines:
    """Splits a stream into the ids of its events; None for an event without one.

    Only what has data is an event: comments, which streams send as a heartbeat, and a lone `retry:` are none.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._id: str | None = None
        self._data = False

    def feed(self, data: bytes) -> list[str | None]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        events: list[str | None] = []
        for line in (line.rstrip(b"\r") for line in lines):
            name, _, value = line.partition(b":")
            if name == b"id":
                self._id = value.strip().decode("utf-8", "replace")
            elif name == b"data":
                self._data = True
            elif not line:
                if self._data:
                    events.append(self._id)
                self._id, self._data = None, False
        return events


class Ended(Exception):  # noqa: N818 - what happened, not an error
    """The server completed the stream's body: its way to say come again."""


class EventsClient(Client):
    """Opens a stream and reads it event by event; opens it again when the server ended it, from the last id on.

    A stream that breaks off without its end is cut; one that is silent for the target's timeout, too.
    """

    mode = Mode.SSE

    def __init__(self, target: LoadTarget, tally: Tally, number: int = 0) -> None:
        super().__init__(target, tally, number)
        self._path = target.paths[number % len(target.paths)]
        self._connection: Connection | None = None
        self._stream: asyncio.Task[None] | None = None
        self._news: asyncio.Queue[Response | str | Exception | None] = asyncio.Queue()
        self._heard = 0.0
        self._release: str | None = None
        self._last_id: str | None = None
        self._previous: int | None = None  # on this connection
        self._finished = False

    async def exchange(self) -> Answer:
        while True:
            if self._finished:
                raise Finished
            if self._stream is None:
                await self._open()
            news = await self._next()
            if isinstance(news, Ended):
                self.tally.told_to_close += 1
                self.close()
                await asyncio.sleep(PAUSE_BEFORE_RETURN)
            elif isinstance(news, Exception):
                raise news
            elif isinstance(news, Response):
                return self._opened(news)
            else:
                return self._event(news)

    def finish(self) -> None:
        self._finished = True
        self._news.put_nowait(Finished())

    def close(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _open(self) -> None:
        extra = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if self._last_id is not None:
            extra["Last-Event-ID"] = self._last_id
        self._connection = await self.connect()
        self._previous = None
        self._news = asyncio.Queue()
        request = self.target.head("GET", self._path, extra)
        self._stream = asyncio.create_task(self._read(self._connection, self._news, request))

    async def _read(
        self, connection: Connection, news: "asyncio.Queue[Response | str | Exception | None]", request: bytes
    ) -> None:
        """Reads one stream from its head to its end, and puts what happens into `news`."""
        began = False

        def on_head(response: Response) -> Sink:
            nonlocal began
            began = True
            lines = EventLines()
            news.put_nowait(response)

            def sink(data: bytes) -> None:
                self._heard = self.tally.clock()
                for event in lines.feed(data):
                    news.put_nowait(event)

            return sink

        self._heard = self.tally.clock()
        try:
            response = await connection.exchange(request, None, on_head)
        except Lost as loss:
            news.put_nowait(Lost(Cause.CUT, loss.detail, release=self._release) if began else loss)
            return
        chunked = response.header("transfer-encoding") is not None
        # Without chunks the end of the connection ends the body: from here a stream that was cut looks the same.
        news.put_nowait(Ended() if chunked else Lost(Cause.CUT, "ended without a last chunk", release=self._release))

    async def _next(self) -> Response | str | Exception | None:
        while True:
            silent = self.tally.clock() - self._heard
            try:
                async with asyncio.timeout(max(self.target.timeout - silent, 0)):
                    return await self._news.get()
            except TimeoutError:
                if self.tally.clock() - self._heard >= self.target.timeout:
                    raise Lost(Cause.TIMEOUT, f"silent for {self.target.timeout:g} s", release=self._release) from None

    def _opened(self, response: Response) -> Answer:
        answer = self.judge(response, self._path)
        if response.status != OK or "text/event-stream" not in (response.header("content-type") or ""):
            raise Lost(Cause.MISMATCH, f"{self._path} is not an event stream", status=response.status)
        self._release = answer.release
        return answer

    def _event(self, event: str | None) -> Answer:
        if event is None or not event.isdigit():
            raise Lost(Cause.MISMATCH, f"an event with the id {event!r} cannot be followed", release=self._release)
        previous, self._previous, self._last_id = self._previous, int(event), event
        if previous is not None and self._previous != previous + 1:
            raise Lost(Cause.MISMATCH, f"after event {previous} came {event}", release=self._release)
        return Answer(self._release, timed=False)
