"""Stores as the API tells of them: what is there and what is on record, put together."""

from collections.abc import Sequence
from typing import Any

from crossfade import cron
from crossfade.controller.stores.record import StoreRecord, changes
from crossfade.controller.stores.stores import Stores
from crossfade.core.errors import CrossfadeError, WrongInputError
from crossfade.core.job import Run
from crossfade.core.wire import encode
from crossfade.engine.ports.stores import StoreFound

Json = dict[str, Any]
UNKNOWN, GONE = "unknown", "gone"


def require_service(stores: Stores, app: str, name: str | None) -> None:
    """WrongInputError where a store is named: nothing of it is a release's."""
    if name and f"{app}/{name}" in stores.records:
        raise WrongInputError(
            f"{app}/{name} is a store: one container, which no release changes",
            f"status, logs, events, exec, backup, restore and `down {app}/{name}` are for stores",
        )


async def status(stores: Stores, app: str | None, wall: float) -> tuple[list[Json], list[str]]:
    """The stores of an app, or all, and what troubles who asked for them. `wall` is the time that schedules go by."""
    try:
        there: Sequence[StoreFound] | None = await stores.found(app)
        trouble = []
    except CrossfadeError as error:
        there, trouble = None, [f"the stores: {error.cause}"]
    found = {one.key: one for one in there or ()}
    keys = sorted({*found, *stores.up(app)})
    missing = UNKNOWN if there is None else GONE
    return [_store(key, found.get(key), stores.records.get(key), missing, wall) for key in keys], trouble


def _store(key: str, there: StoreFound | None, record: StoreRecord | None, missing: str, wall: float) -> Json:
    app, _, name = key.partition("/")
    image = there.image if there else record.store.service.image if record else ""
    return {
        "app": app,
        "name": name,
        "image": image,
        "state": there.state if there else missing,
        "changed": bool(record and record.made and not same(record)),
        "backup": _backup(record, wall) if record and record.store.backup else None,
        "trouble": (record.trouble if record else "") or (there.ended if there else "") or None,
    }


def same(record: StoreRecord) -> bool:
    """It runs as the file said last."""
    return record.made is None or not changes(record.made, record.store)


def _backup(record: StoreRecord, wall: float) -> Json:
    """Its newest backup, and when the next is due by the clock."""
    job = record.job
    return {
        "schedule": job.schedule if job else None,
        "timezone": job.timezone if job else None,
        "next": cron.next_after(job.schedule, job.timezone, wall) if job and record.up else None,
        "run": {**encode(record.run), "state": state_of(record.run)} if record.run else None,
        "file": record.file or None,
    }


def state_of(run: Run) -> str:
    return "running" if run.under_way else "failed" if run.failed else "done"
