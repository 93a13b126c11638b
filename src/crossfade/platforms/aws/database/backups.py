"""Backups before a migration: a snapshot of RDS's, or a dump of the database's own host."""

from crossfade.core.release import Release
from crossfade.platforms.aws.clients import Check
from crossfade.platforms.aws.database.dumps import Dumps
from crossfade.platforms.aws.database.snapshots import Snapshots


class Backups:
    """Takes whichever the release's file asks for."""

    def __init__(self, snapshots: Snapshots, dumps: Dumps) -> None:
        self._snapshots, self._dumps = snapshots, dumps

    async def take(self, release: Release, limit: float, before: Check) -> None:
        """PlatformError when the database could not be brought back as it is now."""
        if release.service.snapshot:
            await self._snapshots.take(release, limit, before)
        if release.service.dumped:
            await self._dumps.take(release, limit, before)
