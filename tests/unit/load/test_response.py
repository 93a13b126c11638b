import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.load.response import MalformedError, ResponseReader

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Release: v7\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nhell\r\n1\r\no\r\n0\r\nTrailer: 1\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM]), st.lists(st.integers(0, 100), max_size=8))
def test_a_response_is_the_same_however_it_is_cut_into_packets(wire: bytes, cuts: list[int]) -> None:
    """A response is the same however the network cuts it into packets, and is done at its last byte, not before."""
    reader = ResponseReader()
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    for start, end in itertools.pairwise(edges):
        assert not reader.done
        reader.feed(wire[start:end])
    assert reader.done
    assert reader.keep_alive
    assert reader.response is not None
    assert (reader.response.status, bytes(reader.response.body), reader.rest) == (200, b"hello", b"")


def test_a_header_is_found_whatever_its_case() -> None:
    """Header names have no case, their values do."""
    reader = ResponseReader()
    reader.feed(PLAIN.replace(b"X-Release", b"x-RELEASE"))
    assert reader.response is not None
    assert reader.response.header("x-release") == "v7"
    assert reader.response.header("release") is None


def test_bytes_after_the_response_are_kept_apart() -> None:
    """What follows a complete response is not part of it."""
    reader = ResponseReader()
    reader.feed(PLAIN + b"HTTP/1.1 500")
    assert reader.done
    assert reader.rest == b"HTTP/1.1 500"


def test_without_a_length_the_close_ends_the_body() -> None:
    """A response with neither length nor chunks is complete when the connection ends, and only then."""
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert not reader.done
    assert reader.end()
    assert not reader.keep_alive


@pytest.mark.parametrize("wire", [PLAIN[:-1], CHUNKED[:-2], PLAIN[:30], b""])
def test_an_end_before_the_last_byte_does_not_complete(wire: bytes) -> None:
    """A connection that ends before the last byte has not delivered the response."""
    reader = ResponseReader()
    reader.feed(wire)
    assert not reader.end()
    assert reader.began is bool(wire)


def test_no_content_has_no_body() -> None:
    """204 and 304 end with their head."""
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert reader.done


def test_connection_close_is_heard() -> None:
    """A server that says close gets no further request on that connection."""
    reader = ResponseReader()
    reader.feed(PLAIN.replace(b"X-Release: v7", b"Connection: Close"))
    assert reader.done
    assert not reader.keep_alive


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH",
        b"\x00",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nlonger\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
    ids=["text", "binary", "status", "length", "chunk size", "chunk", "endless head"],
)
def test_what_is_not_http_is_refused_at_once(wire: bytes) -> None:
    """What is not HTTP is refused when it comes, not when it turns out never to end."""
    with pytest.raises(MalformedError):
        ResponseReader().feed(wire)
