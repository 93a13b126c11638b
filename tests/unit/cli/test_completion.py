"""Names that a shell completes."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from crossfade.cli import completion

FILE = """\
app: shop
services:
  web: {source: ., command: x}
  worker: {source: ., command: x}
stores:
  db: {image: "postgres:16", volumes: ["data:/var/lib/postgresql/data"]}
environments:
  dev: {}
  prod: {}
"""


@pytest.fixture
def ctx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> click.Context:
    """A call in a folder with a file, where no controller runs."""
    (tmp_path / "crossfade.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    made = click.Context(click.Command("logs"))
    made.params["state"] = str(tmp_path / "state")
    return made


def test_services_and_environments_of_the_file(ctx: click.Context) -> None:
    """Those that begin with what was typed."""
    argument = click.Argument(["service"])
    assert completion.services(ctx, argument, "w") == ["web", "worker"]
    assert completion.services(ctx, argument, "we") == ["web"]
    assert completion.parts(ctx, argument, "") == ["db", "web", "worker"]
    assert completion.environments(ctx, argument, "") == ["dev", "prod"]


def test_nothing_is_started_and_nothing_breaks_without_a_controller_or_a_file(ctx: click.Context) -> None:
    """A completion that fails would write into somebody's line."""
    Path("crossfade.yaml").write_text("services: [")
    argument = click.Argument(["service"])
    assert completion.services(ctx, argument, "") == completion.environments(ctx, argument, "") == []
    assert completion.apps(ctx, argument, "") == completion.instances(ctx, argument, "") == []
    assert not (Path.cwd() / "state").exists()


def test_what_runs_in_the_state_directory_that_was_named(ctx: click.Context) -> None:
    """Its controller is asked, and no other."""
    state = Path(ctx.params["state"])
    state.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(state / "api.sock"))
        server.listen()
        with ThreadPoolExecutor(1) as beside:
            answered = beside.submit(_answer_once, server, b'{"services": ["shop/web"]}')
            assert completion.apps(ctx, click.Argument(["app"]), "") == ["shop"]
            answered.result(10)


def _answer_once(server: socket.socket, body: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("name", ["$(date)", "`date`", "web;date", "a\x1b]0;x\x07", "a b"])
def test_no_word_of_a_file_gets_onto_the_line_that_could_be_no_name(ctx: click.Context, name: str) -> None:
    """A file may be somebody else's, and a shell would run what a completion put there."""
    Path("crossfade.yaml").write_text(f"services: {{web: {{}}, {json.dumps(name)}: {{}}}}\n")
    assert completion.services(ctx, click.Argument(["service"]), "") == ["web"]


def test_a_file_of_brackets_alone_completes_nothing(ctx: click.Context) -> None:
    """However many: a completion says nothing of what is wrong."""
    Path("crossfade.yaml").write_text("services: " + "[" * 100_000)
    assert completion.services(ctx, click.Argument(["service"]), "") == []
