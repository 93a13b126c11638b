"""What a host says of itself when it is reached."""

import os

import pytest

from crossfade.cli.hosts.where import first_line
from crossfade.engine.ports.hosts import HostLostError


def test_a_host_that_says_nothing_is_not_waited_for_for_ever() -> None:
    """Its connection may stand while its crossfade hangs: then it is told by name, like one that does not answer."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb", buffering=0) as host:
        with pytest.raises(HostLostError, match=r"a\.example\.com did not answer within 0\.01 s"):
            first_line(pipe, "a.example.com", 0.01)
        host.write(b"here\n")
        assert first_line(pipe, "a.example.com", 60) == b"here\n"
        host.close()
        assert first_line(pipe, "a.example.com", 60) == b""
