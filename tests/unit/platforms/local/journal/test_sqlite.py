"""What only a file can get wrong: other versions, other processes, full and forbidden disks."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.engine.ports.journal import Event, HeldError
from crossfade.platforms.local.journal import SqliteJournal

WEB = "shop/web"


class StoppedClock:
    def now(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal(path, StoppedClock())
    yield opened
    await opened.close()


async def test_a_reopened_file_has_all_events_and_leases(path: Path, journal: SqliteJournal) -> None:
    """What was written is there for the next process, leases included."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    event = await journal.append(Event(kind="x", service=WEB), lease.token)
    await journal.close()
    reopened = SqliteJournal(path, StoppedClock())
    assert list(await reopened.read()) == [event]
    assert (await reopened.acquire(WEB, "one", ttl=20)).token == lease.token
    await reopened.close()


def _tidy_up(path: Path) -> None:
    for beside in ("-wal", "-shm"):
        Path(f"{path}{beside}").unlink()


def _take_away(path: Path) -> None:
    path.rename(f"{path}.away")


def _replace(path: Path) -> None:
    _take_away(path)
    shutil.copy(f"{path}.away", path)


async def test_lines_survive_a_kill_although_the_wal_was_removed(path: Path, journal: SqliteJournal) -> None:
    """By somebody who tidied up: what is written from then on would be in a file without a name."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    before = await journal.append(Event(kind="before", service=WEB), lease.token)
    _tidy_up(path)
    after = await journal.append(Event(kind="after", service=WEB), lease.token)
    copied = path.with_name("copy.db")  # all that a kill would leave
    for beside in ("", "-wal"):
        shutil.copy(f"{path}{beside}", f"{copied}{beside}")
    reopened = SqliteJournal(copied, StoppedClock())
    assert list(await reopened.read()) == [before, after]
    await reopened.close()


async def test_a_journal_that_was_replaced_takes_no_line(path: Path, journal: SqliteJournal) -> None:
    """Nothing is acknowledged that the next start would not find in it."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    _replace(path)
    with pytest.raises(PlatformError, match="it was replaced while it was in use") as told:
        await journal.append(Event(kind="x", service=WEB), lease.token)
    assert "crossfade up --restart" in told.value.way_out


async def test_a_journal_that_was_removed_goes_on(path: Path, journal: SqliteJournal) -> None:
    """What runs can still be ended by whoever runs it; the next start takes it over by its marks."""
    lease = await journal.acquire(WEB, "one", ttl=10)
    _take_away(path)
    event = await journal.append(Event(kind="x", service=WEB), lease.token)
    assert list(await journal.read()) == [event]


async def test_who_was_called_otherwise_has_its_leases_at_once(path: Path, journal: SqliteJournal) -> None:
    """A machine that got another name would wait for itself; what nobody has stays nobody's."""
    lease = await journal.acquire(WEB, "the controller on old", ttl=10)
    await journal.release(await journal.acquire("shop/free", "the controller on old", ttl=10))
    with pytest.raises(HeldError):
        await journal.acquire(WEB, "the controller on new", ttl=10)
    journal.inherit("the controller on new")
    taken = await journal.acquire(WEB, "the controller on new", ttl=10)
    assert (taken.token, taken.vacant_since) == (lease.token, lease.expires - 10)
    assert await journal.lease("shop/free") is None


def test_every_write_is_synced(journal: SqliteJournal) -> None:
    """A line that was acknowledged survives a power cut: write-ahead log, full synchronisation."""
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_a_renewal_waits_for_no_disk_and_what_follows_does(journal: SqliteJournal) -> None:
    """Hundreds of services renew theirs every few seconds; each line is on disk all the same, after one refused too."""
    settings: list[str] = []
    lease = await journal.acquire(WEB, "one", ttl=10)
    journal._db.set_trace_callback(settings.append)
    renewed = await journal.renew(lease, ttl=20)
    with pytest.raises(RefusedError):
        await journal.renew(replace(lease, token=lease.token + 1), ttl=20)
    await journal.append(Event(kind="x", service=WEB), lease.token)
    journal._db.set_trace_callback(None)
    told = [line.split(" ", 1)[0] if "PRAGMA" not in line else line.rpartition(" ")[2] for line in settings]
    assert [word for word in told if word in {"NORMAL", "FULL", "COMMIT", "ROLLBACK"}] == [
        *("NORMAL", "COMMIT", "FULL"),
        *("NORMAL", "ROLLBACK", "FULL"),
        "COMMIT",
    ]
    assert renewed.expires == 1020.0


async def test_lines_can_neither_be_changed_nor_removed(journal: SqliteJournal) -> None:
    """The file itself refuses to rewrite history."""
    await journal.append(Event(kind="x", service=WEB), token=0)
    for statement in ("UPDATE events SET kind = 'y'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            journal._db.execute(statement)


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    """An older crossfade does not touch what a newer one wrote, and says what to do."""
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(WrongInputError, match=r"written by a newer crossfade(.|\n)*another state directory"):
        SqliteJournal(path, StoppedClock())
    assert path.read_bytes() == before


def test_a_file_that_is_no_journal_is_named(path: Path) -> None:
    """Something else under the journal's name is reported, not overwritten."""
    path.write_text("dear diary, " * 100)
    with pytest.raises(PlatformError, match="not a crossfade journal"):
        SqliteJournal(path, StoppedClock())
    assert path.read_text().startswith("dear diary")


async def test_a_full_disk_is_said_plainly(journal: SqliteJournal) -> None:
    """When no page can be added the append fails with the cause, and the journal stays usable."""
    journal._db.execute("PRAGMA max_page_count = 8")
    with pytest.raises(PlatformError, match="disk is full"):
        await journal.append(Event(kind="x", service=WEB, data={"fill": "x" * 100_000}), token=0)
    kept = len(await journal.read())
    journal._db.execute("PRAGMA max_page_count = 1000")
    await journal.append(Event(kind="x", service=WEB), token=0)
    assert len(await journal.read()) == kept + 1


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    """A state directory below a file is a wrong path, not a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="cannot use the journal"):
        SqliteJournal(tmp_path / "file" / "journal.db", StoppedClock())


async def test_a_file_without_write_permission_is_said_plainly(journal: SqliteJournal) -> None:
    """What may only be read is named with the way out when something is to be written."""
    journal._db.execute("PRAGMA query_only = 1")
    with pytest.raises(PlatformError, match=r"not writable(.|\n)*permission"):
        await journal.append(Event(kind="x", service=WEB), token=0)


APPENDER = """
import asyncio, sys
from pathlib import Path
from crossfade.engine.ports.journal import Event
from crossfade.platforms.local.journal import SqliteJournal
class Clock:
    def now(self): return 1.0
    async def sleep(self, seconds): ...
journal = SqliteJournal(Path(sys.argv[1]), Clock())
for n in range(25):
    asyncio.run(journal.append(Event(kind=sys.argv[2], service="shop/web", data={"n": n}), 0))
"""


def test_processes_that_create_and_write_together_lose_nothing(path: Path) -> None:
    """Four processes open a file that does not exist yet and write at once: every line is there, in order."""
    writers = [subprocess.Popen([sys.executable, "-c", APPENDER, str(path), f"w{n}"]) for n in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    journal = SqliteJournal(path, StoppedClock())
    events = asyncio.run(journal.read())
    asyncio.run(journal.close())
    assert len(events) == 100
    for n in range(4):
        assert [event.data["n"] for event in events if event.kind == f"w{n}"] == list(range(25))


KILLED = """
import asyncio, os, sys
from pathlib import Path
from crossfade.engine.ports.journal import Event
from crossfade.platforms.local.journal import SqliteJournal
class Clock:
    def now(self): return 1.0
    async def sleep(self, seconds): ...
journal = SqliteJournal(Path(sys.argv[1]), Clock())
while True:
    event = asyncio.run(journal.append(Event(kind="x", service="shop/web"), 0))
    os.write(1, f"{event.seq}\\n".encode())
"""


def test_a_line_that_was_acknowledged_survives_a_kill(path: Path) -> None:
    """A writer killed in the middle leaves every line it had confirmed, and a file that opens."""
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    seen = [int(writer.stdout.readline()) for _ in range(20)]
    writer.kill()
    seen += [int(line) for line in writer.communicate(timeout=20)[0].splitlines() if line.endswith("\n")]
    journal = SqliteJournal(path, StoppedClock())
    assert set(seen) <= {event.seq for event in asyncio.run(journal.read())}
    asyncio.run(journal.close())


def test_of_many_who_ask_at_once_one_gets_the_lease(journal: SqliteJournal) -> None:
    """However many reach for a free lease together, exactly one has it afterwards."""
    won: list[str] = []
    start = threading.Barrier(8)

    def reach(name: str) -> None:
        start.wait()
        if attempt(journal.acquire(WEB, name, ttl=10)):
            won.append(name)

    threads = [threading.Thread(target=reach, args=(f"holder {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(won) == 1
    assert asyncio.run(journal.token(WEB)) == 1


def attempt(act: Coroutine[Any, Any, object]) -> bool:
    try:
        asyncio.run(act)
    except RefusedError:
        return False
    return True


async def test_a_damaged_line_is_named(path: Path, journal: SqliteJournal) -> None:
    """With its number, and the file it is in."""
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO events (at, service, rollout, kind, data) VALUES (1, ?, 0, 'done', '{\"a\":')", (WEB,))
    db.close()
    with pytest.raises(PlatformError, match=f"cannot use the journal {path}: line 1 is damaged"):
        await journal.read()
