import asyncio

import pytest
from tests.unit.load import wire
from tests.unit.load.conftest import Serve

from crossfade.load import Cause, LoadGenerator, Mode
from crossfade.load.events import EventLines

HEAD = (
    b"HTTP/1.1 200 OK\r\nX-Release: 1\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


def chunk(text: str) -> bytes:
    return f"{len(text):x}\r\n{text}\r\n".encode()


def event(number: int) -> bytes:
    return chunk(f"id: {number}\ndata: x\n\n")


def test_events_are_found_however_they_are_cut() -> None:
    """Only what has data is an event; comments and a lone retry are none; lines may end in either way."""
    stream = b"retry: 100\n\nid: 1\ndata: a\n\n: heartbeat\n\nid: 2\r\ndata: b\r\n\r\ndata: c\n\n"
    for size in (1, 3, 100):
        lines = EventLines()
        pieces = (stream[start : start + size] for start in range(0, len(stream), size))
        assert [found for piece in pieces for found in lines.feed(piece)] == ["1", "2", None]


class Streams:
    """One script of chunks a connection, the last for ever. Keeps what readers sent as their last id."""

    def __init__(self, *scripts: list[bytes]) -> None:
        self.scripts = list(scripts)
        self.last_ids: list[bytes | None] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _ = await wire.request(reader)
        found = [line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Last-Event-ID")]
        self.last_ids.append(found[0] if found else None)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for piece in script:
            writer.write(piece)
            await asyncio.sleep(0.002)
        if script[-1] == b"":
            await reader.read()


async def test_a_stream_that_is_ended_is_told_to_close(serve: Serve) -> None:
    """A body that ends with its last chunk is no loss: the reader comes again, with the last id it saw."""
    streams = Streams([HEAD, event(1), event(2), END], [HEAD, event(3), event(4), b""])
    report = await LoadGenerator(await serve(streams), clients=1, mode="sse", requests=6).run()
    assert (report.requests, report.failed, report.told_to_close, report.connections) == (6, 0, 1, 2)
    assert streams.last_ids == [None, b"2"]
    assert report.modes[Mode.SSE].requests == report.releases["1"].requests == 6
    assert sum(report.latency.buckets.values()) == 2


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ([HEAD, event(1)], Cause.CUT),
        ([HEAD.replace(b"Transfer-Encoding: chunked\r\n", b""), b"id: 1\ndata: x\n\n"], Cause.CUT),
        ([HEAD, event(1) + event(3)], Cause.MISMATCH),
        ([HEAD, event(1) + chunk("data: x\n\n")], Cause.MISMATCH),
        ([HEAD, event(1), b""], Cause.TIMEOUT),
    ],
)
async def test_a_stream_that_breaks_off_or_skips_is_a_loss(serve: Serve, script: list[bytes], cause: Cause) -> None:
    """A stream without its last chunk is cut; ids with a gap, or none, are a mismatch; silence is a timeout."""
    report = await LoadGenerator(await serve(Streams(script)), clients=1, mode="sse", requests=3, timeout=1.0).run()
    assert (report.requests, report.causes, report.told_to_close) == (3, {cause: 1}, 0)


async def test_a_heartbeat_breaks_the_silence(serve: Serve) -> None:
    """Comments are no events, but who sends them is alive."""
    script = [HEAD, *[chunk(": heartbeat\n\n"), *[b""] * 15] * 25, event(1), b""]
    report = await LoadGenerator(await serve(Streams(script)), clients=1, mode="sse", requests=2, timeout=0.4).run()
    assert (report.requests, report.failed) == (2, 0)


@pytest.mark.parametrize(
    ("head", "cause"), [(wire.answer(status=503), Cause.STATUS), (wire.answer(status=404), Cause.MISMATCH)]
)
async def test_an_answer_that_is_no_stream_is_a_loss(serve: Serve, head: bytes, cause: Cause) -> None:
    """An error, or a page, is not an event stream."""
    report = await LoadGenerator(await serve(Streams([head])), clients=1, mode="sse", requests=2).run()
    assert report.causes == {cause: 2}


async def test_a_reader_at_rest_ends_at_once(serve: Serve) -> None:
    """Who stops does not wait for an event that may never come, and waiting for it was not a request."""
    async with (
        asyncio.timeout(30),
        LoadGenerator(await serve(Streams([HEAD, event(1), b""])), clients=3, mode="sse", timeout=60) as traffic,
    ):
        while traffic.snapshot().requests < 6:  # noqa: ASYNC110  a server in this loop
            await asyncio.sleep(0.01)
    assert (traffic.report().requests, traffic.report().failed) == (6, 0)
