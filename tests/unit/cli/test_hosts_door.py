"""What somebody from outside gets of a host, asked at a door of our own."""

import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from crossfade.cli.hosts.door import address, doors, found_wrong
from crossfade.core.errors import PlatformError
from crossfade.platforms.hosts.ssh import HostConnection


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the server has left, and writes down the Host that was asked for."""

    def do_GET(self) -> None:
        server = cast("Server", self.server)
        server.asked.append((self.path, self.headers["Host"]))
        self.send_response(server.codes.pop(0) if server.codes else 200)
        self.end_headers()

    def address_string(self) -> str:
        return "door"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Nothing is told."""


class Server(socketserver.ThreadingUnixStreamServer):
    codes: list[int]
    asked: list[tuple[str, str]]


class Forwards:
    """A connection whose every forward leads to one socket."""

    def __init__(self, socket: Path, error: str = "") -> None:
        self.socket = socket
        self.error = error
        self.led_to: list[str] = []

    def forward(self, there: str) -> Path:
        self.led_to.append(there)
        if self.error:
            raise PlatformError(self.error)
        return self.socket


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(str(tmp_path / "door"), Handler) as made:
        made.codes, made.asked = [], []
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def service(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "web",
        "protocol": "http",
        "routes": [{"host": "*", "path": "/*"}],
        "health": {"path": "/health", "host": "", "codes": [[200, 299]]},
        "listener": {"host": "0.0.0.0", "http": 8080, "https": None, "proxy_protocol": False},
        **changes,
    }


def asks(socket: Path, *services: dict[str, Any], error: str = "") -> tuple[list[Any], Forwards]:
    forwards = Forwards(socket, error)
    return doors(services, cast("HostConnection", forwards), "deploy@a:2222"), forwards


def test_a_good_answer_is_no_trouble(server: Server, tmp_path: Path) -> None:
    """The health path is asked for at the port of the door, as visitors of that host name would."""
    named = service(routes=[{"host": "shop.example.com", "path": "/*"}])
    made, forwards = asks(tmp_path / "door", named)
    assert found_wrong(made, passes=3, seconds=10) == ""
    assert forwards.led_to == ["127.0.0.1:8080"]
    assert server.asked == [("/health", "shop.example.com")] * 3


def test_answers_have_to_be_good_in_a_row(server: Server, tmp_path: Path) -> None:
    server.codes = [200, 502, 200, 200]
    made, _ = asks(tmp_path / "door", service())
    assert found_wrong(made, passes=2, seconds=10) == ""
    assert len(server.asked) == 4


def test_a_bad_answer_is_named(server: Server, tmp_path: Path) -> None:
    server.codes = [503] * 1000
    made, _ = asks(tmp_path / "door", service())
    assert found_wrong(made, passes=3, seconds=0) == "deploy@a:2222 at 127.0.0.1:8080/health answered 503"


def test_a_door_that_nobody_opens_is_named(tmp_path: Path) -> None:
    made, _ = asks(tmp_path / "nothing", service())
    assert "deploy@a:2222 at 127.0.0.1:8080/health does not answer" in found_wrong(made, passes=1, seconds=0)
    made, _ = asks(tmp_path / "nothing", service(), error="deploy@a:2222 does not answer")
    assert found_wrong(made, passes=1, seconds=0) == "deploy@a:2222 does not answer"


@pytest.mark.parametrize(
    ("host", "trusted", "asked"),
    [
        ("0.0.0.0", ["10.0.0.0/8"], []),
        ("0.0.0.0", ["10.0.0.0/8", "127.0.0.0/8"], ["127.0.0.1:8080"]),
        ("10.0.0.7", ["10.0.0.0/8"], ["10.0.0.7:8080"]),
        ("::", ["::1/128"], []),
        ("0.0.0.0", [], ["127.0.0.1:8080"]),
    ],
)
def test_a_door_that_lets_in_its_proxies_alone_is_not_asked(
    server: Server, tmp_path: Path, host: str, trusted: list[str], asked: list[str]
) -> None:
    """We would come from the host itself, and be turned away: a good release was taken back for it."""
    listener = {"host": host, "http": 8080, "https": None, "proxy_protocol": True, "trusted_proxies": trusted}
    made, forwards = asks(tmp_path / "door", service(listener=listener))
    for ask in made:
        ask()
    assert forwards.led_to == asked


def test_only_what_the_door_leads_to_is_asked(tmp_path: Path) -> None:
    """No worker, nothing without HTTP, and no service whose health path another one has."""
    api = service(routes=[{"host": "*", "path": "/api/*"}])
    made, _ = asks(tmp_path / "door", service(kind="worker"), service(protocol="h2c"), api)
    assert made == []
    below = service(routes=[{"host": "*", "path": "/api/*"}], health={**service()["health"], "path": "/api/health?x=1"})
    assert len(asks(tmp_path / "door", below)[0]) == 1


def test_a_host_that_listens_at_its_own_address_is_asked_there(tmp_path: Path) -> None:
    own = service(listener={**service()["listener"], "host": "own"})
    forwards = Forwards(tmp_path / "door")
    [ask] = doors([own], cast("HostConnection", forwards), "deploy@10.0.0.7:2222")
    ask()
    assert forwards.led_to == ["10.0.0.7:8080"]


def test_an_address_from_outside_may_name_the_host() -> None:
    """Nobody listens there; what was asked is in the answer."""
    assert "http://127.0.0.1:9/health" in address("http://{host}:9/health", [[200, 299]], "deploy@127.0.0.1:22")()
