"""Users of a locustfile as visitors of a load test: Locust itself, and a server that this test owns."""

import asyncio
import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.unit.load.test_journeys import Request, gone, serving, target

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.journey import LoadStage, LoadTest, Promises
from crossfade.file.loadtest.load import load
from crossfade.load.journeys.run import LoadRun
from crossfade.load.journeys.verdict import holds, limits, verdict

# Importing it would patch the sockets of this process.
pytestmark = pytest.mark.skipif(find_spec("locust") is None, reason="Locust is not installed: the extra locust has it")

MEMBER = """
from locust import HttpUser, constant, task

print("what a locustfile prints is no result")

class Member(HttpUser):
    host = "http://192.0.2.1"  # where it goes otherwise
    wait_time = constant(0.02)

    def on_start(self):
        self.client.post("/login", {"user": "load"})

    @task(3)
    def todos(self):
        self.client.get("/todos")

    @task
    def broken(self):
        self.client.get("/broken")
"""


def swarm_of(path: Path) -> LoadTest:
    return LoadTest(journeys=(), stages=(LoadStage(users=3, seconds=60.0),), locustfile=str(path))


def answer(request: Request) -> tuple[int, dict[str, str], str]:
    return 500 if request.path == "/broken" else 200, {"X-Release": "7", "X-Instance": "a"}, "well"


async def test_its_requests_are_counted_as_all_others_are(tmp_path: Path) -> None:
    """By endpoint, release and instance, with what failed; where to is said by the test and not by the file."""
    (tmp_path / "locustfile.py").write_text(MEMBER)
    async with serving(answer) as server:
        run = LoadRun(swarm_of(tmp_path / "locustfile.py"), target(server))
        await run.rehearse()
        assert server.seen == []

        async def end() -> None:
            while len(server.seen) < 60:  # noqa: ASYNC110  a server in this loop
                await asyncio.sleep(0.01)
            run.stop()

        ending = asyncio.create_task(end())
        book = await gone(run)
        await ending
    assert set(book.endpoints) == {"POST /login", "GET /todos", "GET /broken"}
    assert book.endpoints["POST /login"].requests == 3, "each user logs in once"
    assert book.endpoints["GET /broken"].failed == book.endpoints["GET /broken"].requests > 0
    assert book.endpoints["GET /todos"].failed == 0
    assert set(book.releases) == {"7"}
    assert set(book.instances) == {"a"}
    assert book.whole.requests <= len(server.seen)
    assert not holds(verdict(Promises(errors=1.0), book))


async def test_a_stall_shows_in_as_few_as_locust_sent_and_that_is_said(tmp_path: Path) -> None:
    """Three users held up half a second are three slow requests, where sixty were wanted: the figures say so."""
    (tmp_path / "locustfile.py").write_text(MEMBER)
    async with serving() as server:
        run = LoadRun(swarm_of(tmp_path / "locustfile.py"), target(server))
        await run.rehearse()

        async def stall() -> None:
            while len(server.seen) < 20:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.01)
            server.free.clear()
            await asyncio.sleep(0.5)
            server.free.set()
            while len(server.seen) < 80:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.01)
            run.stop()

        stalling = asyncio.create_task(stall())
        book = await gone(run)
        await stalling
    slow = sum(count for bucket, count in book.whole.buckets.items() if bucket_ms(bucket) > 250)
    assert 1 <= slow <= 3
    assert any("coordinated omission" in line for line in limits(book))


def bucket_ms(bucket: int) -> float:
    from crossfade.load.latency import Latency

    return Latency({bucket: 1}).percentile_ms(50) or 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [("import nothing_like_this", "No module named 'nothing_like_this'"), ("x = 1", "has no class of users")],
)
async def test_what_locust_cannot_use_sends_no_load(tmp_path: Path, text: str, said: str) -> None:
    """The last lines of what it said are in the message."""
    (tmp_path / "locustfile.py").write_text(text)
    async with serving() as server:
        run = LoadRun(swarm_of(tmp_path / "locustfile.py"), target(server))
        with pytest.raises(WrongInputError, match=said):
            await run.rehearse()
    assert server.seen == []


def test_a_file_has_journeys_or_a_locustfile(tmp_path: Path) -> None:
    """Beside the test's file; both, or neither, is one sentence."""
    path = tmp_path / "loadtest.yaml"
    path.write_text("stages: [{users: 2, for: 1s}]\nlocustfile: locustfile.py\n")
    made = load(path, "loadtest.yaml").made(None, tmp_path)
    assert replace(made, stages=()).locustfile == str(tmp_path / "locustfile.py")
    for text in ("", "locustfile: x.py\njourneys: {a: {steps: [{get: /}]}}\n"):
        path.write_text(f"stages: [{{users: 2, for: 1s}}]\n{text}")
        with pytest.raises(WrongInputError, match="one of journeys, locustfile"):
            load(path, "loadtest.yaml")


LEAVER = """
import os
from pathlib import Path

from locust import HttpUser, task

class Leaver(HttpUser):
    @task
    def todos(self):
        self.client.get("/todos")
        Path(__file__).with_name("pid").write_text(f"{os.getpid()}.")
        os.write(2, b"out of memory")
        os._exit(3)
"""


async def test_a_locust_that_dies_in_the_middle_is_no_test_that_went_well(tmp_path: Path) -> None:
    """Nobody asks from then on: what was counted before would pass for the whole."""
    (tmp_path / "locustfile.py").write_text(LEAVER)
    pid = tmp_path / "pid"

    def lives() -> bool:
        try:
            os.kill(int(pid.read_text()[:-1]), 0)
        except ProcessLookupError:
            return False
        return True

    async with serving() as server:
        run = LoadRun(swarm_of(tmp_path / "locustfile.py"), target(server))
        await run.rehearse()

        async def end() -> None:
            while not (pid.exists() and pid.read_text().endswith(".")) or lives():  # noqa: ASYNC110  a process
                await asyncio.sleep(0.01)
            run.stop()

        ending = asyncio.create_task(end())
        with pytest.raises(PlatformError, match=r"in the middle of the test, with code 3:\n  .*out of memory"):
            await gone(run)
        await ending
