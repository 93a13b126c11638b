"""What people wait for who watch a deploy: its pipeline, the page, the load beside it, and a rehearsal of it."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
from tests.support.machine import App, Machine

from benchmarks.children import free_port
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.shell import crossfade
from benchmarks.usage import Usage

NOUN = "watched"
BAKE = 1.0  # seconds: one that is over between two looks of the page is on it in words only
PAGES = 10
HOW = f"""\
`pipeline init` writes codemate's pipelines into an empty folder. The load test is of visitors who never pause, against
the smallest server that answers. The page is asked, and {PAGES} of it are open, while a service of two instances is
deployed again and again; a line is as late as it comes after its time in the journal. The rehearsal is of tiketi, as
`rehearse -e prod` plays it with small servers in place of its services, a sick release included.
"""
EXAMPLES = Path(__file__).parents[1] / "examples"
ORIGIN = Path(__file__).with_name("origin.py")
VISITORS = 16


async def measure(scale: Scale) -> Result:
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp") as scratch:
        folder = Path(scratch)
        written = [_pipeline_init(folder / f"{number}") for number in range(scale.repeats)]
        load = await _load(folder, scale)
        page = await _page(scale)
        rehearsed = await asyncio.to_thread(_rehearsed, folder)
    a_second = float(load["requests_per_second"])
    said = [line for line in load["limits"] if "client" in line or "processor" in line]
    return Result(
        noun=NOUN,
        title="Watched",
        how=HOW,
        figures=[
            Figure(name="crossfade pipeline init, median", value=median(written), unit="ms", most=1000),
            Figure(name="the load test, from one core", value=a_second, unit="requests/s", least=2000),
            Figure(name="the page answers, median", value=median(page.answers), unit="ms", most=50),
            Figure(name="a line on the page after its event, the latest", value=max(page.lines), unit="ms", most=500),
            Figure(
                name="a rollout on the page after its order, the latest", value=max(page.looks), unit="ms", most=500
            ),
            Figure(name=f"controller with {PAGES} pages open, memory", value=page.mb, unit="MB", most=80),
            Figure(name="rehearse -e prod of tiketi", value=rehearsed, unit="s", most=180),
        ],
        tables=(
            Table.of(
                "ms",
                {
                    "`crossfade pipeline init`": written,
                    "the page": page.answers,
                    "a line after its event": page.lines,
                    "a rollout after its order": page.looks,
                },
            ),
        ),
        notes=[f"The load test says: {line}" for line in said],
        data={"pipeline_init_ms": written, "page_ms": page.answers, "rehearse_s": rehearsed, "load": load},
    )


def _pipeline_init(folder: Path) -> float:
    folder.mkdir()
    shutil.copy(EXAMPLES / "codemate" / "crossfade.yaml", folder)
    return crossfade("pipeline", "init", state=folder / "state", cwd=folder).ms


async def _load(folder: Path, scale: Scale) -> dict[str, Any]:
    """What the load test has to say after a stage of visitors who never think."""
    port = free_port()
    seconds = max(2, round(scale.round_seconds * 5))
    test = folder / "loadtest.yaml"
    stage = {"users": VISITORS, "for": f"{seconds}s"}
    journeys = {"ask": {"steps": [{"get": "/"}]}}
    told = {"url": f"http://127.0.0.1:{port}", "think": "0s", "warmup": "1s", "stages": [stage], "journeys": journeys}
    test.write_text(json.dumps(told))
    origin = await asyncio.create_subprocess_exec(sys.executable, "-S", str(ORIGIN), env={"PORT": str(port)})
    try:
        await _listens(port)
        ran = await asyncio.to_thread(crossfade, "loadtest", str(test), "--json", state=folder / "state", cwd=folder)
    finally:
        origin.kill()
        await origin.wait()
    found: dict[str, Any] = ran.last
    return {"requests_per_second": found["stages"][0]["per_second"], "limits": found["limits"]}


async def _listens(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise TimeoutError(f"nothing listens on port {port}")


@dataclass(slots=True)
class Seen:
    """In milliseconds, and MB at the end."""

    answers: list[float] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    mb: float = 0.0


async def _page(scale: Scale) -> Seen:
    machine, seen = Machine(), Seen()
    try:
        app = (await machine.up()).app("bench")
        await app.deploy(app.service())
        opened = (await machine.call("POST", "/v1/page", {"by": "bench"}))["url"]
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            streams = [await stack.enter_async_context(session.get(f"{opened}live")) for _ in range(PAGES)]
            first, *others = streams
            rest = [asyncio.create_task(_drained(one)) for one in others]
            stack.callback(lambda: [one.cancel() for one in rest])
            shown: asyncio.Queue[float] = asyncio.Queue()
            watching = asyncio.create_task(_watched(first, seen, shown))
            stack.callback(watching.cancel)
            for number in range(scale.deploys):
                await _deployed(app, number, seen, shown)
                began = time.perf_counter()
                async with session.get(opened) as answer:
                    await answer.read()
                seen.answers.append((time.perf_counter() - began) * 1000)
            assert machine.process
            seen.mb = Usage.of(machine.process.pid).mb
    finally:
        await machine.close()
    return seen


async def _deployed(app: App, number: int, seen: Seen, shown: "asyncio.Queue[float]") -> None:
    while not shown.empty():
        shown.get_nowait()
    service = app.service(tag=str(number))
    service = replace(service, strategy=replace(service.strategy, bake=BAKE))
    ordered = time.perf_counter()
    rollout = await app.begin(service)
    seen.looks.append((await asyncio.wait_for(shown.get(), 30) - ordered) * 1000)
    await app.outcome(rollout)


async def _watched(stream: aiohttp.ClientResponse, seen: Seen, shown: "asyncio.Queue[float]") -> None:
    """How late each line is, but for those from before it looked; and when a rollout is first on the page."""
    began, known = time.time(), set[int]()
    async for kind, data in _messages(stream):
        if kind == "story":
            seen.lines += [(time.time() - line["at"]) * 1000 for line in data if line["at"] > began]
        elif kind == "status":
            moving = {one["rollout"]["id"] for one in data.get("services", ()) if one["rollout"]}
            if moving - known:  # by number: the one before may be shown until the next has begun
                shown.put_nowait(time.perf_counter())
            known |= moving


async def _messages(stream: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    text = b""
    async for piece in stream.content.iter_any():
        text += piece
        while b"\n\n" in text:
            message, _, text = text.partition(b"\n\n")
            head, _, body = message.partition(b"\n")
            if head.startswith(b"event: "):
                yield head[7:].decode(), json.loads(body.removeprefix(b"data: "))


async def _drained(stream: aiohttp.ClientResponse) -> None:
    async for _ in stream.content.iter_any():
        pass


def _rehearsed(folder: Path) -> float:
    file = EXAMPLES / "tiketi" / "crossfade.yaml"
    words = ("rehearse", "-f", str(file), "-e", "prod")
    # 1: on a machine as small as this one a promise of theirs may be missed, which is no concern of this figure.
    return crossfade(*words, state=folder / "state", limit=600.0, codes=(0, 1)).ms / 1000
