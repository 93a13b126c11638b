"""The port of stores: who keeps an app's databases, caches and queues."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from crossfade.core.store import Store
from crossfade.engine.ports.logs import LogQuery, Said
from crossfade.engine.ports.seats import Seat


class StoreOutcome(StrEnum):
    """What became of a store that a deploy needs."""

    STARTED = "started"
    RUNS = "runs"
    CHANGED = "changed"  # the file says something else of it than it was made of; it runs on as it is
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFound:
    """A store that is there: `key` is `app/store`, `state` Docker's word for it, `ended` how, if it does not stay."""

    key: str
    image: str
    state: str
    ended: str = ""


class StoreKeeper(Protocol):
    """Who runs an app's stores. Their data outlives them, and they outlive the controller."""

    async def ensure(self, store: Store, secrets: Mapping[str, str], *, replace: bool) -> StoreOutcome:
        """See that it runs and is ready: started when it is not there, made anew when it changed and `replace` says so.

        WrongInputError for an image that is nowhere or a value that is missing, PlatformError when it does not become
        ready in time.
        """
        ...

    async def compare(self, store: Store) -> StoreOutcome:
        """What a deploy would do with it when nobody asks for more: STARTED, RUNS or CHANGED. Nothing is changed."""
        ...

    async def backup(self, store: Store) -> str:
        """Write its data down with its own command, keep the newest, and say where."""
        ...

    async def restore(self, store: Store, backup: str) -> str:
        """Give a backup back, the newest or the one that is named, and say which."""
        ...

    async def found(self, app: str | None) -> Sequence[StoreFound]:
        """The stores of an app, or all."""
        ...

    def logs(self, key: str, query: LogQuery) -> AsyncIterator[Said]:
        """What it wrote, oldest first, as of a runtime's instances; also of one that is gone, as far as it was kept."""
        ...

    async def seat(self, key: str) -> Seat:
        """Where a person's command runs in its container. RefusedError when it does not run."""
        ...

    async def stop(self, app: str | None, name: str | None = None) -> list[str]:
        """Stop and remove the stores of an app, one of them, or all, and keep their data; which these were."""
        ...

    async def delete(self, app: str) -> list[str]:
        """Remove the data of an app that nothing runs of any more: the names of what was removed."""
        ...
