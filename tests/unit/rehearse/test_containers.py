"""What a rehearsal asks of Docker, of one that answers in memory: what has gone meanwhile, and what it refuses."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crossfade.platforms.local.runtimes.docker.network import owner
from crossfade.rehearse import containers

STATE = Path("/tmp/rehearsed/state")
Answers = dict[str, tuple[int, Any]]


class Daemon:
    """Answers by method and path; whatever it does not know is gone. `asked` is what it was asked for."""

    def __init__(self) -> None:
        self.answers: Answers = {"GET /version": (200, {"ApiVersion": "1.43", "Version": "24"})}
        self.asked: list[str] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0].removeprefix("/v1.43")
                told.asked.append(f"{self.command} {path}")
                code, answer = told.answers.get(f"{self.command} {path}", (404, {"message": "gone"}))
                body = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_DELETE = do_GET  # noqa: N815  as http.server names it

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    made = Daemon()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{made.server.server_port}")
    yield made
    made.server.shutdown()
    made.server.server_close()


def container(name: str, service: str) -> Mapping[str, Any]:
    return {"Id": name, "Config": {"Labels": {"crossfade.service": service}}}


def test_what_ends_while_it_is_counted_counts_for_nothing(daemon: Daemon) -> None:
    """One that is gone when it is looked at, and one that is gone when it is asked what it used."""
    daemon.answers |= {
        "GET /containers/json": (200, [{"Id": "gone"}, {"Id": "going"}, {"Id": "there"}]),
        "GET /containers/going/json": (200, container("going", "shop/api")),
        "GET /containers/there/json": (200, container("there", "shop/web")),
        "GET /containers/there/stats": (200, {"cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}}}),
    }
    assert containers.processor(STATE) == {"shop/web": 2.5}


def test_what_docker_refuses_to_take_away_keeps_nothing_else(daemon: Daemon) -> None:
    """An image in use and a network with somebody in it stay; the volume goes, and nobody meets a traceback."""
    image, volume = f"crossfade/shop-web:1-{owner(STATE)}", f"crossfade-shop-data-{owner(STATE)}"
    daemon.answers |= {
        "GET /containers/json": (200, []),
        "GET /images/json": (200, [{"Id": "i", "RepoTags": [image]}, {"Id": "gone", "RepoTags": None}]),
        f"DELETE /images/{image}": (409, {"message": "it is in use"}),
        "GET /networks": (200, [{"Id": "n"}]),
        "GET /networks/n": (200, {"Id": "n"}),
        "DELETE /networks/n": (403, {"message": "it has active endpoints"}),
        "GET /volumes": (200, {"Volumes": [{"Name": volume}], "Warnings": None}),
        f"DELETE /volumes/{volume}": (204, None),
    }
    containers.clear(STATE)
    assert daemon.asked[-1] == f"DELETE /volumes/{volume}"
    assert {f"DELETE /images/{image}", "DELETE /networks/n"} <= set(daemon.asked)
