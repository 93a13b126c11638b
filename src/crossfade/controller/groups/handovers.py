"""Services whose place another one took are taken down: `was: web` in front's part of the file."""

import asyncio
from collections.abc import Iterator

from crossfade.controller import rollouts
from crossfade.controller.groups.groups import Groups
from crossfade.controller.registry import LoopRegistry
from crossfade.engine.loop import Loop
from crossfade.engine.ports.journal import Event


class Handovers:
    """Handovers of one service's place to another, looked for whenever something happened.

    What is on record says it all, after a crash as well.
    """

    def __init__(self, registry: LoopRegistry, groups: Groups) -> None:
        self._registry = registry
        self._groups = groups
        self._news = asyncio.Event()
        registry.listeners.append(self._listen)

    async def watch(self) -> None:
        """Take down whoever was succeeded, for ever."""
        while True:
            self._news.clear()
            for old, heir in list(self._succeeded()):
                await rollouts.remove(old, heir)
                self._registry.take_down(old)
            await self._news.wait()

    def _succeeded(self) -> Iterator[tuple[Loop, str]]:
        """Each with the service that has its routes for good: at a good release, with its group, later than its own."""
        for heir in self._registry.of(None):
            if heir.ledger.active or self._groups.active(heir.key.split("/")[0]):
                continue
            old = self._registry.succeeded_by(heir)
            if old is not None and not self._registry.leaves(old.key) and not old.ledger.active:
                yield old, heir.key

    def _listen(self, _: Event) -> None:
        self._news.set()
