"""The record of what is done over hosts, on the first of them: one process for whoever writes, ended with them.

It is talked to in lines of JSON: it begins with all events, answers each `{"kind", "data"}` with the event as written,
and nothing to `{}`, the sign that somebody is still there. Any answer may be `{"error": {"cause", "way_out"}}`.
"""

import asyncio
import json
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import IO, Any

from crossfade.core.errors import CrossfadeError, RefusedError
from crossfade.engine.clock import SystemClock
from crossfade.engine.ports.journal import Event, Lease
from crossfade.held import take
from crossfade.paths import StateDirectory, open_own
from crossfade.platforms.local.journal import SqliteJournal
from crossfade.telling.text import clock

SILENCE = 30.0  # seconds without a word, after which nobody is there any more
LEASE = 60.0  # seconds; who holds the file's lock is who works, so nobody waits for it


def keep(state: StateDirectory, place: str, by: str, heard: IO[bytes], said: IO[bytes]) -> None:
    """Keep the record of `app@environment` for `by`, until its input ends or is silent."""

    def say(answer: Any) -> None:
        said.write(json.dumps(answer).encode() + b"\n")
        said.flush()

    try:
        state.prepare()
        with _lock(state, place) as free:
            journal = SqliteJournal(state.root / "hosts.db", SystemClock())
            lease = asyncio.run(_taken(journal, place, by, free=free))
            say({"events": [asdict(event) for event in asyncio.run(journal.read(service=place))]})
            with suppress(BrokenPipeError):
                for line in _lines(heard):
                    told = json.loads(line)
                    if told:
                        say(_written(journal, place, lease.token, told))
            asyncio.run(journal.release(lease))
    except CrossfadeError as error:
        say(_refused(error))


def look(state: StateDirectory, place: str, said: IO[bytes]) -> None:
    """Say what is on record, and let whoever writes go on."""
    found: list[Any] = []
    if (state.root / "hosts.db").exists():
        journal = SqliteJournal(state.root / "hosts.db", SystemClock())
        found = [asdict(event) for event in asyncio.run(journal.read(service=place))]
    said.write(json.dumps({"events": found}).encode() + b"\n")
    said.flush()


def _written(journal: SqliteJournal, place: str, token: int, told: dict[str, Any]) -> Any:
    event = Event(kind=told["kind"], service=place, data=told["data"])
    try:
        return {"event": asdict(asyncio.run(journal.append(event, token)))}
    except CrossfadeError as error:
        return _refused(error)


async def _taken(journal: SqliteJournal, place: str, by: str, *, free: bool) -> Lease:
    """The lease. Without the lock it is refused in the words of who has it; with it, whoever had it is gone."""
    held = await journal.lease(place)
    if not free:
        since = clock(held.since) if held else "just now"
        raise RefusedError(
            f"{held.holder if held else 'somebody'} has been working on {place} since {since}",
            "wait until it is done",
        )
    if held:
        await journal.release(held)
    return await journal.renew(await journal.acquire(place, by, LEASE), LEASE)


@contextmanager
def _lock(state: StateDirectory, place: str) -> Iterator[bool]:
    """Whether it is ours. The kernel gives it up for whoever dies."""
    file = open_own(state.root / f"hosts-{place}.lock", os.O_RDWR)
    try:
        yield take(file)
    finally:
        os.close(file)


def _lines(heard: IO[bytes]) -> Iterator[bytes]:
    """Whole lines as they come, until the end or `SILENCE`."""
    begun = b""
    while select.select([heard], [], [], SILENCE)[0]:
        part = os.read(heard.fileno(), 1 << 16)
        if not part:
            return
        *whole, begun = (begun + part).split(b"\n")
        yield from whole


def _refused(error: CrossfadeError) -> Any:
    return {"error": {"cause": error.cause, "way_out": error.way_out, "exit_code": error.exit_code}}
