"""How long a start takes to know what happened in years."""

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.children import workplace
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from crossfade.controller.ledgers import Ledgers
from crossfade.core.actions import Action, Advance, Finish, Launch, Shift, StartBake
from crossfade.core.counters import Counters
from crossfade.core.release import Release
from crossfade.core.rollout import Rollout, State
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Service, Strategy
from crossfade.core.wire import encode, encode_action
from crossfade.paths import StateDirectory
from crossfade.platforms.local.machine import Machine

NOUN = "start"
SERVICE = Service(app="bench", name="web", source="/srv/bench", command="serve", replicas=2)
COUNTED = Counters(requests=4000, errors=3, latency=tuple((float(2**n), 125 * n) for n in range(32)))
PROOF = {"requests": 8000, "failed": 3, "retried": 0, "drained": 4, "p50_ms": 4.0, "p99_ms": 30.0, "switch_ms": 9.0}
INSERT = "INSERT INTO events (at, service, rollout, kind, data) VALUES (?, ?, ?, ?, ?)"
HOW = """\
A journal of one service with so many releases, each with the fourteen lines that a deploy writes, and with requests
that were counted in each. What is taken is processor time, from the open journal to the ledgers of all services: once
from the first line, as after an upgrade, and then from the snapshot that a controller keeps beside it.
"""


async def measure(scale: Scale) -> Result:
    taken: dict[str, list[float]] = {"every line": [], "the snapshot": []}
    with workplace() as place:
        state = StateDirectory(place / "s")
        machine = Machine(state, "envoy", lambda _: None)
        try:
            lines = _fill(state, scale.releases)
            for name, times in (("every line", 1), ("the snapshot", scale.repeats)):
                for _ in range(times):
                    ledgers, began = Ledgers(machine.world), time.process_time()
                    known = await ledgers.read()
                    taken[name].append((time.process_time() - began) * 1000)
                    assert len(known[SERVICE.key].releases) == scale.releases
                    if name == "every line":
                        await ledgers.save()
        finally:
            await machine.close()
    return Result(
        noun=NOUN,
        title=f"Start with {scale.releases:,} releases on record",
        how=HOW,
        figures=[
            Figure(
                name=f"ledgers of {lines:,} lines, with a snapshot",
                value=max(taken["the snapshot"]),
                unit="ms",
                most=1000,
            ),
            Figure(name="the same line by line", value=max(taken["every line"]), unit="ms"),
        ],
        tables=(Table.of("read from, ms", taken),),
        data={"ms": taken, "lines": lines},
    )


def _fill(state: StateDirectory, releases: int) -> int:
    """Write what so many deploys write; how many lines that is."""
    with sqlite3.connect(state.journal) as db:
        for number in range(1, releases + 1):
            at = 1_700_000_000.0 + 1000 * number
            db.executemany(
                INSERT, [(at, SERVICE.key, number, kind, json.dumps(data)) for kind, data in _deploy(number)]
            )
        (count,) = db.execute("SELECT count(*) FROM events").fetchone()
    db.close()
    return int(count)


def _deploy(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines of one that succeeds, in their order."""
    before = number - 1 or None
    strategy = Strategy(keep_previous=0.0)
    release = Release(
        number=number, service=SERVICE, version=f"v{number}", digest=f"{number:064x}", config_hash="c" * 12, by="kim"
    )
    rollout = Rollout(
        id=number,
        service=SERVICE.key,
        source=before,
        target=number,
        strategy=strategy,
        replicas=2,
        drain=30.0,
        by="kim",
        started_at=0.0,
    )
    counted = [(n, encode(COUNTED)) for n in (before, number) if n]
    launch = {"action": encode_action(Launch(release=number, count=2)), "instance": f"bench-web-{number}-0"}
    yield "release created", {"release": encode(release)}
    yield "rollout started", {"rollout": encode(rollout)}
    yield from (("intent", launch), ("done", launch))
    for weight in (before or number, number):
        groups = tuple(TargetGroup(release=n, registered=(f"bench-web-{n}-0",)) for n in (before, number) if n)
        shift = {"action": encode_action(Shift(routing=Routing(groups=groups, weights=((weight, 100),)), lead=weight))}
        yield "intent", shift
        yield "routed", {**shift, "ms": 9.0, "draining": {}, "drained": 0, "switched": weight == number}
    moves: tuple[Action, ...] = (StartBake(step=0), Advance(step=1), StartBake(step=1))
    for move in moves:
        yield "move", {"action": encode_action(move), "counters": counted}
    done = Finish(state=State.SUCCEEDED, reason=f"release {number} has all traffic")
    yield "move", {"action": encode_action(done), "counters": counted, "proof": PROOF}
    yield "record closed", {"rollout": number, "proof": PROOF}
    yield "intent", launch
