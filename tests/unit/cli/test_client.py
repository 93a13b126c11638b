"""The client on a real unix socket."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.nobody import NOBODY

from crossfade.cli.client import ControllerClient, LostError, NotRunningError
from crossfade.cli.machine.controller import environment
from crossfade.core.errors import PlatformError, RefusedError, UnchangedError, WrongInputError


class Server:
    """Answers each connection with the next of its answers, byte for byte."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: list[bytes] = []
        self.asked: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self.answers or not self.asked:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(_request(connection))
                connection.sendall(self.answers.pop(0))

    def close(self) -> None:
        self._socket.close()


def _request(connection: socket.socket) -> bytes:
    """All of it: closing a socket with something unread would reset it."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += connection.recv(65536)
    head, _, body = asked.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + body


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "api.sock")
    yield server
    server.close()


def answer(status: int, body: object) -> bytes:
    text = json.dumps(body)
    return f"HTTP/1.1 {status} -\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def error(exit_code: int, **more: str) -> dict[str, object]:
    return {"error": {"cause": "because", "way_out": "do this", "exit_code": exit_code, **more}}


def test_questions_carry_their_query(server: Server) -> None:
    """What is None is not asked."""
    server.answers = [answer(200, {"services": []})]
    assert ControllerClient(server.path).get("/v1/status", app="my app", service=None) == {"services": []}
    assert server.asked[0].startswith(b"GET /v1/status?app=my+app HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error(2), WrongInputError),
        (error(3), RefusedError),
        (error(3, kind="unchanged"), UnchangedError),
        (error(4), PlatformError),
    ],
)
def test_errors_come_out_as_what_they_are(server: Server, body: object, kind: type[Exception]) -> None:
    """With their cause, their way out and their exit code."""
    server.answers = [answer(409, body)]
    with pytest.raises(kind, match="because") as raised:
        ControllerClient(server.path).post("/v1/deploy")
    assert raised.type is kind


def test_how_a_rollout_ended_is_waited_for_longer_than_a_look(tmp_path: Path) -> None:
    """A controller on a machine without time answers in the end; until then nobody takes it for broken."""
    path, looked = tmp_path / "api.sock", threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer_late() -> None:
            first, second = listener.accept()[0], listener.accept()[0]
            looked.wait(60)
            with first, second:
                for one in (first, second):
                    _request(one)
                    with suppress(BrokenPipeError):  # who only looked has gone
                        one.sendall(answer(200, {"state": "rolled_back"}))

        late = threading.Thread(target=answer_late)
        late.start()
        client, heard = ControllerClient(path, patience=0.01), list[object]()
        waits = threading.Thread(target=lambda: heard.append(client.wait("/v1/rollouts/1")))
        waits.start()
        with pytest.raises(PlatformError, match=r"did not answer within 0.01 s"):
            client.get("/v1/rollouts/1")
        looked.set()
        waits.join()
        late.join()
    assert heard == [{"state": "rolled_back"}]


def test_no_controller_was_ever_here(tmp_path: Path) -> None:
    """Without a socket it was stopped in order, or never started."""
    with pytest.raises(NotRunningError) as raised:
        ControllerClient(tmp_path / "api.sock").get("/v1/status")
    assert raised.value.stopped


def test_a_killed_controller_leaves_its_socket(tmp_path: Path) -> None:
    """A socket that nobody listens on tells a crash from a stop."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "api.sock"))
    with pytest.raises(NotRunningError) as raised:
        ControllerClient(tmp_path / "api.sock").get("/v1/status")
    assert not raised.value.stopped


def test_lines_that_break_off_are_a_loss(server: Server) -> None:
    """A stream that ends in the middle of a chunk did not end by itself."""
    server.answers = [b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"seq":1}\r\n9\r\n{"s']
    lines = ControllerClient(server.path).lines("/v1/events")
    with pytest.raises(LostError):
        list(lines)


def test_lines_come_whole_however_they_were_cut(server: Server) -> None:
    """A chunk may end in the middle of a line, or hold several."""
    parts = [b'{"seq": 1}\n{"s', b'eq": 2}\n', b'{"seq": 3}\n']
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    server.answers = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body]
    assert list(ControllerClient(server.path).lines("/v1/events")) == [{"seq": 1}, {"seq": 2}, {"seq": 3}]


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 ", b"hello\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_what_is_no_answer_is_a_loss(server: Server, said: bytes) -> None:
    """A controller that dies while it answers, or something else on its socket."""
    server.answers = [said]
    with pytest.raises(LostError):
        ControllerClient(server.path).get("/v1/status")


def test_an_answer_that_breaks_off_is_a_loss(server: Server) -> None:
    """The order may have been taken or not: it is not reported as done."""
    server.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"]
    with pytest.raises(LostError):
        ControllerClient(server.path).post("/v1/scale")


def test_a_path_that_no_socket_can_have(tmp_path: Path) -> None:
    """A too long path is said to be one, without a traceback."""
    with pytest.raises(WrongInputError, match="too long"):
        ControllerClient(tmp_path / ("x" * 120) / "api.sock").get("/v1/status")


def test_nothing_is_said_to_a_socket_that_somebody_else_planted(tmp_path: Path) -> None:
    """An order carries the values of secrets: whose process listens is asked before a byte is sent."""
    if os.geteuid():
        pytest.skip("a process of another user can be made only by root")
    told, heard = os.pipe()
    path = tmp_path / "api.sock"
    child = os.fork()
    if not child:
        with socket.socket(socket.AF_UNIX) as planted:
            planted.bind(str(path))
            os.setuid(NOBODY)  # who listens is who the kernel names, whoever made the file
            planted.listen()
            os.write(heard, b"ready")
            with planted.accept()[0] as connection:
                os.write(heard, connection.recv(1000) or b"nothing")
        os._exit(0)
    assert os.read(told, 5) == b"ready"
    with pytest.raises(PlatformError, match=rf"runs as user {NOBODY}(.|\n)*nothing was sent"):
        ControllerClient(path).post("/v1/deploy", secrets={"PASSWORD": "hunter2"})
    assert os.read(told, 100) == b"nothing"
    os.waitpid(child, 0)


def test_a_controller_is_given_few_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """It outlives this shell: keys of a cloud and tokens of a job are not for the builds of later weeks."""
    for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HTTPS_PROXY", "CROSSFADE_SESSION"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/docker.sock")
    given = environment()
    assert given["DOCKER_HOST"] == "unix:///run/docker.sock"
    assert given["PATH"] == os.environ["PATH"]
    assert not given.keys() & {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HTTPS_PROXY", "CROSSFADE_SESSION"}
