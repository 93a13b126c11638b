"""What each promise costs a request behind HAProxy: ours without one of them at a time, beside what people have."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.bare import answering, haproxy, usual
from benchmarks.children import child, free_port, listening, room, workplace
from benchmarks.instructions import CONFIG, LEAST, TUNABLES, Asked, alone, count, written
from benchmarks.proxies import CrossfadeHaproxy
from benchmarks.proxies.proxy import found
from benchmarks.result import Result, Table, number
from benchmarks.scale import Scale
from benchmarks.throughput import by_wrk
from crossfade.platforms.local.balancers.haproxy.settings import ENVIRONMENT

NOUN = "promises"
OURS, BARE = "crossfade, HAProxy", "bare HAProxy"
USUAL = "HAProxy with Debian's log and timeouts, forwardfor and a check"
HOW = """\
HAProxy with one worker. Our configuration as it is, then without what keeps one promise at a time; beside it the
smallest one that asks again and says who asks, one as people have it, and the bare one of the throughput benchmark. The
instructions are its own code's, under callgrind. The processor time is all of HAProxy's for a request of 64 keep-alive
connections, the kernel's part included, in rounds that take the configurations in turn; wrk makes it.
"""

Lines = list[str]


def _without(pattern: str) -> Callable[[Lines], Lines]:
    return lambda lines: [line for line in lines if not re.search(pattern, line)]


def _by_file(lines: Lines) -> Lines:
    """Where requests go is in the file, and each switch would be a reload."""
    plain = [
        re.sub(r"allow if { var\(txn\.to\) -m found }", "allow unless { var(txn.odd) -m found }", line)
        for line in lines
    ]
    left = _without(r"http-request .*(txn\.(to|svc|asked|kind|draw)|set-log-level)")(plain)
    return [re.sub(r"use_backend .*", "default_backend bench.web.0", line) for line in left]


PROMISES: dict[str, Callable[[Lines], Lines]] = {
    "ask again what is safe to repeat": _without(r"retry-on|disable-l7-retry"),
    "tell the app its client, and the request an id": _without(r"add-header|set-var\(sess\."),
    "believe no header of a stranger, and let no path mislead": _without(r"set-var\(txn\.odd\)"),
    "switch without a reload": _by_file,
    "count requests with their times and failures": _without(r"^  (log|log-format|option log-\S+) ?"),
    "tell streams and cut answers": _without(r"http-response"),
    "stop asking for a client that left": _without(r"abortonclose"),
}


async def measure(scale: Scale) -> Result:
    title = "What each promise costs a request behind HAProxy"
    if lacking := [name for name in ("valgrind", "wrk") if shutil.which(name) is None]:
        return Result(noun=NOUN, title=title, how=HOW, notes=[f"not measured: {lacking[0]} is not installed"])
    if not CrossfadeHaproxy.version():
        return Result(noun=NOUN, title=title, how=HOW, notes=["not measured: HAProxy is not installed"])
    direct = free_port()
    with workplace() as place, child(answering(direct, 1), room(place, "direct")):
        await listening(direct, place / "direct")
        all_of_it = await _rooms(place, direct)
        counted = {name: await _count(one, port, scale.counted) for name, (one, port) in all_of_it.items()}
        times: dict[str, list[float]] = {}
        for _ in range(max(2, scale.rounds // 10)):
            for name, (one, port) in all_of_it.items():
                times.setdefault(name, []).append(await _microseconds(one, port))
    taken = {name: median(values) for name, values in times.items()}
    rows = [
        (name, number(counted[name]), _more(counted[name] - counted[OURS]), number(taken[name])) for name in all_of_it
    ]
    return Result(
        noun=NOUN,
        title=title,
        how=HOW,
        tables=(Table(head=("configuration", "instructions", "beside ours", "processor time, µs"), rows=rows),),
        notes=[f"{scale.counted:,} requests of each under callgrind, {len(times[OURS])} rounds of a second by wrk"],
        data={"instructions": counted, "microseconds": times},
    )


async def _rooms(place: Path, direct: int) -> dict[str, tuple[Path, int]]:
    """By name, a directory with the configuration, and its port."""
    ours = Asked(room(place, "ours"), {"1": direct})
    lines = await written(ours)
    changed = {OURS: lines, **{f"without: {name}": change(lines) for name, change in PROMISES.items()}}
    rooms: dict[str, tuple[Path, int]] = {}
    for index, (name, text) in enumerate(changed.items()):
        own = shutil.copytree(ours.directory, place / f"ours {index}")
        (own / CONFIG).write_text(alone(text))
        rooms[name] = own, ours.port
    others = {
        LEAST: haproxy(least := free_port(), direct, 1, promises=True),
        USUAL: usual(as_people := free_port(), direct, 1),
        BARE: haproxy(bare := free_port(), direct, 1),
    }
    for (name, command), port in zip(others.items(), (least, as_people, bare), strict=True):
        own = room(place, name.split()[0] + str(port))
        (own / CONFIG).write_text(command[-1])
        rooms[name] = own, port
    return rooms


def _command() -> Sequence[str]:
    return [found("haproxy") or "haproxy", "-db", "-f", CONFIG]


def _tunables(place: Path) -> list[str]:
    return [ENVIRONMENT[TUNABLES]] if place.name.startswith("ours") else []


async def _count(place: Path, port: int, requests: int) -> float:
    return await count(_command(), place, port, requests, *_tunables(place))


async def _microseconds(place: Path, port: int) -> float:
    """Processor time a request, of all threads of the HAProxy that this directory starts."""
    with child(_command(), place, env={TUNABLES: ":".join(_tunables(place))}) as balancer:
        await listening(port, place)
        before = _used(balancer.pid)
        requests, _ = by_wrk("wrk", port, 1)
        return (_used(balancer.pid) - before) / requests / 1000


def _used(pid: int) -> int:
    """Nanoseconds on a processor so far."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _more(value: float) -> str:
    return f"{value:+,.0f}" if round(value) else ""
