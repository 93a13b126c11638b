import asyncio
import base64
import hashlib
import json

import pytest
from tests.unit.load import wire
from tests.unit.load.conftest import Handler, Serve, leap

from crossfade.load import Cause, LoadGenerator, LoadReport, Mode


async def run(url: str, requests: int = 10, **options: object) -> LoadReport:
    """A bounded run of one client, so that every count is exact."""
    async with asyncio.timeout(20):
        return await LoadGenerator(url, clients=1, requests=requests, **options).run()  # type: ignore[arg-type]


def scripted(*answers: bytes | None) -> Handler:
    """Answers the requests of all connections in turn, the last answer for ever; None resets instead.

    An answer that does not end in hello is followed by the end of the connection.
    """
    left = list(answers)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await wire.request(reader)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer is None:
                wire.reset(writer)
                return
            writer.write(answer)
            if not answer.endswith(b"hello"):
                return

    return handler


async def test_a_good_server_loses_nothing(serve: Serve) -> None:
    """Every request to a good server is counted once, on one connection, with its status and release."""
    report = await run(await serve(scripted(wire.answer())), 50)
    assert (report.requests, report.failed, report.connections) == (50, 0, 1)
    assert report.statuses == {200: 50}
    assert report.releases["1"].requests == 50
    assert sum(report.latency.buckets.values()) == 50


async def test_a_client_error_is_an_answer(serve: Serve) -> None:
    """A 404 is an answer, not a loss."""
    report = await run(await serve(scripted(wire.answer(status=404))))
    assert (report.failed, report.statuses) == (0, {404: 10})


async def test_a_server_error_is_a_loss(serve: Serve) -> None:
    """Each 500 and each 503 is lost, and both are counted by status and by release."""
    broken = wire.answer(status=500, release="2")
    away = wire.answer(status=503, release="2")
    report = await run(await serve(scripted(broken, away, wire.answer())))
    assert report.causes == {Cause.STATUS: 2}
    assert report.statuses == {500: 1, 503: 1, 200: 8}
    assert (report.releases["2"].failed, report.releases["1"].failed) == (2, 0)
    assert report.losses[0].detail == "500 from /"


async def test_a_reset_after_the_request_is_a_loss(serve: Serve) -> None:
    """A connection that is reset with a request on it loses that request, and no other."""
    report = await run(await serve(scripted(None, None, wire.answer())))
    assert (report.requests, report.causes) == (10, {Cause.RESET: 2})


async def test_a_close_after_the_request_is_a_loss(serve: Serve) -> None:
    """A connection that is closed with a request on it, before any answer, loses that request."""
    report = await run(await serve(scripted(b"", wire.answer(), b"", wire.answer())))
    assert (report.requests, report.causes, report.connections) == (10, {Cause.CLOSED: 2}, 3)


@pytest.mark.parametrize(
    "part",
    [
        wire.answer()[:-1],
        wire.answer()[:20],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
async def test_an_incomplete_answer_is_a_loss(serve: Serve, part: bytes) -> None:
    """An answer that ends in its head, in its body, or before the last chunk is lost."""
    report = await run(await serve(scripted(part, wire.answer())))
    assert (report.requests, report.causes) == (10, {Cause.TRUNCATED: 1})


async def test_no_server_is_a_loss(serve: Serve) -> None:
    """Without anyone listening each request is refused, and no client asks so fast that only refusals are counted."""
    url = await serve(scripted(wire.answer()))
    free = url.replace(url.rpartition(":")[2], "1")
    started = asyncio.get_running_loop().time()
    report = await run(free, 5)
    assert (report.requests, report.causes, report.connections) == (5, {Cause.REFUSED: 5}, 0)
    assert asyncio.get_running_loop().time() - started >= 0.04


async def test_silence_is_a_loss(serve: Serve) -> None:
    """A request without an answer in time is lost, in the middle of the body as well as before it."""
    said = [wire.answer()[:-1], b""]

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.request(reader)
        writer.write(said.pop(0))
        await asyncio.sleep(0.1)  # what is written is there before a timer of the same moment
        leap(5.0)
        await wire.request(reader)

    report = await run(await serve(slow), 2, timeout=5.0)
    assert report.causes == {Cause.TIMEOUT: 2}
    assert [loss.detail for loss in report.losses] == ["in the middle of the response", "waiting for the response"]


async def test_an_answer_at_the_last_moment_is_an_answer(serve: Serve) -> None:
    """When the answer and the timeout meet, because this machine was busy, the answer counts and so does the next."""

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.request(reader)
        writer.write(wire.answer())
        leap(5.0)  # the client shares this event loop, and finds the answer and its timer in one turn of it
        await wire.request(reader)
        writer.write(wire.answer())

    report = await run(await serve(busy), 2, timeout=5.0)
    assert (report.requests, report.failed) == (2, 0)


async def test_garbage_is_a_loss(serve: Serve) -> None:
    """An answer that is not HTTP is lost."""
    report = await run(await serve(scripted(b"220 smtp.example.com ready\r\nhello", wire.answer())))
    assert report.causes == {Cause.MALFORMED: 1}


async def test_stray_bytes_after_an_answer_cost_the_connection_and_no_request(serve: Serve) -> None:
    """Bytes behind a complete answer belong to no request: the answer counts, the connection is given up."""
    report = await run(await serve(scripted(wire.answer() + wire.answer(), wire.answer())))
    assert (report.requests, report.failed, report.stray, report.connections) == (10, 0, 1, 2)


async def test_an_idle_connection_may_be_closed(serve: Serve) -> None:
    """A server that closes the connection between two requests loses nothing: the next one opens a new connection."""

    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.request(reader)
        writer.write(wire.answer())

    report = await run(await serve(closes), rate=100)
    assert (report.requests, report.failed, report.connections) == (10, 0, 10)


async def test_an_idle_connection_may_be_reset(serve: Serve) -> None:
    """The same for a reset between two requests."""

    async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.request(reader)
        writer.write(wire.answer())
        await asyncio.sleep(0.001)
        wire.reset(writer)

    # After a stall the client makes up for it at once, before the reset; 250 ms are more than a stall is long.
    report = await run(await serve(resets), rate=4)
    assert (report.requests, report.failed, report.connections) == (10, 0, 10)


async def test_connection_close_is_obeyed(serve: Serve) -> None:
    """After `Connection: close` the next request takes a new connection."""
    closing = scripted(wire.answer(headers="Connection: close\r\n"), wire.answer())
    report = await run(await serve(closing))
    assert (report.failed, report.connections) == (0, 2)


async def test_a_body_without_length_ends_with_its_connection(serve: Serve) -> None:
    """An answer in the manner of HTTP/1.0 is complete when the connection closes."""
    report = await run(await serve(scripted(b"HTTP/1.1 200 OK\r\nX-Release: 1\r\n\r\nold!")), 3)
    assert (report.requests, report.failed, report.connections) == (3, 0, 3)


async def test_a_new_connection_for_each_request(serve: Serve) -> None:
    """In connection mode each request has its own, and says so."""
    heads: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await wire.request(reader))[0])
        writer.write(wire.answer())

    report = await run(await serve(handler), mode=Mode.CONNECTION)
    assert (report.requests, report.failed, report.connections) == (10, 0, 10)
    assert all(b"\r\nConnection: close\r\n" in head for head in heads)


async def test_paths_take_turns_and_headers_are_sent(serve: Serve) -> None:
    """Several paths are asked in turn, with the given headers, which win over our own."""
    heads: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await wire.request(reader))[0])
            writer.write(wire.answer())

    await run(await serve(handler), 4, path=["/a", "/b?c=d"], headers={"Host": "api.example.com", "X-Preview": "1"})
    assert [head.split()[1] for head in heads] == [b"/a", b"/b?c=d", b"/a", b"/b?c=d"]
    assert all(b"Host: api.example.com\r\n" in head and b"X-Preview: 1\r\n" in head for head in heads)


async def test_the_release_may_stand_in_the_body(serve: Serve) -> None:
    """A pattern finds the release in the body where no header names it."""
    url = await serve(scripted(wire.answer(b'{"version": "2.1"}hello', release="")))
    report = await run(url, release_pattern='"version": "([^"]+)"')
    assert list(report.releases) == ["2.1"]


async def test_posts_arrive_as_they_were_sent(serve: Serve) -> None:
    """Bodies of every size arrive whole, with a length and chunked, up to 1 MB."""
    lengths: list[int] = []

    async def receipt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, body = await wire.request(reader)
            lengths.append(len(body))
            json.loads(body)
            receipt = json.dumps({"length": len(body), "sha256": hashlib.sha256(body).hexdigest()})
            writer.write(wire.answer(receipt.encode()))

    report = await run(await serve(receipt), 14, mode="post")
    assert (report.requests, report.failed) == (14, 0)
    assert lengths == [64, 64, 512, 512, 64, 64, 2048, 2048, 64, 64, 16384, 16384, 2**20, 2**20]


async def test_an_answer_before_the_end_of_the_body_costs_the_connection(serve: Serve) -> None:
    """Who is answered before all of the body was sent has an answer; the next request takes a new connection."""

    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wire.answer(status=413))
        await asyncio.sleep(0.2)

    report = await run(await serve(impatient), 4, mode="post", bodies=[b"x" * 2**25])
    assert (report.requests, report.failed, report.statuses, report.connections) == (4, 0, {413: 4}, 4)


async def test_a_changed_post_is_a_loss(serve: Serve) -> None:
    """An answer which says that something else arrived is a mismatch, in whichever of its words."""
    digest = hashlib.sha256(b"body").hexdigest()
    answers = [
        {"length": 3, "sha256": digest},
        {"length": 4, "sha256": "0" * 64},
        {"length": 4, "sha256": digest},
        {"id": 1},
        ["no object"],
    ]

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said in answers:
            await wire.request(reader)
            writer.write(wire.answer(json.dumps(said).encode()))
            if said is answers[0] or said is answers[1]:
                answers.remove(said)
                return

    report = await run(await serve(handler), 5, mode="post", bodies=[b"body"])
    assert (report.requests, report.causes) == (5, {Cause.MISMATCH: 2})


DIGEST = f"Repr-Digest: sha-256=:{base64.b64encode(hashlib.sha256(b'hello').digest()).decode()}:\r\n"


@pytest.mark.parametrize(
    ("body", "causes"),
    [
        (wire.answer(headers=DIGEST), {}),
        (wire.answer(), {}),
        (wire.answer(b"hallo" + b"hello", headers=DIGEST), {Cause.MISMATCH: 3}),
        (wire.answer(headers=DIGEST)[:-2], {Cause.TRUNCATED: 3}),
        (b"HTTP/1.1 200 OK\r\n\r\nhello, is that all?", {Cause.MISMATCH: 3}),
    ],
)
async def test_a_download_is_checked_to_the_last_byte(serve: Serve, body: bytes, causes: dict[Cause, int]) -> None:
    """A download counts when all of it came and has the digest that was promised; without a length nobody knows."""
    report = await run(await serve(scripted(body)), 3, mode="download")
    assert (report.requests, report.causes) == (3, causes)
