"""The example applications, started by themselves: what the demo and the other e2e tests rely on."""

import asyncio
import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from tests.adapters.until import until

from crossfade.load import Cause, LoadGenerator, Mode

EXAMPLES = Path(__file__).parents[2] / "examples"
BOOT_SECONDS = 10
NEVER = 60.0  # seconds: who waits longer would wait for ever

pytest.importorskip("uvicorn", reason="the examples need crossfade[examples]")

specification = util.spec_from_file_location("materialise", EXAMPLES / "feedback" / "materialise.py")
assert specification is not None
assert specification.loader is not None
materialising = util.module_from_spec(specification)
specification.loader.exec_module(materialising)


@dataclass
class Running:
    process: asyncio.subprocess.Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], Any]:
        """Status, headers in lower case, and the body: from JSON if it is."""
        return await asyncio.to_thread(self._get, path, body)

    def _get(self, path: str, body: bytes | None) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=NEVER)
        connection.request("GET" if body is None else "POST", path, body)
        response = connection.getresponse()
        content: Any = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        connection.close()
        if headers.get("content-type") == "application/json":
            content = json.loads(content)
        return response.status, headers, content

    async def terminate(self) -> int:
        """Sends SIGTERM and returns the exit code, as a shell says it."""
        self.process.send_signal(signal.SIGTERM)
        code = await self.process.wait()
        return code if code >= 0 else 128 - code


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts `python -m <module>` in a directory on a free port and waits until it listens; ends it afterwards."""
    running: list[Running] = []

    async def start(directory: Path, module: str, release: str = "1", **env: str) -> Running:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, "--port", str(port)),
            cwd=directory,
            env=environment(tmp_path, CROSSFADE_RELEASE=release, CROSSFADE_INSTANCE=f"{module}-1", **env),
            stderr=asyncio.subprocess.DEVNULL,
        )
        example = Running(process, port)
        running.append(example)
        async with asyncio.timeout(BOOT_SECONDS):
            while process.returncode is None:
                try:
                    await example.get("/")
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    break
        return example

    yield start
    for example in running:
        if example.process.returncode is None:
            example.process.kill()
            await example.process.wait()


def environment(tmp_path: Path, **env: str) -> dict[str, str]:
    return os.environ | {"DATABASE_PATH": str(tmp_path / "data" / "feedback.db")} | env


@pytest.fixture
def feedback(start: Start, tmp_path: Path) -> Callable[..., Awaitable[Running]]:
    """Starts a version of feedback; all of them share one database."""

    async def feedback(version: str, **env: str) -> Running:
        source = materialising.materialise(version, tmp_path / version)
        return await start(source, "feedback", version.removeprefix("v"), **env)

    return feedback


@pytest.fixture
def live(start: Start) -> Callable[..., Awaitable[Running]]:
    """Starts live, release 7."""

    async def live(**env: str) -> Running:
        return await start(EXAMPLES / "live", "live", "7", **env)

    return live


async def migrate(tmp_path: Path, version: str) -> str:
    """Runs the migrate hook of a version, from a source tree of its own; its output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "feedback.migrate"),
        cwd=materialising.materialise(version, Path(mkdtemp(dir=tmp_path))),
        env=environment(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


@pytest.mark.parametrize(("version", "number"), [("v1", "1.0"), ("v2", "2.0")])
async def test_a_good_release_serves_in_every_way(feedback: Start, version: str, number: str) -> None:
    """The good releases answer on one connection, on many, and to POSTs of all sizes, and sign every answer."""
    app = await feedback(version)
    for mode, path in [
        (Mode.KEEPALIVE, ["/api/version", "/api/feedbacks", "/actuator/health", "/nothing/here"]),
        (Mode.CONNECTION, ["/api/version"]),
        (Mode.POST, ["/api/feedbacks"]),
    ]:
        report = await LoadGenerator(app.url, mode=mode, path=path, clients=4, requests=140).run()
        assert (report.requests, report.failed, report.losses) == (140, 0, ())
        assert report.releases[version.removeprefix("v")].requests == 140
    status, headers, body = await app.get("/api/version")
    assert (status, headers["x-instance"]) == (200, "feedback-1")
    assert body == {"version": number, "release": version.removeprefix("v"), "instance": "feedback-1"}


async def test_health_speaks_for_the_instance(feedback: Start) -> None:
    """The shallow path says UP; the deep one says so of the database, the memory and the services it needs."""
    app = await feedback("v1")
    assert (await app.get("/actuator/health"))[::2] == (200, {"status": "UP"})
    status, _, body = await app.get("/health/deep")
    assert (status, body["status"], set(body)) == (200, "UP", {"status", "timestamp", "checks"})
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "UP",
        "memory": "UP",
        "externalServices": "UP",
    }


@pytest.mark.parametrize(
    ("env", "down"),
    [({"MEMORY_LIMIT_MB": "1"}, "memory"), ({"EXTERNAL_SERVICES": "127.0.0.1:1"}, "externalServices")],
)
async def test_deep_health_is_down_when_a_check_is(feedback: Start, env: dict[str, str], down: str) -> None:
    """One check that is down makes the deep health answer 503, and says which; the shallow one stays up."""
    app = await feedback("v1", **env)
    status, _, body = await app.get("/health/deep")
    assert (status, body["status"]) == (503, "DOWN")
    assert [name for name, check in body["checks"].items() if check["status"] == "DOWN"] == [down]
    assert (await app.get("/actuator/health"))[0] == 200


async def test_data_outlives_releases(feedback: Start, tmp_path: Path) -> None:
    """What v1 wrote, v2 reads after its migration; what v2 writes, v1 reads beside it, at the same time."""
    old = await feedback("v1")
    assert (await old.get("/api/feedbacks", b'{"message": "one", "rating": 5}'))[0] == 201
    assert (await migrate(tmp_path, "v2")).endswith("schema 1 -> 2\nCROSSFADE_SCHEMA=2")
    new = await feedback("v2")
    assert (await new.get("/api/feedbacks", b'{"message": "two", "rating": 4}'))[0] == 201
    assert (await old.get("/api/feedbacks", b'{"message": "three"}'))[0] == 201
    _, _, seen = await new.get("/api/feedbacks")
    assert seen["count"] == 3
    assert [(each["message"], each["rating"]) for each in seen["latest"]] == [
        ("three", None),
        ("two", 4),
        ("one", None),
    ]
    _, _, seen = await old.get("/api/feedbacks")
    assert [each["message"] for each in seen["latest"]] == ["three", "two", "one"]


async def test_a_release_whose_migration_did_not_run_is_not_healthy(feedback: Start, tmp_path: Path) -> None:
    """v2 on the database of v1 says what is missing, and is healthy as soon as the hook has run."""
    await feedback("v1")
    app = await feedback("v2")
    status, _, body = await app.get("/actuator/health")
    assert (status, body["status"]) == (503, "DOWN")
    assert "run the migration" in body["reason"]
    await migrate(tmp_path, "v2")
    assert (await app.get("/actuator/health"))[0] == 200


async def test_a_migration_happens_once(tmp_path: Path) -> None:
    """Of hooks that run at the same time one migrates, and a later one finds nothing to do; v1's takes nothing back."""
    outputs = await asyncio.gather(*(migrate(tmp_path, "v2") for _ in range(4)))
    told = sorted(output.partition(": ")[2].splitlines()[0] for output in outputs)
    assert told == ["schema 0 -> 2", *["schema 2 -> 2"] * 3]
    assert (await migrate(tmp_path, "v1")).endswith("schema 2 -> 2\nCROSSFADE_SCHEMA=2")


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"message": 3}', b'{"message": "%s"}' % (b"x" * 10_001)])
async def test_a_wrong_feedback_is_refused(feedback: Start, body: bytes) -> None:
    """What is no feedback is answered 422, signed like every answer, and is not stored."""
    app = await feedback("v1")
    status, headers, _ = await app.get("/api/feedbacks", body)
    assert (status, headers["x-release"]) == (422, "1")
    assert (await app.get("/api/feedbacks"))[2]["count"] == 0


async def test_v3_is_healthy_and_broken(feedback: Start) -> None:
    """v3 answers 500 to everything under /api, and says of itself that it is up."""
    app = await feedback("v3")
    report = await LoadGenerator(app.url, path=["/api/version", "/api/feedbacks"], requests=20).run()
    assert (report.causes, report.statuses) == ({Cause.STATUS: 20}, {500: 20})
    assert report.releases["3"].failed == 20
    assert (await app.get("/actuator/health"))[0] == (await app.get("/health/deep"))[0] == 200


async def test_a_connection_outlives_an_exception(feedback: Start) -> None:
    """What is asked right after an answer of 500 is answered, too: uvicorn by itself would close the connection."""
    app = await feedback("v3")
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=NEVER)
    connection.connect()
    kept = connection.sock
    for body in (b"{}", b"{}", b"{}"):
        connection.request("POST", "/api/feedbacks", body)
        response = connection.getresponse()
        response.read()
        assert (response.status, response.headers["x-release"], connection.sock) == (500, "3", kept)
        await asyncio.sleep(0.1)
    connection.close()


async def test_v4_is_never_healthy(feedback: Start) -> None:
    """v4 starts, listens, and says DOWN for as long as it is asked."""
    app = await feedback("v4")
    report = await LoadGenerator(app.url, path=["/actuator/health", "/health/deep"], clients=1, requests=20).run()
    assert report.statuses == {503: 20}
    assert "cache" in (await app.get("/actuator/health"))[2]["reason"]


async def test_v5_dies_under_load(feedback: Start) -> None:
    """v5 is healthy, serves, and is gone at its 50th request, without a word."""
    app = await feedback("v5", DIES_AT="50")
    await LoadGenerator(app.url, path="/actuator/health", requests=100).run()
    report = await LoadGenerator(app.url, path="/api/version", clients=1, requests=60).run()
    assert report.statuses == {200: 49}
    assert report.failed == 11
    assert await app.process.wait() == 137


def test_a_release_replaces_the_one_before(tmp_path: Path) -> None:
    """A release laid over another leaves nothing of it, but keeps what is not the application's."""
    materialising.materialise("v2", tmp_path)
    (tmp_path / "feedback" / "left_over.py").touch()
    (tmp_path / ".git").mkdir()
    materialising.materialise("v1", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "crossfade.yaml", "feedback"]
    assert not (tmp_path / "feedback" / "left_over.py").exists()
    assert "rating" not in (tmp_path / "feedback" / "schema.py").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no version v9"):
        materialising.materialise("v9", tmp_path)


async def test_feedback_ends_at_sigterm(feedback: Start) -> None:
    """SIGTERM ends feedback soon, though clients keep connections open, and breaks no answer off."""
    app = await feedback("v1")
    async with LoadGenerator(app.url, path="/api/feedbacks", clients=4) as traffic:
        await asyncio.sleep(0.3)
        async with asyncio.timeout(3):
            assert await app.terminate() == 128 + signal.SIGTERM
    report = traffic.report()
    assert report.statuses[200] > 0
    assert report.causes.keys() <= {Cause.REFUSED, Cause.RESET, Cause.CLOSED}


async def test_live_serves_in_every_way(live: Start) -> None:
    """Every kind of traffic meets live and loses nothing: what is sent comes back, complete and in order."""
    app = await live(EVENT_SECONDS="0.01")
    for mode, path in [
        (Mode.KEEPALIVE, ["/", "/health"]),
        (Mode.CONNECTION, ["/"]),
        (Mode.POST, ["/upload"]),
        (
            Mode.DOWNLOAD,
            ["/download?seconds=0.1", "/download?seconds=0&bytes=0", "/download?seconds=0.05&bytes=1000003"],
        ),
        (Mode.WEBSOCKET, ["/ws/echo"]),
        (Mode.SSE, ["/events"]),
    ]:
        report = await LoadGenerator(app.url, mode=mode, path=path, clients=4, requests=60).run()
        assert (report.requests, report.failed, report.losses) == (60, 0, ())
        assert report.releases["7"].requests == report.modes[mode].requests == 60
        assert report.told_to_close == 0


async def test_a_download_takes_its_time(live: Start) -> None:
    """A download is spread over the time that was asked for, and refuses what makes no sense."""
    app = await live()
    report = await LoadGenerator(
        app.url, mode="download", path="/download?seconds=0.5&bytes=1000", clients=2, requests=2
    ).run()
    assert report.failed == 0
    assert report.seconds > 0.45  # on however slow a machine
    assert (await app.get("/download?seconds=-1"))[0] == (await app.get("/download?bytes=many"))[0] == 422


async def test_live_tells_its_streams_and_finishes_its_downloads(live: Start) -> None:
    """At SIGTERM live closes WebSockets with a close frame, ends event streams after a complete event, and lets a
    download come to its end before it goes.
    """
    app = await live(EVENT_SECONDS="0.05")
    async with (
        LoadGenerator(app.url, mode="websocket", path="/ws/echo", clients=3, rate=100) as sockets,
        LoadGenerator(app.url, mode="sse", path="/events", clients=3) as streams,
        LoadGenerator(app.url, mode="download", path="/download?seconds=1.5", clients=3, requests=3) as downloads,
    ):
        await asyncio.sleep(0.5)
        await until(lambda: sockets.report().requests > 30 and streams.report().requests > 15)
        assert await app.terminate() == 128 + signal.SIGTERM
    for told in (sockets.report(), streams.report()):
        assert told.told_to_close == 3
        assert told.causes.keys() <= {Cause.REFUSED, Cause.RESET}  # those who came back to a door that is shut
    assert (downloads.report().requests, downloads.report().failed) == (3, 0)


async def test_live_goes_at_once_when_only_streams_are_open(live: Start) -> None:
    """Open streams, which have no end of their own, do not hold live back."""
    app = await live()
    async with (
        LoadGenerator(app.url, mode="websocket", path="/ws/echo", clients=2, rate=20) as sockets,
        LoadGenerator(app.url, mode="sse", path="/events", clients=2) as streams,
    ):
        await until(lambda: sockets.report().requests > 10 and streams.report().requests > 4)
        await asyncio.wait_for(app.terminate(), NEVER)
    assert sockets.report().told_to_close == streams.report().told_to_close == 2


async def test_a_reader_comes_back_to_where_it_was(live: Start) -> None:
    """Events go on after the last id that a returning reader names."""
    app = await live()

    def first_line() -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=NEVER)
        connection.request("GET", "/events", headers={"Last-Event-ID": "41"})
        response = connection.getresponse()
        lines = [response.readline() for _ in range(3)]
        connection.close()
        return lines[2]

    assert await asyncio.to_thread(first_line) == b"id: 42\n"
