"""What counts as a good answer to a health check, byte for byte."""

import asyncio
import gzip
import re
import subprocess
import sys

import pytest

from crossfade.core.service import HealthCheck
from crossfade.platforms.local.probes import LONGEST, HttpProbe

OK = b"HTTP/1.1 200 OK\r\n"


async def asked(answer: bytes, *, more: bytes = b"", **check: object) -> str:
    """What the probe has to say of an app that sends this, and then `more` without end, or nothing for good."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            while more:
                writer.write(more)
                await writer.drain()
            await over.wait()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server, probe = await asyncio.start_server(serve, "127.0.0.1", 0), HttpProbe()
    port = server.sockets[0].getsockname()[1]
    try:
        said = await probe.ask(f"127.0.0.1:{port}", HealthCheck(path="/health", **check))  # type: ignore[arg-type]
    finally:
        over.set()
        await probe.close()
        server.close()
    return said.replace(str(port), "PORT")


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" + OK + b"content-length: 0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ntrailer: x\r\n\r\n2\r\nok\r\n0\r\nx: 1\r\n\r\n",
        OK + b"content-security-policy: " + b"a" * 20_000 + b"\r\ncontent-length: 0\r\n\r\n",
        OK + b"content-encoding: br\r\ncontent-length: 3\r\n\r\nabc",
    ],
    ids=["body", "204", "early hints", "trailers", "long header", "packed in any way"],
)
async def test_a_whole_answer_is_a_good_one(answer: bytes) -> None:
    """Whatever HTTP allows, and clients would get."""
    assert await asked(answer, timeout=20.0) == ""


async def test_what_it_should_contain_is_found_in_a_packed_answer() -> None:
    """We ask for gzip, so we read it."""
    packed = gzip.compress(b"all is well")
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    assert await asked(head + packed, body="well", timeout=20.0) == ""
    assert await asked(head + packed, body="bad", timeout=20.0) == 'answered 200 on /health without "bad"'


async def test_an_answer_that_does_not_end_is_none() -> None:
    """Envoy waits for its end and sends the instance nothing: by our own check it was healthy, and clients got 503."""
    said = await asked(OK + b"content-length: 1000\r\n\r\nsome", timeout=0.2)
    assert said == "answered, but did not come to the end of it on /health within 0.2 s"


async def test_an_answer_without_end_is_not_read_for_ever() -> None:
    """It would keep the controller busy for all of the timeout."""
    said = await asked(OK + b"\r\n", more=b"x" * (LONGEST // 64), timeout=60.0)
    assert said == "answered more than 16 MiB on /health: ask for something shorter"


async def test_what_is_no_http_is_said_to_be_none() -> None:
    """In one line, and without a status that the app never gave."""
    said = await asked(b"hello\r\n", timeout=20.0)
    assert said.startswith("does not answer in HTTP/1.1 on /health: Bad status line")
    assert "400" not in said
    assert "\n" not in said


async def test_nothing_at_all_is_no_answer() -> None:
    """As before: who accepts a connection and is silent has not answered."""
    assert await asked(b"", timeout=0.2) == "did not answer on /health within 0.2 s"


ASKS_WITHOUT_FILES = """
import asyncio, os, resource, sys
from crossfade.core.errors import PlatformError
from crossfade.core.service import HealthCheck
from crossfade.platforms.local.probes import HttpProbe

async def main():
    server, probe = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0), HttpProbe()
    check = HealthCheck(path="/", h2c=sys.argv[1] == "h2c")
    probe._open()
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        print("of the instance:", await probe.ask("127.0.0.1:%s" % server.sockets[0].getsockname()[1], check))
    except PlatformError as error:
        print(error.cause)

asyncio.run(main())
"""


@pytest.mark.parametrize("protocol", ["http", "h2c"])
def test_who_cannot_ask_has_no_complaint(protocol: str) -> None:
    """A controller without a file left for the connection would take every instance out of the traffic."""
    words = [sys.executable, "-c", ASKS_WITHOUT_FILES, protocol]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.fullmatch(r"127\.0\.0\.1:\d+ could not be asked from here: Too many open files\n", said)
