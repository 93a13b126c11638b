"""Snapshots of the database, taken before a release migrates it."""

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.database.before import name_before
from crossfade.platforms.aws.refusals import AwsError

LOOK = 15.0  # seconds between two looks at one that is being made
KEPT = 5  # of ours, by database; AWS lets an account have 100 that were asked for
_READY, _FAILED = "available", {"failed", "incompatible-restore", "incompatible-parameters"}


class NotKeptError(PlatformError):
    """The database could not be brought back as it is now: nothing migrates it, and the release goes back."""

    lasting = True


class Snapshots:
    """The snapshots of one environment, each named after its release: who goes on with a migration finds its own."""

    def __init__(self, clients: Clients, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._clock, self._look = clients, clock, look

    async def take(self, release: Release, limit: float, before: Check) -> str:
        """Return its name once the release's database can be brought back as it is now.

        NotKeptError when that is not so within `limit` seconds, or there is no such database.
        """
        database = release.service.snapshot
        name = f"{database}-{name_before(release)}"
        until = self._clock.now() + limit
        made = await self._find(name) or await self._begin(database, name, before)
        while made["Status"] != _READY:
            if made["Status"] in _FAILED:
                raise NotKeptError(f"the snapshot {name} is {made['Status']}", "look at it in RDS, and deploy again")
            if self._clock.now() > until:
                why = f"the snapshot {name} is still not there after {limit:g} s"
                raise NotKeptError(why, "give the deploy more `timeout`")
            await self._clock.sleep(self._look)
            made = await self._find(name) or made
        await self._clear(database, before)
        return name

    async def _begin(self, database: str, name: str, before: Check) -> Answer:
        asked = {"DBInstanceIdentifier": database, "DBSnapshotIdentifier": name}
        try:
            answer = await self._clients.call("rds", "create_db_snapshot", before, **asked)
        except AwsError as error:
            if error.code != "DBSnapshotAlreadyExists":  # our own call, whose answer was lost
                raise
            return await self._find(name) or {"Status": "creating"}
        made: Answer = answer["DBSnapshot"]
        return made

    async def _find(self, name: str) -> Answer | None:
        try:
            answer = await self._clients.call("rds", "describe_db_snapshots", DBSnapshotIdentifier=name)
        except AwsError as error:
            if error.code in {"DBSnapshotNotFound", "DBSnapshotNotFoundFault"}:
                return None
            raise
        return next(iter(answer["DBSnapshots"]), None)

    async def _clear(self, database: str, before: Check) -> None:
        """Keep the newest of ours."""
        found = await self._clients.all(
            "rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=database, SnapshotType="manual"
        )
        ours = [one for one in found if one["DBSnapshotIdentifier"].startswith(f"{database}-before-")]
        ready = [one for one in ours if one["Status"] == _READY]
        for one in sorted(ready, key=lambda one: one["SnapshotCreateTime"])[:-KEPT]:
            name = one["DBSnapshotIdentifier"]
            await self._clients.call("rds", "delete_db_snapshot", before, DBSnapshotIdentifier=name)
