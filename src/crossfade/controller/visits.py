"""A person's command in a release's own environment: what it needs, asked for and on record."""

from collections.abc import Sequence

from crossfade.controller import admission
from crossfade.controller.registry import LoopRegistry
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.core.release import Release
from crossfade.engine.loop import Loop
from crossfade.engine.ports.seats import Seat


class Visits:
    """Gives seats beside instances. Who takes one is on record; what they type there is not, for it may be secret."""

    def __init__(self, registry: LoopRegistry) -> None:
        self._registry = registry
        self._world = registry.world

    async def run(self, loop: Loop, words: Sequence[str], by: str, *, interactive: bool) -> Seat:
        """A seat of its own in the release that runs."""
        return await self._seat(loop, admission.running(loop.ledger), words, "", by, interactive=interactive)

    async def enter(self, instance: str, words: Sequence[str], by: str, *, interactive: bool) -> Seat:
        """A seat beside an instance. Who says a service is told which instances it has."""
        loops = self._registry.of(None)
        for loop in loops:
            for one in loop.fleet.instances:
                if one.id == instance and one.up:
                    release = loop.ledger.release(one.release)
                    return await self._seat(loop, release, words, instance, by, interactive=interactive)
        meant = (loop for loop in loops if instance in {loop.key, loop.key.partition("/")[2]})
        there = ", ".join(one.id for loop in meant for one in loop.fleet.instances if one.up)
        way_out = f"name one of its instances: {there}" if there else "`crossfade status` shows those that do"
        raise WrongInputError(f"no instance {instance} runs here", way_out)

    async def _seat(
        self, loop: Loop, release: Release, words: Sequence[str], instance: str, by: str, *, interactive: bool
    ) -> Seat:
        if not words:
            raise WrongInputError("no command to run", "say it after --")
        giver = self._world.seats.get(release.service.runtime)
        if giver is None:
            raise RefusedError(f"commands cannot be run in {release.service.runtime} from here")
        secrets = self._world.secrets_of(release)
        seat = await giver.seat(release, secrets, words, instance, interactive=interactive)
        await loop.record("command run", {"by": by, "release": release.number, "instance": instance})
        return seat
