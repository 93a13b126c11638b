"""`StoreKeeper` in memory. It passes `tests/contract/test_stores.py`, as the one on Docker does."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from crossfade.core.errors import PlatformError, RefusedError, WrongInputError
from crossfade.core.store import Store
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.seats import Seat
from crossfade.engine.ports.stores import StoreFound, StoreOutcome


class MemoryStores:
    """`made` are the stores that run, `data` what they hold; a backup command writes that, or fails as `failing` says.

    None becomes ready for as long as `sick` says why.
    A backup waits while `open` is not set.
    """

    def __init__(self) -> None:
        self.made: dict[str, Store] = {}
        self.data: dict[str, str] = {}
        self.backups: dict[str, str] = {}
        self.written: dict[str, list[str]] = {}
        self.failing = ""
        self.sick = ""
        self.open = asyncio.Event()
        self.open.set()

    async def ensure(self, store: Store, secrets: Mapping[str, str], *, replace: bool) -> StoreOutcome:
        outcome = await self.compare(store)
        if outcome is StoreOutcome.CHANGED and replace:
            outcome = StoreOutcome.REPLACED
        if outcome in {StoreOutcome.STARTED, StoreOutcome.REPLACED}:
            if missing := [name for name in store.service.secrets if name not in secrets]:
                raise WrongInputError(f"no value for the secret {', '.join(missing)} of the store {store.key}")
            self.made[store.key] = store
            self.data.setdefault(store.key, "data")
            self.written.setdefault(store.key, []).append("ready")
        if self.sick:
            raise PlatformError(self.sick)
        return outcome

    async def compare(self, store: Store) -> StoreOutcome:
        if store.key not in self.made:
            return StoreOutcome.STARTED
        return StoreOutcome.RUNS if _is(self.made[store.key]) == _is(store) else StoreOutcome.CHANGED

    async def backup(self, store: Store) -> str:
        self._require(store)
        await self.open.wait()
        if self.failing:
            raise PlatformError(self.failing)
        file = f"{store.key}/{len(self.backups)}.backup"
        self.backups[file] = self.data[store.key]
        return file

    async def restore(self, store: Store, backup: str) -> str:
        self._require(store)
        file = backup or next(reversed(self.backups), "")
        if file not in self.backups:
            raise WrongInputError(f"{file or f'a backup of {store.key}'} does not exist")
        self.data[store.key] = self.backups[file]
        return file

    async def found(self, app: str | None) -> Sequence[StoreFound]:
        return [
            StoreFound(key=key, image=one.service.image, state="running")
            for key, one in sorted(self.made.items())
            if app in {None, one.service.app}
        ]

    async def logs(self, key: str, query: LogQuery) -> AsyncIterator[Said]:
        for at, line in enumerate(self.written.get(key, [])[-query.lines :]):
            yield Said(float(at), key.replace("/", "-"), line)

    async def seat(self, key: str) -> Seat:
        if key not in self.made:
            raise RefusedError(f"the store {key} does not run", "`crossfade deploy` starts it")
        return Seat(container=key)

    async def stop(self, app: str | None, name: str | None = None) -> list[str]:
        gone = [
            key
            for key, one in sorted(self.made.items())
            if app in {None, one.service.app} and name in {None, one.service.name}
        ]
        for key in gone:
            del self.made[key]
        return gone

    async def delete(self, app: str) -> list[str]:
        gone = [key for key in self.data if key.split("/")[0] == app]
        for key in gone:
            del self.data[key]
        return gone

    def _require(self, store: Store) -> None:
        if store.key not in self.made:
            raise RefusedError(f"the store {store.key} does not run", "`crossfade deploy` starts it")


def _is(store: Store) -> Store:
    """What it is, without what is done with it."""
    return replace(store, backup="", restore="", keep=0, schedule="", timezone="")
