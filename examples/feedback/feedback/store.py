"""Feedbacks in SQLite: one connection a thread, write-ahead log, so that instances of two releases share the file."""

import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from feedback import schema

BUSY_SECONDS = 5.0


class Store:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)

    @classmethod
    def from_environment(cls) -> "Store":
        """The file named by `DATABASE_PATH`; without it, one in the user's data directory.

        Never a path relative to the working directory: that belongs to one release, the data to all of them.
        """
        data_home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        return cls(Path(os.environ.get("DATABASE_PATH") or data_home / "feedback" / "feedback.db"))

    def add(self, fields: dict[str, Any]) -> dict[str, Any]:
        columns = ", ".join(fields)
        marks = ", ".join("?" for _ in fields)
        with self.connection() as connection:
            cursor = connection.execute(
                f"INSERT INTO feedbacks ({columns}) VALUES ({marks}) RETURNING *",  # names come from schema.FIELDS
                tuple(fields.values()),
            )
            return dict(cursor.fetchone())

    def overview(self, limit: int = 20) -> tuple[int, list[dict[str, Any]]]:
        """How many there are, and the newest."""
        columns = ", ".join(("id", *schema.FIELDS, "created_at"))
        count = self.connection().execute("SELECT count(*) FROM feedbacks").fetchone()[0]
        rows = self.connection().execute(f"SELECT {columns} FROM feedbacks ORDER BY id DESC LIMIT ?", (limit,))
        return count, [dict(row) for row in rows]

    def schema_version(self) -> int:
        return int(self.connection().execute("PRAGMA user_version").fetchone()[0])

    def migrate(self) -> tuple[int, int]:
        """Brings the schema up to this release's and returns the version before and after. Safe to repeat and to race.

        A newer schema is left as it is: its additions do not disturb us.
        """
        connection = self.connection()
        with connection:
            # The lock is taken before the version is read: of two that start together, the second finds nothing to do.
            connection.execute("BEGIN IMMEDIATE")
            before = self.schema_version()
            for step in schema.STEPS[before:]:
                connection.execute(step)
            after = max(before, len(schema.STEPS))
            connection.execute(f"PRAGMA user_version = {after}")
        return before, after

    def connection(self) -> sqlite3.Connection:
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing is not None:
            return existing
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
        connection.row_factory = sqlite3.Row
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        self._local.connection = connection
        return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Makes the file's log a write-ahead one.

    SQLite waits for its locks by itself, except in this switch: of two that create the file together, one is told at
    once that it is locked.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
