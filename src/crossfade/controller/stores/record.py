"""The record of one store: what the file said of it last, what it was made of, and its newest backup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from crossfade.core.job import Job, Run, Timetable
from crossfade.core.service import Volume
from crossfade.core.store import Store
from crossfade.core.wire import decode
from crossfade.engine.ports.journal import Event

BACKUP = "backup"  # what a run of it is called


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRecord:
    """`store` is what the file said last, `made` what its container was made of; `up`: nobody took it down since.

    `backups` has the newest run of its backup, by the clock or by hand; `file` is where the newest whole one lies.
    """

    store: Store
    made: Store | None = None
    up: bool = False
    backups: Timetable = field(default_factory=lambda: Timetable(schedule="", timezone="UTC", since=0.0))
    file: str = ""
    trouble: str = ""  # why it could not be started

    @property
    def run(self) -> Run | None:
        """The newest run of its backup."""
        return self.backups.run

    @property
    def job(self) -> Job | None:
        """Its backup by the clock; None where the file has no schedule."""
        store = self.store
        if not (store.backup and store.schedule):
            return None
        return Job(name=BACKUP, schedule=store.schedule, timezone=store.timezone, command=store.backup)


def advance(record: StoreRecord | None, event: Event) -> StoreRecord | None:
    """The record after one more event; None while the file has not said what the store is."""
    if event.kind == NOTED:
        return _noted(record, event)
    return _RULES[event.kind](record, event) if record else None


def _noted(record: StoreRecord | None, event: Event) -> StoreRecord:
    """Moments of its schedule count from now on, unless it has that schedule already, by a clock that was right."""
    store, since = decode(Store, event.data["store"]), event.data["since"]
    known = record.backups if record else None
    if known is None or known.is_astray(since) or (known.schedule, known.timezone) != (store.schedule, store.timezone):
        run = known.run if known else None
        known = Timetable(schedule=store.schedule, timezone=store.timezone, since=since, run=run)
    return replace(record or StoreRecord(store=store), store=store, backups=known)


def _started(record: StoreRecord, _: Event) -> StoreRecord:
    return replace(record, up=True, trouble="")


def _made(record: StoreRecord, event: Event) -> StoreRecord:
    return replace(record, made=decode(Store, event.data["store"]), up=True, trouble="")


def _failed(record: StoreRecord, event: Event) -> StoreRecord:
    return replace(record, trouble=event.data["error"])


def _stopped(record: StoreRecord, _: Event) -> StoreRecord:
    return replace(record, up=False, made=None, trouble="")


def _begun(record: StoreRecord, event: Event) -> StoreRecord:
    run = replace(decode(Run, event.data["run"]), started_at=event.at)
    return replace(record, backups=replace(record.backups, since=max(record.backups.since, run.due), run=run))


def _ended(record: StoreRecord, event: Event) -> StoreRecord:
    run = record.run
    if run is None or run.id != event.data["run"]:
        return record
    ended = replace(run, ended_at=event.at, code=event.data["code"], detail=event.data["detail"])
    return replace(
        record, backups=replace(record.backups, run=ended), file=event.data["file"] if ended.code == 0 else record.file
    )


def _told(record: StoreRecord, _: Event) -> StoreRecord:
    return record


NOTED, BEGINNING, STARTED, MADE, FAILED = (
    "store noted",
    "store starting",
    "store started",
    "store made",
    "store failed",
)
STOPPED, DELETED = "store stopped", "data deleted"
BACKUP_STARTED, BACKUP_ENDED = "backup started", "backup ended"
RESTORE_STARTED, RESTORE_ENDED = "restore started", "restore ended"
ENTERED = "store entered"

_RULES: dict[str, Callable[[StoreRecord, Event], StoreRecord]] = {
    BEGINNING: _told,
    STARTED: _started,
    MADE: _made,
    FAILED: _failed,
    STOPPED: _stopped,
    BACKUP_STARTED: _begun,
    BACKUP_ENDED: _ended,
    RESTORE_STARTED: _told,
    RESTORE_ENDED: _told,
    ENTERED: _told,
}
KINDS = frozenset({NOTED, *_RULES})  # what a record is made of

_NOT_MADE_OF = frozenset({"backup", "restore", "keep", "schedule", "timezone"})


def changes(old: Store, new: Store) -> list[str]:
    """What of a store the file says otherwise than it was made, each as `image postgres:15 -> postgres:16`.

    Of variables the names alone are told: a value may be one that nobody should read.
    """
    found = [
        f"{name} {_short(getattr(old, name))} -> {_short(getattr(new, name))}"
        for name in (one.name for one in fields(Store))
        if name not in _NOT_MADE_OF | {"service"} and getattr(old, name) != getattr(new, name)
    ]
    before, after = old.service, new.service
    for name in (one.name for one in fields(before)):
        one, other = getattr(before, name), getattr(after, name)
        if name == "names" or one == other:
            continue
        if name == "env":
            found.append(f"env {', '.join(sorted(_differing(dict(one), dict(other))))}")
        elif name == "volumes":
            found.append(_moved(one, other))
        elif name in {"image", "grace"}:
            found.append(f"{name} {_short(one)} -> {_short(other)}")
        else:
            found.append(_PLAIN.get(name, name))
    return sorted(found)


_PLAIN = {"container": "how its container is made", "health": "its health check"}


def _moved(before: Sequence[Volume], after: Sequence[Volume]) -> str:
    """Such as `volumes data:/d -> pg:/d; pg may begin empty and data stays as it is, unused`: no data moves along."""
    old, new = {one.source for one in before}, {one.source for one in after}
    fresh = [one.source for one in after if one.source not in old]
    left = [one.source for one in before if one.source not in new]
    said = [f"{', '.join(fresh)} may begin empty"] if fresh else []
    said += [f"{', '.join(left)} stays as it is, unused"] if left else []
    return f"volumes {_mounts(before)} -> {_mounts(after)}{'; ' if said else ''}{' and '.join(said)}"


def _mounts(volumes: Sequence[Volume]) -> str:
    return ", ".join(f"{one.source}:{one.target}{':ro' if one.read_only else ''}" for one in volumes)


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _short(value: Any) -> str:
    return "none" if value in (None, "") else str(value)
