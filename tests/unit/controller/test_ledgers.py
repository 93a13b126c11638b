"""The snapshot of the ledgers: with it a start knows what the journal says, or it is left aside."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.until import until
from tests.property.history import history
from tests.property.simulation import Simulation
from tests.unit.controller.site import Control, Site

from crossfade.controller.ledgers import EVERY, Ledgers
from crossfade.controller.registry import LoopRegistry
from crossfade.core.errors import PlatformError
from crossfade.engine.dry.journal import DryJournal, JournalPaper
from crossfade.engine.fold import fold
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.journal import Event
from crossfade.engine.world import World

SEED = 7  # a history of several releases, one of them bad


def world(path: Path, events: list[Event], site: Site | None = None) -> World:
    """What a controller works with whose journal has these lines."""
    site = site or Site()
    site.journal = DryJournal(site.clock, JournalPaper(list(events)))
    return replace(Control(site).registry.world, snapshot=path)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> list[Event]:
    """The lines of a history; played here, for it runs under a time and a loop of its own."""
    return list(Simulation(history(getattr(request, "param", SEED))).run().paper.events)


async def read(path: Path, events: list[Event]) -> tuple[Mapping[str, Ledger], int]:
    """What a start knows, and how many lines it read for that."""
    asked = world(path, events)
    begun: list[int] = []

    class Counting(DryJournal):
        async def read(self, **which: Any) -> Any:
            found = await super().read(**which)
            begun.append(len(found) if "kinds" in which else 0)
            return found

    journal = Counting(asked.clock, JournalPaper(list(events)))
    return await Ledgers(replace(asked, journal=journal)).read(), sum(begun)


async def save(path: Path, events: list[Event]) -> None:
    await Ledgers(world(path, events)).save()


def known(events: list[Event]) -> dict[str, Ledger]:
    """What folding all of it says; a ledger's `seq` is only its last line of any kind."""
    return {key: replace(ledger, seq=0) for key, ledger in fold(events).items()}


def same(found: Mapping[str, Ledger], events: list[Event]) -> bool:
    return {key: replace(ledger, seq=0) for key, ledger in found.items()} == known(events)


@pytest.mark.parametrize("told", range(12), indirect=True)
async def test_a_start_from_a_snapshot_knows_what_the_journal_says(told: list[Event], tmp_path: Path) -> None:
    """Whichever line it ends with, what came after is folded on top."""
    for end in {1, len(told) // 3, len(told) // 2, len(told) - 1, len(told)}:
        await save(tmp_path / "s", told[:end])
        found, _ = await read(tmp_path / "s", told)
        assert same(found, told)


async def test_lines_that_are_for_people_alone_make_no_other_snapshot(told: list[Event], tmp_path: Path) -> None:
    """Else it would be written anew each minute once there were enough of them, for as long as nobody deploys."""
    path = tmp_path / "s"
    await save(path, told)
    first = path.stat().st_ino
    later = [replace(told[-1], kind="job ran", seq=told[-1].seq + n) for n in range(1, EVERY + 1)]
    ledgers = Ledgers(world(path, [*told, *later]))
    await ledgers.read()
    await ledgers.save()
    assert path.stat().st_ino == first


async def test_between_two_snapshots_nothing_of_them_is_in_memory(told: list[Event], tmp_path: Path) -> None:
    """The loops have ledgers of their own, and what is on disk is read again for the next."""
    path, half, site = tmp_path / "s", len(told) // 2, Site()
    ledgers = Ledgers(world(path, told[:half], site))
    await ledgers.read()
    await ledgers.save()
    keeping = asyncio.create_task(ledgers.keep())
    await until(lambda: not ledgers._known)
    keeping.cancel()
    site.journal.paper.events += told[half:]
    await ledgers.save()
    found, count = await read(path, told)
    assert (same(found, told), count) == (True, 0)


async def test_only_what_came_later_is_read(told: list[Event], tmp_path: Path) -> None:
    """Of a journal that has grown by some lines since, not one line of before."""
    await save(tmp_path / "s", told[:-4])
    _, count = await read(tmp_path / "s", told)
    assert count <= 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole.replace(b'"outcome":"good"', b'"outcome":"bad!"'),
        lambda whole: b"\0" * len(whole),
        lambda whole: b"{}\n[]",
        lambda whole: b"[1]\n[]",
        lambda whole: whole.replace(b'"rules": "', b'"rules": "0'),
    ],
    ids=["empty", "half of it", "changed", "zeros", "without a head", "another shape", "of another crossfade"],
)
async def test_what_is_damaged_or_of_another_crossfade_is_left_aside(
    told: list[Event], spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """The journal has everything, and the next snapshot takes its place."""
    path = tmp_path / "s"
    await save(path, told)
    path.write_bytes(spoil(path.read_bytes()))
    found, _ = await read(path, told)
    assert same(found, told)
    await save(path, told)
    _, count = await read(path, told)
    assert count == 0


@pytest.mark.parametrize("change", ["emptied", "shorter", "another"])
async def test_one_of_another_journal_is_left_aside(told: list[Event], change: str, tmp_path: Path) -> None:
    """Of a journal that was moved away, restored from a backup, or written anew since."""
    path = tmp_path / "s"
    await save(path, told)
    now = {"emptied": [], "shorter": told[: len(told) // 2], "another": [replace(e, at=e.at + 1.0) for e in told]}[
        change
    ]
    found, _ = await read(path, now)
    assert same(found, now)


def _killed_at(event: str) -> None:
    """From here on this process is killed where it does that with a snapshot."""

    def hear(name: str, arguments: tuple[Any, ...]) -> None:
        if name == event and str(arguments[0]).endswith(".new"):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


def _ended_half_way() -> None:
    """From here on this process ends where a file of it grows beyond some bytes: in the middle of a snapshot."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


@pytest.mark.parametrize(
    "death",
    [lambda: _killed_at("open"), _ended_half_way, lambda: _killed_at("os.rename")],
    ids=["before it is opened", "half written", "before it is renamed"],
)
@pytest.mark.parametrize("before", [True, False], ids=["with one of before", "the first one"])
def test_who_is_killed_while_it_writes_leaves_what_was(
    told: list[Event], death: Callable[[], None], *, before: bool, tmp_path: Path
) -> None:
    """The snapshot of before, or none; the next start knows everything, and its snapshot takes the place."""
    path = tmp_path / "s"
    if before:
        asyncio.run(save(path, told[:-4]))
    was = path.read_bytes() if before else b""
    child = os.fork()
    if child == 0:
        death()
        asyncio.run(save(path, told))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert (path.read_bytes() if path.exists() else b"") == was
    found, _ = asyncio.run(read(path, told))
    assert same(found, told)
    asyncio.run(save(path, told))
    assert asyncio.run(read(path, told)) == (found, 0)


async def test_a_disk_that_refuses_keeps_nobody_from_anything(told: list[Event], tmp_path: Path) -> None:
    """It is said, and what the journal has is known all the same."""
    kept = Ledgers(world(tmp_path / "nothing here" / "s", told))
    await kept.save()
    assert same(await kept.read(), told)


async def test_a_damaged_line_after_it_is_said(told: list[Event], tmp_path: Path) -> None:
    """A snapshot hides no line that a start reads, and the journal that has it is named."""
    await save(tmp_path / "s", told)
    damaged = Event(kind="release tagged", service=told[-1].service, seq=len(told) + 1)
    with pytest.raises(PlatformError, match=f"^in memory: the journal is damaged: line {len(told) + 1}"):
        await read(tmp_path / "s", [*told, damaged])


async def test_a_controller_keeps_it_as_the_journal_grows(told: list[Event], tmp_path: Path) -> None:
    """Not for a few lines; from so many on it is made without being asked for."""
    path, site = tmp_path / "s", Site()
    tags = [
        Event(
            kind="release tagged", service=told[0].service, data={"tag": "t", "release": 1}, seq=len(told) + n, at=1.0
        )
        for n in range(1, EVERY)
    ]
    removed = Event(kind="service removed", service=told[0].service, data={}, seq=len(told) + EVERY, at=2.0)
    for events, there in ([*told, replace(removed, seq=len(told) + 1)], False), ([*told, *tags, removed], True):
        registry = LoopRegistry(world(path, events, site), "a controller")
        await registry.start()
        if there:
            await until(path.exists, 60.0)
        await registry.close()
        assert path.exists() is there
    head = json.loads(path.read_bytes().partition(b"\n")[0])
    assert head["line"]["seq"] == len(told) + EVERY
    assert path.stat().st_mode & 0o777 == 0o600
