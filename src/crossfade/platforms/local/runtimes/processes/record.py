"""What is written down of an instance before it is started, so that every later controller knows it."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from crossfade.core.release import Release
from crossfade.core.wire import decode, encode
from crossfade.platforms.local.address import of_socket

ABANDONED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One instance of the process runtime. No secrets: they live only in its environment."""

    id: str
    service: str  # app/service
    release: int
    digest: str
    port: int  # 0: a worker, which has none, or one that listens on a socket
    launched_at: float
    stopping: bool = False
    exit: str = ""  # how it ended, once somebody saw it
    displaced: bool = False  # ... because somebody else had its port: no fault of its release
    socket: str = ""  # the path of what it listens on instead of a port

    @property
    def address(self) -> str:
        """Where it is reached; empty for a worker."""
        if self.socket:
            return of_socket(self.socket)
        return f"127.0.0.1:{self.port}" if self.port else ""


class Records:
    """The instances of one state directory, a JSON file each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in directory.glob("*.draft"):  # of a controller that died while writing; ours take microseconds
            if draft.stat().st_mtime < time.time() - ABANDONED_SECONDS:  # noqa: TID251  as the file system counts it
                draft.unlink(missing_ok=True)

    def path(self, instance: str, suffix: str) -> Path:
        return self._directory / f"{quote(instance, safe='')}.{suffix}"

    def all(self) -> Iterator[Record]:
        for name in os.listdir(self._directory):  # noqa: PTH208  the names alone, every tick
            if name.endswith(".json") and (record := _read(f"{self._directory}/{name}")) is not None:
                yield record

    def get(self, instance: str) -> Record | None:
        return _read(str(self.path(instance, "json")))

    def write(self, record: Record) -> None:
        """Replace it at once: a reader sees the old one or the new one."""
        path = self.path(record.id, "json")
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(record)))
        draft.replace(path)

    def keep_release(self, instance: str, release: Release) -> None:
        """Write down what it was launched from: without any journal it says what runs. It holds no secrets."""
        path = self.path(instance, "release")
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(encode(release)))
        draft.replace(path)

    def release(self, instance: str) -> Release | None:
        """What it was launched from; None for an instance of an older crossfade."""
        try:
            return decode(Release, json.loads(self.path(instance, "release").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None

    def instance(self, session: Path) -> str:
        """The id whose session is recorded in this file; empty for a file of something else."""
        ours = session.parent == self._directory and session.suffix == ".session"
        return unquote(session.stem) if ours else ""

    def checks(self, session: Path) -> bool:
        """It is the mark of a command beside an instance that is there."""
        return session.suffix == ".check" and self.get(unquote(session.stem)) is not None

    def remove(self, instance: str) -> None:
        self.path(instance, "release").unlink(missing_ok=True)
        self.path(instance, "json").unlink(missing_ok=True)


def _read(path: str) -> Record | None:
    """None when there is none, or when a power cut emptied it: then its process is gone as well."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  20 of these a tick
            return Record(**json.load(file))
    except (FileNotFoundError, ValueError, TypeError):
        return None
