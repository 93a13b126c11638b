"""What every HostsJournal must keep: a journey over hosts relies on each sentence here."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.fleet_of_hosts import MemoryJournal
from tests.support.machine import ROOT

from crossfade.core.errors import RefusedError
from crossfade.engine.ports.hosts import HostLostError, HostsJournal
from crossfade.platforms.hosts.journal import KeptJournal

Open = Callable[[], HostsJournal]


def keeper(state: Path, by: str = "me@here") -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "crossfade.cli.main", "hosts", "keep", "shop@prod", "--by", by, "--state", str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT / "src")},
    )


@pytest.fixture(params=["memory", "kept"])
def reopened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same record anew, as the next process does."""
    opened: list[HostsJournal] = []
    memory = MemoryJournal().kept

    def again() -> HostsJournal:
        journal: HostsJournal
        journal = MemoryJournal(memory) if request.param == "memory" else KeptJournal(keeper(tmp_path / "s"), "a")
        opened.append(journal)
        return journal

    yield again
    for journal in opened:
        journal.close()


def test_a_new_record_is_empty(reopened: Open) -> None:
    assert list(reopened().events()) == []


def test_what_was_written_is_there_for_whoever_opens_it_next(reopened: Open) -> None:
    """In its order, with its data and a time."""
    journal = reopened()
    written = [journal.append("host begun", {"host": "a"}), journal.append("host done", {"host": "a", "after": {}})]
    journal.close()
    found = list(reopened().events())
    assert found == written
    assert [event.seq for event in found] == sorted(event.seq for event in found)


def test_only_one_writes_at_a_time(tmp_path: Path) -> None:
    """Another is told who, and since when; and has it once the first one is gone, however that ended."""
    first = keeper(tmp_path / "s", by="ann@laptop")
    journal = KeptJournal(first, "a")
    journal.append("host begun", {"host": "a"})
    with pytest.raises(RefusedError, match="ann@laptop has been working on shop@prod since"):
        KeptJournal(keeper(tmp_path / "s"), "a")
    first.kill()
    first.wait()
    with pytest.raises(HostLostError, match="keeps the record, does not answer any more"):
        journal.append("host done", {"host": "a"})
    journal.close()
    second = KeptJournal(keeper(tmp_path / "s"), "a")
    assert [event.kind for event in second.events()] == ["host begun"]
    second.append("host done", {"host": "a", "after": {}})
    second.close()
