"""Visitors on journeys, against a server that this test owns."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crossfade.cli.main import crossfade
from crossfade.core.errors import CrossfadeError, RefusedError, WrongInputError
from crossfade.core.journey import Journey, LoadStage, LoadTest, Promises, Step
from crossfade.file.loadtest.load import load
from crossfade.load.journeys import paper
from crossfade.load.journeys.book import JourneyTally, LoadBook
from crossfade.load.journeys.run import LoadRun
from crossfade.load.journeys.verdict import Result
from crossfade.load.target import LoadTarget, resolve

QUICK = (0.01, 0.01)
Answer = Callable[["Request"], tuple[int, dict[str, str], str]]


class Request:
    def __init__(self, head: str, body: str) -> None:
        first, *lines = head.split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = body


class Server:
    """Answers as it is told; while `held` it answers nothing."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.seen, self.free = answer, [], asyncio.Event()
        self.seen: list[Request]
        self.free.set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n"):
                length = int(Request(head, "").headers.get("content-length", "0"))
                request = Request(head, (await reader.readexactly(length)).decode())
                self.seen.append(request)
                await self.free.wait()
                status, headers, body = self.answer(request)
                lines = [
                    f"HTTP/1.1 {status} x",
                    f"Content-Length: {len(body)}",
                    *(f"{k}: {v}" for k, v in headers.items()),
                ]
                writer.write(("\r\n".join([*lines, "", ""]) + body).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Answer = lambda _: (200, {}, "well")) -> AsyncIterator[Server]:
    made = Server(answer)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        listening.close()


def target(server: Server) -> LoadTarget:
    endpoint, host, _ = resolve(server.url)
    return LoadTarget(endpoint, host, ("/",), 20.0)


def step(path: str = "/", **how: Any) -> Step:
    return Step(**{"method": "GET", "path": path, "think": QUICK, **how})


def loaded(*steps: Step, users: int = 3, seconds: float = 0.5, **how: Any) -> LoadTest:
    login = how.pop("login", ())
    journey = Journey(name="visit", login=login, steps=steps or (step(),))
    return LoadTest(journeys=(journey,), stages=(LoadStage(users=users, seconds=seconds),), **how)


async def gone(run: LoadRun) -> LoadBook:
    async with asyncio.timeout(60):
        return await run.go()


async def test_a_stall_shows_in_every_request_that_it_held_up() -> None:
    """Four visitors who ask a hundred times a second are held up half a second: four slow answers would be a lie."""
    async with serving() as server:
        run = LoadRun(loaded(users=4, seconds=50.0), target(server))

        async def stall() -> None:
            while len(server.seen) < 40:  # noqa: ASYNC110  a server in this loop
                await asyncio.sleep(0.005)
            server.free.clear()
            await asyncio.sleep(0.5)
            server.free.set()
            while len(server.seen) < 240:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.005)
            run.stop()

        stalling = asyncio.create_task(stall())
        book = await gone(run)
        stalling.cancel()
    slow = sum(
        count
        for number, count in book.whole.buckets.items()
        if JourneyTally(buckets={number: 1}).quantile_ms(100) > 100
    )  # type: ignore[arg-type, operator]
    assert slow > 40, "only those that were under way were counted as slow"
    assert book.whole.failed == 0


async def test_a_visitor_logs_in_once_and_keeps_what_it_was_given() -> None:
    """Cookies, and what a step saves, are sent by the steps after it."""

    def answer(request: Request) -> tuple[int, dict[str, str], str]:
        if request.path == "/login":
            return 302, {"Set-Cookie": "session=abc; Path=/; HttpOnly"}, ""
        if request.path == "/form":
            return 200, {}, '<input name="token" value="t0k3n">'
        good = request.headers.get("cookie") == "session=abc" and request.body == "token=t0k3n&who=1"
        return (201 if good else 403), {}, ""

    login = (step("/login", method="POST", body="user=${user}"),)
    steps = (
        step("/form", save=(("token", 'value="([^"]+)"'),)),
        step("/buy", method="POST", body="token=${token}&who=${user}", status=(201, 201)),
    )
    async with serving(answer) as server:
        book = await gone(LoadRun(loaded(*steps, users=1, seconds=1.5, login=login), target(server)))
        assert [request.path for request in server.seen].count("/login") == 1
        assert server.seen[0].body == "user=1"
    assert book.whole.failed == 0
    assert set(book.endpoints) == {"GET /form", "POST /buy"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (loaded(login=(step("/login"),)), "the login of journey visit fails: GET /login answered 500, not 200-399"),
        (loaded(step("/gone")), "journey visit fails: GET /gone answered 500, not 200-399"),
    ],
)
async def test_a_journey_that_cannot_work_sends_no_load(made: LoadTest, said: str) -> None:
    """It is gone once, alone, before anybody else comes."""
    async with serving(lambda _: (500, {}, "")) as server:
        with pytest.raises(WrongInputError) as error:
            await LoadRun(made, target(server)).rehearse()
        assert str(error.value).startswith(said)
        assert error.value.way_out == "no load was sent"
        assert len(server.seen) == 1


async def test_answers_are_told_apart_by_release_and_instance() -> None:
    """As their headers name them; the health path is told by itself."""
    turn = iter(range(10**9))

    def answer(request: Request) -> tuple[int, dict[str, str], str]:
        number = next(turn)
        return 200, {"X-Release": str(number % 2), "x-instance": f"<i>{number % 3}</i>"}, ""

    async with serving(answer) as server:
        made = loaded(health="/health", users=2, seconds=1.5, warmup=0.1)
        book = await gone(LoadRun(made, target(server)))
    assert set(book.releases) == {"0", "1"}
    assert set(book.instances) == {"<i>0</i>", "<i>1</i>", "<i>2</i>"}
    assert sum(tally.requests for tally in book.releases.values()) == book.whole.requests
    assert "GET /health" not in book.endpoints
    page = paper.html(Result(name="x", book=book))
    assert "<i>" not in page
    assert "&lt;i&gt;0&lt;/i&gt;" in page


async def test_what_visitors_notice_of_a_command_is_told_by_itself() -> None:
    """Its time, its end, and the requests that were under way meanwhile; the load goes on until it has ended."""
    asked = asyncio.Event()

    async def deploy() -> int:
        asked.set()
        await asyncio.sleep(0.6)
        return 1

    async with serving() as server:
        book = await gone(LoadRun(loaded(seconds=1.2), target(server), (("deploy", deploy),)))
    (command,) = book.commands
    assert asked.is_set()
    assert command.code == 1
    assert 0 < command.tally.requests < book.whole.requests
    assert book.stages[0].ended >= command.ended
    assert "deploy, " in paper.markdown(Result(name="x", book=book))


async def test_a_server_that_goes_away_is_counted_and_not_hammered() -> None:
    """Each request that is lost is one failure with its cause."""
    async with serving() as server:
        aim = target(server)
    book = await gone(LoadRun(loaded(step(think=(0.0, 0.0)), users=2, seconds=0.3), aim))
    assert book.whole.requests == book.whole.failed > 0
    assert set(book.causes) == {"was lost (refused)"}
    assert book.whole.requests < 200


SHEET = """
url: http://127.0.0.1:1
think: 100ms-2s
stages: [{users: 20, for: 30s}]
journeys:
  browse:
    weight: 3
    login: [{post: /login, form: {name: "a&b${user}"}, status: 302}]
    steps: [{get: /api/teams, contains: "[", think: 1s}, {post: /api/todos, json: {title: x}, status: 200-201}]
targets: {p95: 500ms, errors: 1%, requests: 10, health_check: 100ms}
"""


def test_a_file_of_a_few_lines_is_a_test(tmp_path: Path) -> None:
    """With the environment's targets where it has none."""
    (tmp_path / "loadtest.yaml").write_text(SHEET)
    made = load(tmp_path / "loadtest.yaml", "loadtest.yaml").made(None, Path())
    (journey,) = made.journeys
    assert (journey.weight, journey.login[0].body, journey.login[0].status) == (3, "name=a%26b${user}", (302, 302))
    assert [step.name for step in journey.steps] == ["GET /api/teams", "POST /api/todos"]
    assert [step.think for step in journey.steps] == [(1.0, 1.0), (0.1, 2.0)]
    assert journey.steps[1].body == '{"title": "x"}'
    assert made.promises == Promises(p95_ms=500.0, errors=1.0, requests=10.0, health_ms=100.0)


def test_the_example_is_right() -> None:
    """A team's journey with its login, and its own stages."""
    path = Path(__file__).parents[3] / "examples" / "teammoa" / "loadtest.yaml"
    made = load(path, str(path)).made(None, Path())
    assert [stage.users for stage in made.stages] == [20, 50, 100, 150]
    assert made.promises == Promises(p95_ms=500.0, errors=1.0, requests=10.0)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("weight: 3", "wight: 3", 'unknown key "wight"; did you mean weight?'),
        ("users: 20", "users: 0", "found 0; allowed: a whole number from 1 to 5000"),
        ("status: 302", "status: 999", "allowed: a status such as 200, or two such as 200-299"),
        ("get: /api/teams", "get: api/teams", "allowed: a path that begins with /"),
        ("get: /api/teams", "get: /api/teams, put: /x", "2 requests in one step"),
        ("think: 1s", "think: 3s-1s", "allowed: a duration such as 2s, or two such as 1s-3s"),
        ("think: 1s", "save: {t: '(x'}", "a pattern with a group"),
        ("think: 1s", "save: {t: x}", "a pattern with a group"),
        ("json: {title: x}", "json: {title: x}, form: {a: b}", "json and form in one step"),
        ("for: 30s", "for: never", "a duration"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    """And no load is sent."""
    assert before in SHEET
    (tmp_path / "loadtest.yaml").write_text(SHEET.replace(before, after, 1))
    with pytest.raises(WrongInputError) as error:
        load(tmp_path / "loadtest.yaml", "loadtest.yaml")
    assert said in str(error.value)
    assert "loadtest.yaml:" in str(error.value)
    assert error.value.way_out == "no load was sent"


def verb(folder: Path, *words: str) -> tuple[int, str]:
    found = CliRunner().invoke(crossfade, ["loadtest", str(folder / "loadtest.yaml"), *words], standalone_mode=False)
    if found.exception:
        raise found.exception
    return int(found.return_value), found.output


@pytest.mark.parametrize("url", ["http://192.0.2.1", "https://198.51.100.7:8443", "http://[2001:db8::1]"])
def test_another_host_is_not_asked_without_a_word(tmp_path: Path, url: str) -> None:
    """Whoever it belongs to may not have been asked."""
    (tmp_path / "loadtest.yaml").write_text(SHEET)
    with pytest.raises(RefusedError, match="is not this machine: no load was sent"):
        verb(tmp_path, "--url", url)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "http://127.0.0.1:1/x"), "has a path"),
        (("--url", "ftp://127.0.0.1"), "is not a URL"),
        (("-o", "report.pdf"), "ends in .pdf"),
    ],
)
def test_a_wrong_word_is_one_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Before anything is sent."""
    (tmp_path / "loadtest.yaml").write_text(SHEET)
    with pytest.raises(CrossfadeError, match=said):
        verb(tmp_path, *words)


@pytest.mark.parametrize(("p95", "code"), [("10s", 0), ("1us", 2), ("1ms", 1)])
async def test_the_verb_ends_with_its_verdict(tmp_path: Path, p95: str, code: int) -> None:
    """0 met, 1 not met; the report is written in each form."""

    def slow(_: Request) -> tuple[int, dict[str, str], str]:
        return 200, {}, "x" * 200_000

    async with serving(slow) as server:
        (tmp_path / "loadtest.yaml").write_text(
            f"url: {server.url}\nthink: 10ms\nstages: [{{users: 2, for: 1s}}]\n"
            f"journeys: {{v: {{steps: [{{get: /}}]}}}}\ntargets: {{p95: {p95}}}\n"
        )
        if code == 2:
            with pytest.raises(WrongInputError, match="duration"):
                verb(tmp_path)
            return
        for form, begins in (("json", "{"), ("html", "<!doctype"), ("md", "# Load test"), ("svg", "<svg xmlns")):
            file = tmp_path / f"seen.{form}"
            found, said = await asyncio.to_thread(_in_thread, tmp_path, "-o", str(file), "--json")
            assert found == code, said
            assert json.loads(said)["met"] is (code == 0)
            assert file.read_text().startswith(begins)
            if form == "html":
                break


def _in_thread(folder: Path, *words: str) -> tuple[int, str]:
    """As a process of its own, for signal handlers belong to the main thread."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "crossfade.cli.main", "loadtest", str(folder / "loadtest.yaml"), *words]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    return found.returncode, found.stdout
