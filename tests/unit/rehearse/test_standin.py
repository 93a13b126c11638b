"""The stand-in as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.adapters.until import until
from tests.support.ports import free_port

from crossfade.rehearse import standin


@contextmanager
def playing(sick: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    told = {"PORT": str(port), "STAND_IN_SICK": sick, "STAND_IN_HEALTH": "/health"}
    process = subprocess.Popen([sys.executable, standin.__file__], env=os.environ | told)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _healthy(connection: HTTPConnection) -> bool:
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


async def test_what_it_was_asked_before_its_end_it_answers() -> None:
    """A request that is cut would be held against the strategy, and it is nobody's but the stand-in's."""
    port = free_port()
    with playing("slow", port) as process:
        await until(lambda: _listens(port), 60)
        asking, other = (HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(2))
        assert _healthy(asking)
        asking.request("GET", "/slow")
        assert _healthy(other)  # one loop reads both, in the order in which they came: it is at the first one
        process.send_signal(signal.SIGTERM)
        answer = asking.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (200, "close")
        assert b"/slow" in answer.read()
        assert process.wait(60) == 0
