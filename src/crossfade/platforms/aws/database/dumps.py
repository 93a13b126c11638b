"""Dumps of a database on a host of its own: taken before a release migrates it, and given back beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from crossfade.aws import dumps as scripts
from crossfade.aws.places import DUMPS, ENGINE, Places
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.clients import Check, Clients, unfenced
from crossfade.platforms.aws.commands import UNDER_WAY, Commands
from crossfade.platforms.aws.database.before import name_before
from crossfade.platforms.aws.database.snapshots import NotKeptError

LOOK = 5.0  # seconds between two looks at one that is being made
_SUCCESS = "Success"
_LONGEST = 86_400.0  # seconds for a restore


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHost:
    """Where it is, as Terraform says by tags of the host."""

    id: str
    engine: str
    bucket: str


class Dumps:
    """The dumps of one environment, each named after its release: who goes on with a migration finds its own."""

    def __init__(self, clients: Clients, clock: Clock, places: Places, look: float = LOOK) -> None:
        self._clients, self._clock, self._places, self._look = clients, clock, places, look
        self._commands = Commands(clients, clock)

    async def take(self, release: Release, limit: float, before: Check) -> str:
        """Its name, once it is in the bucket. NotKeptError when that is not so within `limit` seconds."""
        name, host = name_before(release), await self.host()
        script = scripts.dump(host.engine, host.bucket, await self._clients.region(), name)
        # Two apps of an account have different hosts, and one host's dumps different names.
        await self._run(host, f"dump {host.id} {name}", script, limit, f"the dump {name}", before)
        return name

    async def restore(self, name: str, into: str) -> DatabaseHost:
        """Begin it, or go on with it; return where it is once the database `into` has the data of the dump."""
        known = await self.names()
        if name not in known:
            newest = ", ".join(known[:5]) or "none"
            raise WrongInputError(f"{self._places.prefix} has no dump {name}", f"the newest that it has: {newest}")
        host = await self.host()
        script = scripts.restore(host.engine, host.bucket, await self._clients.region(), name, into)
        await self._run(host, f"restore {host.id} {name} {into}", script, _LONGEST, f"the restore of {name}")
        return host

    async def names(self) -> Sequence[str]:
        """Of the dumps that are there, the newest first."""
        host = await self.host()
        found = await self._clients.all("s3", "list_objects_v2", "Contents", Bucket=host.bucket, Prefix=scripts.FOLDER)
        newest = sorted(found, key=lambda one: one["LastModified"], reverse=True)
        return [one["Key"].removeprefix(scripts.FOLDER).removesuffix(scripts.END) for one in newest]

    async def host(self) -> DatabaseHost:
        """PlatformError when there is none that writes dumps."""
        wanted = [{"Name": f"tag:{key}", "Values": [value]} for key, value in self._places.tags().items()]
        filters = [*wanted, {"Name": "tag-key", "Values": [DUMPS]}, {"Name": "instance-state-name", "Values": _RUNS}]
        found = await self._clients.all("ec2", "describe_instances", "Reservations", Filters=filters)
        for one in [one for held in found for one in held["Instances"]]:
            tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
            return DatabaseHost(id=one["InstanceId"], engine=tags.get(ENGINE, ""), bucket=tags[DUMPS])
        raise PlatformError(
            f"no host with a database of {self._places.app}@{self._places.environment} runs that writes dumps",
            f"`crossfade infra apply -e {self._places.environment}` makes it",
        )

    async def _run(  # noqa: PLR0917
        self, host: DatabaseHost, once: str, script: str, limit: float, what: str, before: Check = unfenced
    ) -> None:
        until = self._clock.now() + limit
        sent = await self._commands.find(once)
        if sent is None or (await self._commands.told(sent))["Status"] not in {*UNDER_WAY, _SUCCESS}:
            sent = await self._commands.send(host.id, once, script, limit, before, sent)
        while (told := await self._commands.told(sent))["Status"] in UNDER_WAY:
            if self._clock.now() > until:
                raise NotKeptError(f"{what} is still not there after {limit:g} s", "give the deploy more `timeout`")
            await self._clock.sleep(self._look)
        if told["Status"] != _SUCCESS:
            said = told.get("StandardErrorContent", "") or told.get("StandardOutputContent", "")
            last = (said.strip().splitlines() or [told.get("StatusDetails") or told["Status"]])[-1]
            raise NotKeptError(f"{what} failed on {host.id}: {last}", "look at the host, and try again")


_RUNS = ["running"]
