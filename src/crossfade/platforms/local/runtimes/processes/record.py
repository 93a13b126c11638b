"""The record of an instance, written before it is started, so that every later controller knows it."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from crossfade.core.release import Release
from crossfade.core.wire import decode, encode
from crossfade.platforms.local.address import of_socket

ABANDONED_SECONDS = 60.0
# A folder that changed within this time before it was read may change again without its time showing it, which is only
# as fine as the kernel's tick of 1 to 10 ms.
_UNSURE_NS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRecord:
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


class _Known(NamedTuple):
    """A file as it was read, and what was in it: None where that is no record."""

    inode: int
    modified: int
    record: InstanceRecord | None


class Records:
    """The instances of one state directory, a JSON file each.

    Hundreds of services ask for theirs several times a second, so what was read counts until the folder changes.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._make()
        for draft in directory.glob("*.draft"):  # of a controller that died while writing; ours take microseconds
            if draft.stat().st_mtime < time.time() - ABANDONED_SECONDS:  # noqa: TID251  as the file system counts it
                draft.unlink(missing_ok=True)
        self._changed = -1  # when the folder did, as far as what follows goes; ns
        self._known: dict[str, _Known] = {}  # by the file's name
        self._by_service: dict[str, list[InstanceRecord]] = {}
        self._releases: dict[str, Release] = {}  # by instance: to decode a thousand of them takes half a second

    def _make(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, instance: str, suffix: str) -> Path:
        return self._directory / f"{quote(instance, safe='')}.{suffix}"

    def all(self) -> list[InstanceRecord]:
        self._look()
        return [known.record for known in self._known.values() if known.record is not None]

    def of(self, service: str) -> list[InstanceRecord]:
        """Those of one service."""
        self._look()
        return self._by_service.get(service, [])

    def _look(self) -> None:
        """Read what changed. Every change is a rename or a removal, which the folder's time shows."""
        began = time.time_ns()
        if not self._directory.exists():  # deleted by hand: what runs is on no record, and is still found by its mark
            self._make()
        changed = self._directory.stat().st_mtime_ns
        if changed == self._changed:
            return
        known, by_service = dict[str, _Known](), dict[str, list[InstanceRecord]]()
        for entry in os.scandir(self._directory):
            if not entry.name.endswith(".json"):
                continue
            one = self._read_again(entry)
            if one is not None:
                known[entry.name] = one
                if one.record is not None:
                    by_service.setdefault(one.record.service, []).append(one.record)
        self._known, self._by_service = known, by_service
        self._changed = changed if began - changed > _UNSURE_NS else -1

    def _read_again(self, entry: os.DirEntry[str]) -> _Known | None:
        """As it was, if nobody replaced it. None when it went meanwhile."""
        try:
            info = entry.stat()
        except FileNotFoundError:
            return None
        before = self._known.get(entry.name)
        if before is not None and before[:2] == (info.st_ino, info.st_mtime_ns):
            return before
        return _Known(info.st_ino, info.st_mtime_ns, _read(entry.path))

    def get(self, instance: str) -> InstanceRecord | None:
        return _read(str(self.path(instance, "json")))

    def write(self, record: InstanceRecord) -> None:
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
        self._releases[instance] = release

    def release(self, instance: str) -> Release | None:
        """What it was launched from; None for an instance of an older crossfade."""
        if instance not in self._releases:
            try:
                read = json.loads(self.path(instance, "release").read_text(encoding="utf-8"))
                self._releases[instance] = decode(Release, read)
            except (OSError, ValueError):
                return None
        return self._releases[instance]

    def instance(self, session: Path) -> str:
        """The id whose session is recorded in this file; empty for a file of something else."""
        ours = session.parent == self._directory and session.suffix == ".session"
        return unquote(session.stem) if ours else ""

    def checks(self, session: Path) -> bool:
        """It is the mark of a command beside an instance that is there."""
        return session.suffix == ".check" and self.get(unquote(session.stem)) is not None

    def remove(self, instance: str) -> None:
        self._releases.pop(instance, None)
        self.path(instance, "release").unlink(missing_ok=True)
        self.path(instance, "json").unlink(missing_ok=True)


def _read(path: str) -> InstanceRecord | None:
    """None when there is none, or when a power cut emptied it: then its process is gone as well."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  20 of these a tick
            return InstanceRecord(**json.load(file))
    except (FileNotFoundError, ValueError, TypeError):
        return None
