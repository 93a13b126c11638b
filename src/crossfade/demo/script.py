"""The script of a demo: six releases and orders, one after the other, while clients keep asking."""

import asyncio
import json
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Self

import click

from crossfade.core.errors import PlatformError
from crossfade.demo.app import DemoStage
from crossfade.demo.programme import Programme
from crossfade.demo.record import DemoStep, as_table, step, summary
from crossfade.load import LoadGenerator, LoadReport, Mode
from crossfade.stage.stage import clear_deserted, free_port, new_folder

READERS, READS = 16, 300.0  # clients, and requests a second of all of them
WRITERS, WRITES = 4, 40.0
BODIES = tuple(json.dumps({"message": "works for me " * n}).encode() for n in (1, 10, 100))
DEPLOY = ("deploy", "-e", "demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One verb on one release, and how it has to end."""

    name: str
    told: str
    verb: tuple[str, ...] = DEPLOY
    source: str = ""  # the version that is written before; empty: as it is
    timeout: str = "60s"
    expected: str = "succeeded"
    bad_release: bool = False
    kill: bool = False  # the controller, once the new release has traffic


FIRST = Act(name="v1", told="the first release of feedback, a web API over SQLite", source="v1")
ACTS = (
    Act(
        name="v2",
        told="a new column, migrated first; blue-green: the whole new fleet is up before one request moves",
        source="v2",
    ),
    Act(
        name="rollback to v1",
        told="the old fleet is still warm; --force, because v2 migrated, and its migration only added",
        verb=("rollback", "--force"),
    ),
    Act(
        name="v2, controller killed",
        told="kill -9 to the controller in the middle: a new one finds everything and goes on",
        kill=True,
    ),
    Act(
        name="v3 as a canary",
        told="a bug: every /api answer is 500, the health check does not notice; 10 % of the traffic does",
        verb=(*DEPLOY, "--strategy", "canary"),
        source="v3",
        expected="rolled_back",
        bad_release=True,
    ),
    Act(
        name="v4",
        told="never gets healthy, so it never gets a request",
        source="v4",
        timeout="4s",
        expected="rolled_back",
    ),
)


class ReadersAndWriters:
    """Readers and writers, counted together."""

    def __init__(self, url: str) -> None:
        self._stack = AsyncExitStack()
        paths = ("/api/version", "/api/feedbacks")
        self._all = (
            LoadGenerator(url, clients=READERS, mode=Mode.KEEPALIVE, path=paths, rate=READS),
            LoadGenerator(url, clients=WRITERS, mode=Mode.POST, path="/api/feedbacks", rate=WRITES, bodies=BODIES),
        )

    async def __aenter__(self) -> Self:
        for traffic in self._all:
            await self._stack.enter_async_context(traffic)
        return self

    async def __aexit__(self, *how: object) -> None:
        await self._stack.aclose()

    def lap(self) -> LoadReport:
        """What was counted since the last lap."""
        readers, writers = (traffic.lap() for traffic in self._all)
        return readers + writers


async def play(*, as_json: bool) -> int:
    programme = Programme(silent=as_json)
    await clear_deserted("demo")
    stage = DemoStage(folder=new_folder("demo"), port=free_port(), said=programme.aside)
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel if task else _nothing)
    steps: list[DemoStep] = []
    began = time.monotonic()
    try:
        await _play(stage, programme, steps)
        programme.say("\nstopping everything", bold=True)
        ran = await stage.verb("down", "--all")
        left = await stage.emptied()
    except asyncio.CancelledError:
        programme.say("\nstopped; cleaning up", bold=True)
        return 130
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, _nothing)  # the cleaning is not to be interrupted
        await stage.clear()
    if ran.code or left:
        raise PlatformError(
            f"{len(left)} processes were left running: {left}", "they are stopped now; please report it"
        )
    data = summary(steps)
    if as_json:
        click.echo(json.dumps(data))
    else:
        _conclude(steps, data, time.monotonic() - began)
    return 0 if data["ok"] else 1


async def _play(stage: DemoStage, programme: Programme, steps: list[DemoStep]) -> None:
    programme.say(f"Everything happens in {stage.folder}; the app answers at {stage.url}")
    steps.append(await _perform(stage, programme, FIRST, None))
    if not steps[0].ok:
        return
    programme.say()
    programme.say(
        f"From now on {READERS} clients read and {WRITERS} write over kept connections, "
        f"{READS + WRITES:.0f} requests a second; each is counted"
    )
    async with ReadersAndWriters(stage.url) as clients:
        for act in ACTS:
            done = await _perform(stage, programme, act, clients)
            steps.append(done)


async def _perform(stage: DemoStage, programme: Programme, act: Act, clients: ReadersAndWriters | None) -> DemoStep:
    programme.begin(act.name, act.told)
    if act.source:
        stage.write(act.source, timeout=act.timeout)
    if clients:
        clients.lap()  # what came between two acts belongs to neither
    alive = act.kill

    def told(event: Mapping[str, Any]) -> None:
        nonlocal alive
        programme.event(event)
        if alive and event["kind"] == "move" and event["data"]["action"] == {"do": "StartBake", "step": 1}:
            alive = False
            programme.aside("kill -9 to the controller")
            with suppress(ProcessLookupError):
                stage.kill_controller()

    ran = await stage.verb(*act.verb, told=told)
    report = clients.lap() if clients else None
    if "error" in ran.result:
        raise PlatformError(ran.result["error"]["cause"], ran.result["error"]["way_out"])
    done = step(act.name, act.expected, ran.result, ran.seconds, report, bad_release=act.bad_release)
    programme.end(done)
    return done


def _conclude(steps: list[DemoStep], data: Mapping[str, Any], took: float) -> None:
    click.echo(f"\n{as_table(steps)}\n")
    verdict = f"{data['requests']:,} requests while five releases came and went, {data['failed']} lost"
    click.secho(f"{verdict}, in {took:.0f} s. Nothing is left running.", bold=True, fg="green" if data["ok"] else "red")
    for one in steps:
        if one.state != one.expected:
            click.secho(f"{one.name} should have ended {one.expected}, but ended {one.state}", fg="red")


def _nothing() -> None:
    pass
