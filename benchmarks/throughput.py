"""What our Envoy configuration costs beside the smallest one that does the same work."""

import math
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import mean, stdev

from benchmarks.bare import answering, haproxy, passing, usual
from benchmarks.children import BrokenError, child, free_port, listening, room, workplace
from benchmarks.proxies import CrossfadeEnvoy, CrossfadeHaproxy
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from crossfade.load import LoadGenerator

NOUN = "throughput"
CONNECTIONS = 64
FEWEST = 6  # rounds, of which a spread says something
SURE = 0.015  # standard error of a ratio at which no further round is made
LOAD = "crossfade.load, because wrk is not installed"
HOW = f"""\
{CONNECTIONS} keep-alive connections, through Envoy and HAProxy as crossfade configures them (health checks, retries,
counters, logs), through bare ones of the same binary and concurrency whose configuration has one listener, one route
and one cluster, through a usual HAProxy, with the timeouts and the log of Debian's file, `option forwardfor` and a
check, and straight to the origin, which is an Envoy that answers by itself.
Each round starts all of them anew, because one process of the same program can be a tenth faster than the next for as
long as it lives, and takes the ways there and back; the ratio is the mean of those of the rounds. A round takes ten
seconds, and there is another one until no ratio's standard error is above {SURE}: one to four minutes.
"""
USUAL = "usual HAProxy"
BECAUSE = """\
As crossfade configures them, both have more to do for a request: to be able to ask again elsewhere, to say who the
client is and believe nobody else who says it, and to tell streams from plain requests. To ask again HAProxy copies a
buffer of 16 KiB twice for each request. All of it is kept.
"""


async def measure(scale: Scale) -> Result:
    wrk = shutil.which("wrk")
    rounds: dict[str, list[float]] = {}
    with workplace() as place:
        for turn in range(scale.rounds):
            async with _ports(room(place, str(turn))) as ports:
                # There and back, so that what comes first gains nothing by it.
                ways = [*ports, *list(reversed(ports))[1:]]
                taken = [(name, await _rate(wrk, ports[name], scale.round_seconds / 2)) for name in ways]
            for name in ports:
                rounds.setdefault(name, []).append(mean(rate for way, rate in taken if way == name))
            ratios = {name: _ratios(rounds[f"crossfade, {name}"], rounds[f"bare {name}"]) for name in _here()}
            if enough(ratios.values()):
                break
    usually = {USUAL: _ratios(rounds["crossfade, HAProxy"], rounds[USUAL])} if USUAL in rounds else {}
    return Result(
        noun=NOUN,
        title="Throughput beside a bare Envoy and a bare HAProxy",
        how=HOW,
        figures=tuple(
            Figure(name=f"of bare {name}'s requests/s", value=mean(found), least=0.95) for name, found in ratios.items()
        ),
        tables=(Table.of("way, requests/s", rounds),),
        because=BECAUSE,
        notes=[
            f"{len(rounds['direct'])} rounds of {scale.round_seconds:.0f} s each, made by {'wrk' if wrk else LOAD}",
            *(f"the ratio of {name} has a standard error of {_error(found):.3f}" for name, found in ratios.items()),
            *(
                f"crossfade, HAProxy, of a {name}'s requests/s: {mean(found):.2f}, with a standard error of "
                f"{_error(found):.3f}"
                for name, found in usually.items()
            ),
        ],
        data={"per_second": rounds},
    )


def _here() -> tuple[str, ...]:
    """The balancers that can be measured."""
    return ("Envoy", "HAProxy") if CrossfadeHaproxy.version() else ("Envoy",)


def enough(ratios: Iterable[Sequence[float]]) -> bool:
    """More rounds would say little more of any of them."""
    return all(len(found) >= FEWEST and _error(found) <= SURE for found in ratios)


def _error(found: Sequence[float]) -> float:
    """The standard error of their mean."""
    return stdev(found) / math.sqrt(len(found))


def _ratios(ours: list[float], bare: list[float]) -> list[float]:
    return [mine / its for mine, its in zip(ours, bare, strict=True)]


@asynccontextmanager
async def _ports(place: Path) -> AsyncIterator[dict[str, int]]:
    """The ways, by name; they run side by side, and one of them works at a time."""
    direct, workers = free_port(), len(os.sched_getaffinity(0))  # as many as crossfade's have
    ports = {"direct": direct}
    async with AsyncExitStack() as running:

        async def begin(name: str, command: list[str], port: int) -> None:
            running.enter_context(child(command, room(place, name)))
            await listening(port, place / name)
            ports[name] = port

        await begin("direct", answering(direct, workers), direct)
        for name, ours, bare in (("Envoy", CrossfadeEnvoy, passing), ("HAProxy", CrossfadeHaproxy, haproxy)):
            if name in _here():
                port = free_port()
                await begin(f"bare {name}", bare(port, direct, workers), port)
                made = ours(room(place, name), {"1": direct})
                await running.enter_async_context(made.running())
                await listening(made.port)
                ports[f"crossfade, {name}"] = made.port
        if "HAProxy" in _here():
            port = free_port()
            await begin(USUAL, usual(port, direct, workers), port)
        yield ports


async def _rate(wrk: str | None, port: int, seconds: float) -> float:
    return by_wrk(wrk, port, seconds)[1] if wrk else await _by_load(port, seconds)


def by_wrk(wrk: str, port: int, seconds: float) -> tuple[int, float]:
    """Requests, and requests a second. BrokenError when one of them failed."""
    command = [wrk, "-t2", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests, rate = re.search(r"(\d+) requests in", said), re.search(r"Requests/sec:\s+([\d.]+)", said)
    if requests is None or rate is None or "errors" in said or "Non-2xx" in said:
        raise BrokenError(f"wrk says: {said.strip()[-300:]}")
    return int(requests[1]), float(rate[1])


async def _by_load(port: int, seconds: float) -> float:
    report = await LoadGenerator(f"http://127.0.0.1:{port}", clients=CONNECTIONS, seconds=seconds).run()
    if report.failed:
        raise BrokenError(f"{report.failed} requests failed: {report.losses[0].detail}")
    return report.requests / report.seconds
