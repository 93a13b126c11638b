"""What strangers and broken clients send to the API: one sentence each, and no traceback."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.unit.controller.site import Site

from crossfade.controller.api import asked
from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve
from crossfade.controller.api.server import Api
from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.core.wire import encode

TOKEN = "s3cret"


@dataclass
class Server:
    port: int
    socket: Path

    async def send(self, path: str, body: bytes, token: bytes | None, *, method: str = "POST") -> tuple[int, str]:
        """Over TCP, byte for byte; the status and what was said."""
        head = f"{method} {path} HTTP/1.1".encode()
        head += b"" if token is None else b"\r\nAuthorization: " + token
        return await _talk(*await asyncio.open_connection("127.0.0.1", self.port), head, body)

    async def locally(self, path: str, body: bytes = b"", method: str = "POST") -> tuple[int, str]:
        head = f"{method} {path} HTTP/1.1".encode()
        return await _talk(*await asyncio.open_unix_connection(str(self.socket)), head, body)


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, body: bytes
) -> tuple[int, str]:
    writer.write(head + b"\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    said = await reader.read()
    writer.close()
    status, _, rest = said.partition(b"\r\n\r\n")
    return int(status.split()[1]), json.loads(rest).get("error", {}).get("cause", "")


@pytest.fixture
async def server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Server]:
    """A controller without services, on a socket and on TCP; whatever it is sent, nothing is logged as an error."""
    async with Site().controller() as control:
        path = tmp_path / "api.sock"
        runner = await serve(Api(control.orders, Hub(), lambda _: None, TOKEN), path, ("127.0.0.1", 0))
        port = next(address[1] for address in runner.addresses if isinstance(address, tuple))
        yield Server(port, path)
        await runner.cleanup()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "token",
    [
        None,
        b"",
        TOKEN.encode(),
        b"Basic " + TOKEN.encode(),
        b"bearer " + TOKEN.encode(),
        b"Bearer",
        b"Bearer " + TOKEN.encode() + b"x",
        b"Bearer \xff\xfe",
        "Bearer Schlüssel".encode(),
        b"Bearer Bearer " + TOKEN.encode(),
        b"Bearer " + b"x" * 7000,
    ],
)
async def test_only_the_token_in_its_form_opens_the_door(server: Server, token: bytes | None) -> None:
    """Anything else is 401, whatever bytes it is made of."""
    assert await server.send("/v1/status", b"", token, method="GET") == (401, "no valid token")


async def test_the_token_opens_the_door(server: Server) -> None:
    """And nothing else is needed."""
    assert await server.send("/v1/status", b"", f"Bearer {TOKEN}".encode(), method="GET") == (200, "")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "the request is []"),
        (b"null", "the request is null"),
        (b'{"app": "shop", "replicas": NaN}', "NaN is not a number"),
        (b'{"app": "shop", "replicas": 1e309}', "1e309 is too large"),
        (b'{"app": "shop", "replicas": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"{}", "the request lacks"),
        (b'{"app": "../../etc"}', 'app: found "../../etc"'),
        (b'{"app": "shop", "service": "a\\nb"}', "service: found"),
        (b'{"app": "Shop"}', 'app: found "Shop"'),
        (b'{"app": 7}', "app: found 7"),
        (b'{"app": "shop", "by": "x", "replicas": 1}', "nothing called shop"),
        (b'{"app": ["shop"]}', 'app: found ["shop"]'),
    ],
)
async def test_what_does_not_fit_is_one_sentence(server: Server, sent: bytes, said: str) -> None:
    """400 and a line that says what was found; for orders and for scaling."""
    for path in ("/v1/scale", "/v1/rollback", "/v1/order/pause"):
        status, cause = await server.locally(path, sent)
        assert status == 400
        assert said in cause
        assert "\n" not in cause


@pytest.mark.parametrize("number", ["-1", "1.5", "x", "1e3", "9" * 30, "%FF", "٣"])
async def test_a_number_that_is_none_is_named(server: Server, number: str) -> None:
    """In a query as well: what was found and what is allowed."""
    status, cause = await server.locally(f"/v1/events?after={quote(number, safe='%')}", method="GET")
    assert status == 400
    assert "after: found" in cause


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"app": "a/b"}, 'app: found "a/b"'),
        ({"name": "web;{"}, 'service: found "web;{"'),
        ({"env": [["A=B", "x"]]}, "is not a variable"),
        ({"env": [["A", "x\0y"]]}, "is not a variable"),
        ({"replicas": 1e309}, "too large"),
    ],
)
async def test_a_service_that_no_file_could_say_is_refused(server: Server, change: dict[str, Any], said: str) -> None:
    """Names and variables are held to what the file allows, whoever sends them."""
    service = encode(replace(Service(app="shop", name="web"), source="/src")) | change
    text = json.dumps({"service": service, "by": "x"}).replace("Infinity", "1e309")
    status, cause = await server.locally("/v1/deploy", text.encode())
    assert status == 400
    assert said in cause


@pytest.mark.parametrize("secrets", [["x"], {"A": 1}, {"": "x"}, {"A": "x\0"}])
async def test_secrets_are_texts(server: Server, secrets: Any) -> None:
    """And what is wrong with one is said without its value."""
    service = encode(replace(Service(app="shop", name="web"), source="/src"))
    status, cause = await server.locally("/v1/deploy", json.dumps({"service": service, "secrets": secrets}).encode())
    assert status == 400
    assert "secrets" in cause


@pytest.mark.parametrize(
    ("change", "said"),
    [({"by": 7}, "by: found 7"), ({"force": "no"}, 'force: found "no"'), ({"version": "a\0b"}, "version: found")],
)
def test_an_order_is_made_of_texts_and_flags(change: dict[str, Any], said: str) -> None:
    """A label with a NUL would be no variable of a process, and a "no" would be taken for a yes."""
    with pytest.raises(WrongInputError, match=said):
        asked.order({"by": "kim", **change})
