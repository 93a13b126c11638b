"""The stores of all apps: started when a deploy needs them, written down and given back, each step on record."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from crossfade import cron
from crossfade.controller.record import Pen, pages
from crossfade.controller.registry import LoopRegistry
from crossfade.controller.stores import record as kinds
from crossfade.controller.stores.record import BACKUP, StoreRecord, advance, changes
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.core.job import Run
from crossfade.core.store import Store
from crossfade.core.wire import encode
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.seats import Seat
from crossfade.engine.ports.stores import StoreFound, StoreKeeper, StoreOutcome
from crossfade.strategies.jobs import BeginRun, next_of
from crossfade.telling.secrecy import without_secrets

TICK = 0.5  # seconds within which a moment that has come is noticed, also when the clock was set
PAUSE = 5.0  # seconds after trouble with the machine or the journal
BY_THE_CLOCK = "the clock"


class Stores:
    """Looks after stores; their events stand in the journal under `app/store`. No deploy waits for their backups."""

    def __init__(self, registry: LoopRegistry, holder: str) -> None:
        self._registry = registry
        self._world = registry.world
        self._pen = Pen(registry.world, holder)
        self._records: dict[str, StoreRecord] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # one thing at a time with a store
        self._coming: dict[str, tuple[tuple[str, str, float], float]] = {}
        self._attended: set[str] = set()  # ids of backups that we are at

    @property
    def records(self) -> Mapping[str, StoreRecord]:
        """By `app/store`, all that were ever started here."""
        return self._records

    def up(self, app: str | None = None) -> list[str]:
        """The stores of an app, or all, that were started and not taken down."""
        return [key for key, one in sorted(self._records.items()) if one.up and app in {None, key.split("/")[0]}]

    async def start(self) -> None:
        """Know of every store as the journal left it, and go on with backups that were cut."""
        async for event in pages(self._world.journal, kinds=kinds.KINDS):
            self._fold(event)
        if self._world.stores is not None:
            self._registry.supervisor.keep("the backups of stores", self._watch)

    async def close(self) -> None:
        await self._pen.close()

    async def ensure(
        self, stores: Sequence[Store], values: Mapping[str, Mapping[str, str]], by: str, *, replace: bool
    ) -> dict[str, StoreOutcome]:
        """See that the stores of an app run before its services do; by key, what became of each.

        One that changed is left as it is, unless the order says `replace`.
        """
        return {one.key: await self._ensure(one, values.get(one.key, {}), by, replace=replace) for one in stores}

    async def lacking(
        self, stores: Sequence[Store], values: Mapping[str, Mapping[str, str]], *, replace: bool
    ) -> dict[str, list[str]]:
        """By key, the secrets without a value of each that `ensure` would make."""
        made = {StoreOutcome.STARTED, *((StoreOutcome.CHANGED,) if replace else ())}
        outcomes = await self.compare(stores)
        asked = {one.key: one.service.secrets for one in stores if outcomes[one.key] in made}
        found = {key: [name for name in names if name not in values.get(key, {})] for key, names in asked.items()}
        return {key: names for key, names in found.items() if names}

    async def compare(self, stores: Sequence[Store]) -> dict[str, StoreOutcome]:
        """By key, what a deploy would do with each."""
        return {one.key: await self._compare(one) for one in stores}

    async def _compare(self, store: Store) -> StoreOutcome:
        """One that was never ready has nothing to lose: what the file says of it now is what is started."""
        outcome, known = await self._keeper().compare(store), self._records.get(store.key)
        never = known is not None and bool(known.trouble) and not known.up
        return StoreOutcome.STARTED if never and outcome is StoreOutcome.CHANGED else outcome

    def changes(self, stores: Sequence[Store]) -> dict[str, list[str]]:
        """By key, what the file says otherwise than a store was made, as far as that is on record."""
        found = {}
        for one in stores:
            known = self._records.get(one.key)
            if known and known.made and (differing := changes(known.made, one)):
                found[one.key] = differing
        return found

    async def backup(self, store: Store, by: str) -> str:
        """Write a store's data down; where it is."""
        if not store.backup:
            raise WrongInputError(f"the store {store.key} has no backup in the file", "backup: {command: ...}")
        await self._note(store)
        return await self._write_down(store, Run(id=self._new_id(), job=BACKUP, release=0, due=0.0), by)

    async def restore(self, store: Store, backup: str, by: str) -> str:
        """Give a store a backup back; which one it was."""
        if not store.restore:
            raise WrongInputError(f"the store {store.key} has no restore in the file", "backup: {restore: ...}")
        keeper = self._keeper()
        async with self._locks[store.key]:
            await self._record(store.key, kinds.RESTORE_STARTED, {"file": backup, "by": by})
            try:
                read = await keeper.restore(store, backup)
            except CrossfadeError as error:
                await self._record(store.key, kinds.RESTORE_ENDED, {"file": backup, "detail": error.cause})
                raise
            await self._record(store.key, kinds.RESTORE_ENDED, {"file": read, "detail": ""})
        return read

    def logs(self, key: str, query: LogQuery) -> AsyncIterator[Said]:
        """What a store wrote."""
        return self._keeper().logs(key, query)

    async def enter(self, key: str, by: str) -> Seat:
        """Where a person's command runs in a store. Who took the place is on record, and not what they typed."""
        seat = await self._keeper().seat(key)
        await self._record(key, kinds.ENTERED, {"by": by})
        return seat

    def named(self, name: str, app: str = "") -> str | None:
        """The store that is called so, as `app/store` or by its name alone; of several the one of that app."""
        known = [key for key in sorted(self._records) if name in {key, key.split("/")[1]}]
        ours = [key for key in known if key.split("/")[0] == app] or known
        if len(ours) > 1:
            raise WrongInputError(f"several stores are called {name}: {', '.join(ours)}", f"name it as {ours[0]}")
        return ours[0] if ours else None

    async def found(self, app: str | None) -> Sequence[StoreFound]:
        """The stores of an app, or all, whose containers are there."""
        return [] if self._world.stores is None else await self._world.stores.found(app)

    async def stop(self, app: str | None, by: str, name: str | None = None) -> list[str]:
        """Stop and forget the containers of an app's stores, or of one, and keep their data; which these were."""
        if self._world.stores is None:
            return []
        stopped = await self._world.stores.stop(app, name)
        ours = [key for key in self.up(app) if name in {None, key.split("/")[1]}]
        for key in sorted({*stopped, *ours}):
            await self._record(key, kinds.STOPPED, {"by": by})
        return stopped

    async def delete(self, app: str, by: str) -> list[str]:
        """Remove the data of an app that nothing runs of any more: the names of what was removed."""
        if self._world.stores is None:
            return []
        stopped = await self.stop(app, by)
        removed = await self._world.stores.delete(app)
        if removed:
            await self._record(app, kinds.DELETED, {"by": by, "names": removed})
        return [*stopped, *removed]

    async def _ensure(self, store: Store, values: Mapping[str, str], by: str, *, replace: bool) -> StoreOutcome:
        async with self._locks[store.key]:
            keeper = self._keeper()
            before = await self._compare(store)
            await self._note(store)
            new = before is StoreOutcome.STARTED or (before is StoreOutcome.CHANGED and replace)
            if new:
                told = {"image": store.service.image, "by": by, "anew": before is StoreOutcome.CHANGED}
                await self._record(store.key, kinds.BEGINNING, told)
            try:
                outcome = await keeper.ensure(store, values, replace=new)
            except CrossfadeError as error:
                await self._record(store.key, kinds.FAILED, {"error": without_secrets(error.cause, values.values())})
                raise
            outcome = before if before is StoreOutcome.STARTED else outcome
            if new:
                await self._record(store.key, kinds.MADE, {"store": encode(store), "what": outcome.value})
            elif not self._records[store.key].up or outcome is StoreOutcome.STARTED:
                await self._record(store.key, kinds.STARTED, {"what": outcome.value})
            return outcome

    async def _note(self, store: Store) -> None:
        """What the file says of it, so that its backups go by that."""
        known, now = self._records.get(store.key), self._world.wall()
        if known is None or known.store != store or known.backups.is_astray(now):
            await self._record(store.key, kinds.NOTED, {"store": encode(store), "since": now})

    async def _write_down(self, store: Store, run: Run, by: str) -> str:
        """On record before it begins: one that is cut is made again by the next controller."""
        self._attended.add(run.id)
        try:
            async with self._locks[store.key]:
                known = self._records[store.key].run
                if known is None or known.id != run.id:
                    told = {"run": encode(run), "command": store.backup, "by": by}
                    await self._record(store.key, kinds.BACKUP_STARTED, told)
                return await self._written(store, run)
        finally:
            self._attended.discard(run.id)

    async def _written(self, store: Store, run: Run) -> str:
        try:
            file = await self._keeper().backup(store)
        except (CrossfadeError, OSError) as error:
            why = error.cause if isinstance(error, CrossfadeError) else str(error)
            told = {"run": run.id, "code": 1, "detail": why, "file": ""}
            await self._record(store.key, kinds.BACKUP_ENDED, told)
            if isinstance(error, OSError):
                raise PlatformError(f"the backup of {store.key} could not be written: {why}") from error
            raise
        await self._record(store.key, kinds.BACKUP_ENDED, {"run": run.id, "code": 0, "detail": "", "file": file})
        return file

    async def _watch(self) -> None:
        """Begin backups when their time comes, for ever. Each is a task: a slow one makes no other late."""
        async with asyncio.TaskGroup() as backups:
            while True:
                pause = TICK
                for key, known in list(self._records.items()):
                    if known.run and known.run.under_way:
                        self._go_on(backups, key, known, known.run)
                    elif known.up and known.job:
                        await self._note(known.store)
                        pause = min(pause, self._begin_due(backups, key, self._records[key]))
                await self._world.clock.sleep(pause)

    def _go_on(self, backups: asyncio.TaskGroup, key: str, known: StoreRecord, run: Run) -> None:
        """Make a backup again that a controller left in the middle."""
        if run.id not in self._attended:
            self._attended.add(run.id)
            backups.create_task(self._attempt(known.store, run), name=f"{key} {run.id}")

    def _begin_due(self, backups: asyncio.TaskGroup, key: str, known: StoreRecord) -> float:
        """Begin what is due; the seconds until something is."""
        job, now = known.job, self._world.wall()
        if job is None:
            return TICK
        mark = (job.schedule, job.timezone, known.backups.since)
        if self._coming.get(key, (None, 0.0))[0] != mark:
            coming = cron.next_after(job.schedule, job.timezone, known.backups.since)
            self._coming[key] = mark, float("inf") if coming is None else coming
        coming = self._coming[key][1]
        if coming > now:
            return coming - now
        due = cron.latest(job.schedule, job.timezone, known.backups.since, now)
        action = next_of(job, known.backups, due, now)
        if isinstance(action, BeginRun) and not self._locks[key].locked():
            run = Run(id=self._new_id(), job=BACKUP, release=0, due=action.due)
            self._attended.add(run.id)
            backups.create_task(self._attempt(known.store, run), name=f"{key} {run.id}")
        return TICK

    async def _attempt(self, store: Store, run: Run) -> None:
        """One backup by the clock. How it failed is on record, and the next one comes at its time."""
        try:
            await self._write_down(store, run, BY_THE_CLOCK)
        except CrossfadeError:
            known = self._records[store.key].run
            if known is None or known.id != run.id or known.under_way:  # the journal itself: tried again
                await self._world.clock.sleep(PAUSE)

    def _keeper(self) -> StoreKeeper:
        if self._world.stores is None:
            raise RefusedError("this platform runs no stores", "use what it has in their place")
        return self._world.stores

    def _new_id(self) -> str:
        return f"backup-{self._world.new_id()}"

    async def _record(self, key: str, kind: str, data: dict[str, Any]) -> None:
        self._fold(await self._pen.write(key, kind, data))

    def _fold(self, event: Event) -> None:
        if event.kind in kinds.KINDS:
            made = advance(self._records.get(event.service), event)
            if made is not None:
                self._records[event.service] = made
