"""A database of RDS given back from a snapshot, beside the one that there is, so that nothing written since is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.database.snapshots import LOOK
from crossfade.platforms.aws.refusals import AwsError

_READY = "available"
# What nobody waits out: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
_FAILED = ("failed", "incompatible-", "inaccessible-", "insufficient-", "restore-error", "storage-full", "deleting")
_GONE = {"DBInstanceNotFound", "DBInstanceNotFoundFault"}
# What a restored database has as the one beside it has it, which RDS would choose anew otherwise:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RestoreFromSnapshot.html
_KEPT = (
    "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DeletionProtection",
    "MultiAZ",
    "PubliclyAccessible",
    "StorageType",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The new one: where it is, and the secret that RDS keeps its password in, where it keeps one."""

    name: str
    snapshot: str
    host: str
    port: int
    secret: str


class Restorer:
    """Restores databases."""

    def __init__(self, clients: Clients, clock: Clock, look: float = LOOK) -> None:
        self._clients, self._clock, self._look = clients, clock, look

    async def snapshots(self, database: str) -> Sequence[Answer]:
        """Those that can be restored, the newest first: ours, RDS's own of every day, and anybody's."""
        found = await self._clients.all("rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=database)
        ready = [one for one in found if one["Status"] == _READY]
        return sorted(ready, key=lambda one: one["SnapshotCreateTime"], reverse=True)

    async def restore(self, database: str, snapshot: str, name: str, told: Callable[[str], None]) -> Restored:
        """Begin it, or go on with one that was begun; return once it answers. `told` hears what is waited for.

        WrongInputError where there is no such snapshot, or the name is another's; PlatformError where RDS gave up.
        """
        known = [one["DBSnapshotIdentifier"] for one in await self.snapshots(database)]
        if snapshot not in known:
            newest = ", ".join(known[:5]) or "none"
            raise WrongInputError(f"{database} has no snapshot {snapshot}", f"the newest that it has: {newest}")
        made = await self._find(name)
        if made is None:
            made = await self._begin(database, snapshot, name)
        elif _snapshot_of(made) != snapshot:
            raise WrongInputError(
                f"a database {name} already exists, and is not a restored {snapshot}", "give another --as"
            )
        while made["DBInstanceStatus"] != _READY:
            if made["DBInstanceStatus"].startswith(_FAILED):
                raise PlatformError(f"the restored {name} is {made['DBInstanceStatus']}", "look at it in RDS")
            told(f"{name} is {made['DBInstanceStatus']}")
            await self._clock.sleep(self._look)
            made = await self._find(name) or made
        where = made.get("Endpoint", {})
        secret = made.get("MasterUserSecret", {}).get("SecretArn", "")
        return Restored(
            name=name, snapshot=snapshot, host=where.get("Address", ""), port=where.get("Port", 0), secret=secret
        )

    async def _begin(self, database: str, snapshot: str, name: str) -> Answer:
        beside = await self._find(database)
        if beside is None:
            raise PlatformError(
                f"there is no database {database} beside which its snapshot could be restored",
                "`crossfade infra apply` makes an empty one first",
            )
        try:
            answer = await self._clients.call(
                "rds",
                "restore_db_instance_from_db_snapshot",
                DBInstanceIdentifier=name,
                DBSnapshotIdentifier=snapshot,
                **_settings(beside),
                Tags=[{"Key": _FROM, "Value": snapshot}],
            )
        except AwsError as error:
            if error.code != "DBInstanceAlreadyExists":  # our own call, whose answer was lost
                raise
            return await self._find(name) or {"DBInstanceStatus": "creating"}
        begun: Answer = answer["DBInstance"]
        return begun

    async def _find(self, name: str) -> Answer | None:
        try:
            answer = await self._clients.call("rds", "describe_db_instances", DBInstanceIdentifier=name)
        except AwsError as error:
            if error.code in _GONE:
                return None
            raise
        return next(iter(answer["DBInstances"]), None)


_FROM = "crossfade:snapshot"  # which one a database was made of, for who goes on with it


def _snapshot_of(made: Answer) -> str:
    return next((tag["Value"] for tag in made.get("TagList", ()) if tag["Key"] == _FROM), "")


def _settings(beside: Answer) -> dict[str, Any]:
    asked: dict[str, Any] = {name: beside[name] for name in _KEPT if name in beside}
    if beside.get("DBSubnetGroup"):
        asked["DBSubnetGroupName"] = beside["DBSubnetGroup"]["DBSubnetGroupName"]
    groups = [one["VpcSecurityGroupId"] for one in beside.get("VpcSecurityGroups", ())]
    if groups:
        asked["VpcSecurityGroupIds"] = groups
    parameters = [one["DBParameterGroupName"] for one in beside.get("DBParameterGroups", ())]
    if parameters:
        asked["DBParameterGroupName"] = parameters[0]
    if beside.get("MasterUserSecret"):
        asked["ManageMasterUserPassword"] = True
    return asked
