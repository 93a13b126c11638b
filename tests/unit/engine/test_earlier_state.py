"""A state directory that an earlier crossfade left, here 0.1: its history is read as it was."""

import sqlite3
from pathlib import Path

import pytest

from crossfade.core.release import Outcome
from crossfade.core.rollout import State
from crossfade.engine.clock import SystemClock
from crossfade.engine.fold import fold
from crossfade.engine.ledger import Ledger
from crossfade.platforms.local.journal import SqliteJournal

LEFT = Path(__file__).parents[2] / "fixtures" / "state-0.1"


@pytest.fixture
async def ledgers(tmp_path: Path) -> dict[str, Ledger]:
    with sqlite3.connect(tmp_path / "journal.db") as db:
        db.executescript((LEFT / "journal.sql").read_text())
    db.close()
    journal = SqliteJournal(tmp_path / "journal.db", SystemClock())
    try:
        return fold(await journal.read())
    finally:
        await journal.close()


def test_releases_keep_their_numbers_and_what_became_of_them(ledgers: dict[str, Ledger]) -> None:
    """Four of web: good, good, aborted, rolled back; the rollback led to the second."""
    web = ledgers["shop/web"]
    assert [r.outcome for r in web.releases] == [Outcome.GOOD, Outcome.GOOD, Outcome.ABORTED, Outcome.BAD]
    assert web.current == 2
    assert web.previous is not None
    assert web.previous.number == 1


def test_what_people_ordered_still_holds(ledgers: dict[str, Ledger]) -> None:
    """The size, the tag and the lock."""
    web, api = ledgers["shop/web"], ledgers["shop/api"]
    assert (web.replicas, web.wanted, dict(web.tags)) == (3, 3, {"stable": 2})
    assert api.freeze is not None
    assert (api.freeze.by, api.freeze.reason) == ("ada@box", "holiday")


def test_rollouts_keep_their_record(ledgers: dict[str, Ledger]) -> None:
    """Each with its end and its proof."""
    web = ledgers["shop/web"]
    ended = [record.rollout.state for record in web.records]
    assert ended == [State.SUCCEEDED, State.SUCCEEDED, State.ABORTED, State.SUCCEEDED, State.SUCCEEDED]
    assert all(record.proof["failed"] == 0 for record in web.records)
