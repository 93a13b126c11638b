"""The journal of one machine, and the leases on its services: one SQLite file.

A line is in the file before anything is done about it.
"""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import RESTORE, Event, HeldError, Lease, Waiting, stale

VERSION = 1
BUSY_SECONDS = 10.0  # another process writes for milliseconds; ten seconds of lock is a stuck disk

# The triggers make "append-only" true of the file, whoever opens it.
SCHEMA = """
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  service TEXT NOT NULL,
  rollout INTEGER NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TABLE leases (
  service TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  token INTEGER NOT NULL,
  since REAL NOT NULL,
  expires REAL NOT NULL
);
"""

OLDEST_FIRST = """
SELECT seq, at, service, rollout, kind, data FROM events
WHERE seq > ? AND (? IS NULL OR service = ?) AND (? IS NULL OR kind IN (SELECT value FROM json_each(?)))
ORDER BY seq LIMIT ?
"""
NEWEST_FIRST = OLDEST_FIRST.replace("ORDER BY seq", "ORDER BY seq DESC")


class SqliteJournal:
    """Every append is on disk when it returns (WAL, synchronous=FULL); any number of processes may open the file.

    A call does its work before it first gives way: a line takes a few milliseconds, and so the lines of a service stand
    in the order in which they were written, without a queue and a thread that would have to keep it.

    Raises WrongInputError for a file of a newer version, PlatformError for a disk that is full or not writable.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._waiting = Waiting()
        self._lock = RLock()  # one connection, one transaction at a time, from whichever thread
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open()

    @property
    def called(self) -> str:
        return str(self._path)

    async def append(self, event: Event, token: int) -> Event:
        data = json.dumps(event.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        with self._transaction():
            self._refuse_stale(event.service, token, newest_only=True)
            at = self._clock.now()
            row = self._db.execute(
                "INSERT INTO events (at, service, rollout, kind, data) VALUES (?, ?, ?, ?, ?)",
                (at, event.service, event.rollout, event.kind, data),
            )
            return replace(event, seq=int(row.lastrowid or 0), at=at)

    async def read(
        self,
        *,
        after: int = 0,
        service: str | None = None,
        kinds: Collection[str] | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> Sequence[Event]:
        wanted = None if kinds is None else json.dumps(sorted(kinds))
        with self._reading():
            rows = self._db.execute(
                NEWEST_FIRST if newest else OLDEST_FIRST,
                (after, service, service, wanted, wanted, -1 if limit is None else limit),
            ).fetchall()
        return [self._event(row) for row in (reversed(rows) if newest else rows)]

    async def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        """Take it as the port says. A row without a holder was given back at `expires`; 0.1 wrote 0 there instead."""
        with self._transaction():
            now = self._clock.now()
            held = self._lease(service)
            if held is None:
                return self._grant(Lease(service=service, holder=holder, token=1, since=now, expires=now + ttl))
            free = not held.holder or not held.expires
            if held.holder == holder and not free:
                return replace(held, vacant_since=held.expires - ttl)
            if not free and not self._waiting.has_lapsed(service, (held.token, held.expires), now, ttl):
                raise HeldError(held, ttl)
            self._waiting.over(service)
            vacant = held.expires if free else held.expires - ttl
            return self._grant(
                Lease(
                    service=service,
                    holder=holder,
                    token=held.token + 1,
                    since=now,
                    expires=(vacant or now) + ttl,
                    vacant_since=vacant,
                )
            )

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        """As the port says. Not waited for on the disk: whoever has lost it in a power cut has ended in that, too."""
        with self._transaction(durable=False):
            self._refuse_stale(lease.service, lease.token, newest_only=True)
            return self._grant(replace(lease, expires=self._clock.now() + ttl))

    async def release(self, lease: Lease) -> None:
        """Lapse it. The row stays: its token is what the next holder's must exceed."""
        with self._transaction():
            self._db.execute(
                "UPDATE leases SET holder = '', expires = ? WHERE service = ? AND token = ? AND holder != ''",
                (self._clock.now(), lease.service, lease.token),
            )

    def inherit(self, holder: str) -> None:
        """Give `holder`, who alone may work with this file now, all leases that somebody of another name has.

        That was itself: before the machine got another name, or the directory another place. Nobody else gives them up.
        """
        with self._transaction():
            self._db.execute("UPDATE leases SET holder = ? WHERE holder NOT IN ('', ?)", (holder, holder))

    async def token(self, service: str) -> int:
        with self._reading():
            held = self._lease(service)
        return 0 if held is None else held.token

    async def lease(self, service: str) -> Lease | None:
        with self._reading():
            held = self._lease(service)
        return held if held and held.holder and held.expires else None

    async def check(self, service: str, token: int) -> None:
        """Be the `Fence` of this machine's adapters."""
        with self._reading():
            self._refuse_stale(service, token)

    async def close(self) -> None:
        with self._lock:
            self._db.close()

    def newest(self) -> float:
        """When the last line was written, 0 before the first: no clock may begin before that."""
        with self._reading():
            row = self._db.execute("SELECT at FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return float(row[0]) if row else 0.0

    def _event(self, row: tuple[Any, ...]) -> Event:
        seq, at, service, rollout, kind, data = row
        try:
            return Event(kind=kind, service=service, rollout=rollout, data=json.loads(data), seq=seq, at=at)
        except (TypeError, ValueError) as error:
            raise PlatformError(f"cannot use the journal {self._path}: line {seq} is damaged", RESTORE) from error

    def _open(self) -> None:
        self._places: tuple[int, int] | None = None
        self._db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise
        self._places = self._where()

    def _where(self) -> tuple[int, int]:
        """The files that its name and that of its WAL lead to, as inodes; 0 where there is none."""
        return _inode(self._path), _inode(self._path.with_name(f"{self._path.name}-wal"))

    def _keep_in_place(self) -> None:
        """What we went on writing into a file that somebody removed would end with us.

        Of the WAL, the lines are still ours to bring into the journal; what stands in the journal's place is not. Where
        nothing does, we go on: the next start takes over what runs, and `down --all` ends it also by a removed journal.
        """
        if self._places is None:
            return
        journal, ahead = self._where()
        if not journal:
            return
        if journal != self._places[0]:
            raise PlatformError(
                f"cannot use the journal {self._path}: it was replaced while it was in use",
                "`crossfade up --restart` goes on with what is there; what runs goes on running",
            )
        if ahead != self._places[1]:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._db.close()
            self._open()

    def _prepare(self) -> None:
        """Create the tables in a new file; a file of a newer version is left as it is."""
        self._refuse_newer()
        self._write_ahead()
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            if self._version() == 0:  # asked again under the lock: two processes may open a new file at once
                for statement in SCHEMA.strip().split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _write_ahead(self) -> None:
        """Of processes that open a new file at once one changes its mode; the others are refused without a wait."""
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _refuse_newer(self) -> None:
        if self._version() > VERSION:
            raise WrongInputError(
                f"{self._path} was written by a newer crossfade",
                "upgrade crossfade, or use another state directory",
            )

    def _lease(self, service: str) -> Lease | None:
        row = self._db.execute(
            "SELECT service, holder, token, since, expires FROM leases WHERE service = ?", (service,)
        ).fetchone()
        if row is None:
            return None
        service, holder, token, since, expires = row
        return Lease(service=service, holder=holder, token=token, since=since, expires=expires)

    def _grant(self, lease: Lease) -> Lease:
        self._db.execute(
            "INSERT OR REPLACE INTO leases (service, holder, token, since, expires) VALUES (?, ?, ?, ?, ?)",
            (lease.service, lease.holder, lease.token, lease.since, lease.expires),
        )
        return lease

    def _refuse_stale(self, service: str, token: int, *, newest_only: bool = False) -> None:
        """A fence lets a token pass that is newer than any it knows; the journal, which grants them, does not."""
        held = self._lease(service)
        newest = 0 if held is None else held.token
        if token < newest or (newest_only and token != newest):
            raise stale(service, token, held)

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[None]:
        """IMMEDIATE: nobody grants a token between our look at it and our write.

        What is not `durable` a power cut may take back; every process sees it at once, and the next durable line takes
        it along.
        """
        with self._reading():
            self._keep_in_place()
            if not durable:
                self._db.execute("PRAGMA synchronous = NORMAL")
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            finally:
                if not durable:
                    self._db.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, self._explained():
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _trouble(self._path, str(error)) from error
        except OSError as error:
            raise _trouble(self._path, error.strerror or str(error)) from error


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


_TROUBLE = (
    ("database or disk is full", "the disk is full", "free some space and try again; what runs goes on running"),
    ("disk I/O error", "the disk refuses to write", "check its space and health (df, dmesg) and try again"),
    ("readonly", "it is not writable", "give yourself write permission to it and its folder"),
    ("unable to open", "it cannot be opened", "give yourself write permission to its folder, or choose another one"),
    ("Permission denied", "permission denied", "give yourself write permission to its folder, or choose another one"),
    ("locked", "another process keeps it locked", "find it with: fuser -v <the file>"),
    ("not a database", "it is not a crossfade journal", "move the file away, or use another state directory"),
    ("malformed", "it is damaged", RESTORE),
)


def _trouble(path: Path, message: str) -> CrossfadeError:
    for sign, cause, way_out in _TROUBLE:
        if sign in message:
            return PlatformError(f"cannot use the journal {path}: {cause}", way_out)
    return PlatformError(f"cannot use the journal {path}: {message}", "check the file and its folder")
