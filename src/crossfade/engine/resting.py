"""Between rollouts: what a platform does by itself follows what serves: its scaling, its jobs, names of artifacts."""

from collections.abc import Mapping

from crossfade.core.errors import CrossfadeError, StaleTokenError
from crossfade.core.release import Release
from crossfade.engine.ports.runtime import Sizer
from crossfade.engine.scribe import Scribe
from crossfade.engine.world import World


class Resting:
    """How the platform of one service was left. Nothing of it is on record: whoever comes next says the same again."""

    def __init__(self, world: World, scribe: Scribe) -> None:
        self._world, self._scribe = world, scribe
        self._left: tuple[object, ...] | None = None
        self._size = 0  # which it had when it was left, or which scaling made of it since
        self._named: tuple[int, int | None] | None = None  # the releases that names say serve now, and served before
        self._unnamed = ""  # why they do not say it, once it was told

    @property
    def is_known(self) -> bool:
        """What the platform's own scaling made of the service is on record."""
        return self._left is not None

    def disturb(self) -> None:
        """Something was done to its instances or its traffic."""
        self._left = None

    async def leave(self, token: int, sizes: Mapping[int, int]) -> None:
        """Once for each release that came to serve; nothing while a rollout is under way.

        What scaling makes of the size is what the service is to have from then on, whether somebody looks or not: a
        deploy at the peak of a sale shrinks nothing to what the file began with. `sizes` are what the platform keeps of
        each release; one that differs from the size it was left with, where nobody ordered another, is its scaling's.
        """
        ledger = self._scribe.ledger
        if ledger.active or ledger.current is None:
            return
        release, at = ledger.release(ledger.current), (ledger.current, tuple(sorted(ledger.warm.items())))
        sizer = self._world.sizers.get(release.service.runtime)
        if sizer is not None and (self._left != at or self._grew(sizes.get(release.number, 0))):
            size = await sizer.rest(release, ledger.warm, token)
            if size and size != ledger.wanted:
                await self._scribe.record("service scaled", {"replicas": size, "by": "its scaling"})
            await self._schedule(release, token)
        self._left, self._size = at, self._scribe.ledger.wanted
        if sizer is not None:
            await self._name(sizer, release, ledger.previous, token)

    def _grew(self, size: int) -> bool:
        """By what the platform does itself, or it shrank so: nobody ordered another size since it was left."""
        return size != self._size == self._scribe.ledger.wanted

    async def _schedule(self, release: Release, token: int) -> None:
        """Jobs that the platform begins are those of what serves, for an app that ever had one."""
        schedules = self._world.schedules.get(release.service.runtime)
        if schedules is None or not any(one.service.jobs for one in self._scribe.ledger.releases):
            return
        await schedules.keep(release, token)
        for job in release.service.jobs:
            known = self._scribe.ledger.jobs.get(job.name)
            if known is None or (known.schedule, known.timezone) != (job.schedule, job.timezone):
                told = {"job": job.name, "schedule": job.schedule, "timezone": job.timezone}
                await self._scribe.record("job scheduled", {**told, "since": self._world.wall()})

    async def _name(self, sizer: Sizer, release: Release, before: Release | None, token: int) -> None:
        """What keeps names from following is told once, tried again at each look, and holds nothing else up."""
        names = (release.number, before.number if before else None)
        if self._named == names:
            return
        try:
            await sizer.name(release, before, token)
        except StaleTokenError:
            raise
        except CrossfadeError as error:
            said = f"the tags of images do not say that release {release.label} serves: {error}"
            if said != self._unnamed:
                await self._scribe.record("failed", {"what": "name", "error": said})
            self._unnamed = said
        else:
            self._named, self._unnamed = names, ""
