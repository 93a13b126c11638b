"""The data of an environment: database, cache, buckets, secrets."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.cloud.words import Days, InstanceClass, Version, Window
from crossfade.file.command import Value
from crossfade.file.part import Clash, Part
from crossfade.file.units import GIB, Duration, Size, Text, Whole, write_size

Engine = Literal["postgres", "mysql", "mariadb"]
Method = Literal["GET", "HEAD", "PUT", "POST", "DELETE"]
StorageClass = Literal["standard-ia", "intelligent-tiering", "glacier-ir", "glacier", "deep-archive"]
A_WEEK = 7
YOUNGEST_IA = 30  # days before S3 lets an object move to Standard-IA
PORTS: dict[str, int] = {"postgres": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "valkey": 6379}


_PARAMETER = Text(r"[A-Za-z_][\w.-]*", "the name of a setting: letters, digits and . _ -")


class Database(Part):
    """A database, of RDS or on a host of its own."""

    engine: Engine = Field(default="postgres", description="Which.", examples=["mysql"])
    version: Annotated[str, Version()] | None = Field(
        default=None, description="Its version. Default: RDS's newest.", examples=["17"]
    )
    host: bool = Field(
        default=False,
        strict=True,
        description="On a host of its own with a volume that deploys do not touch, instead of RDS.",
        examples=[True],
    )
    instance: str = Field(
        default="db.t4g.micro",
        description="Class: `db.t4g.small` for RDS, `t3.small` for a host.",
        examples=["db.t4g.small"],
    )
    storage: Annotated[int, Size(least=20 * GIB, most=65536 * GIB)] = Field(
        default=20 * GIB, description="Disk at first (gp3).", examples=["20G"]
    )
    max_storage: Annotated[int, Size(least=20 * GIB, most=65536 * GIB)] | None = Field(
        default=None, description="Grows by itself up to this. Default: does not grow.", examples=["50G"]
    )
    multi_az: bool = Field(default=False, strict=True, description="A standby in another zone.", examples=[True])
    backups: Annotated[int, Days(0, 35)] = Field(
        default=7, description="How long daily backups are kept; 0d is none.", examples=["7d"]
    )
    backup_window: Annotated[str, Window()] = Field(
        default="03:00-04:00", description="When, in `timezone`.", examples=["03:00-04:00"]
    )
    maintenance_window: Annotated[str, Window(weekly=True)] = Field(
        default="mon 04:00-05:00", description="When AWS may change it, in `timezone`.", examples=["mon 04:00-05:00"]
    )
    parameters: dict[Annotated[str, _PARAMETER], Annotated[str, Value()]] = Field(
        default={}, description="Settings of the database itself.", examples=[{"log_statement": "all"}]
    )
    replica: Annotated[str, InstanceClass("db.")] | None = Field(
        default=None, description="Class of a read replica. Default: none.", examples=["db.t3.small"]
    )
    tls: bool = Field(default=True, strict=True, description="Refuses connections without TLS.", examples=[True])
    public: bool = Field(
        default=False,
        strict=True,
        description="Reachable from the internet. `audit` has an opinion on it.",
        examples=[False],
    )
    snapshot: bool = Field(
        default=False,
        strict=True,
        description="Takes one before each migration that a deploy runs, and waits for it; the newest 5 are kept.",
        examples=[True],
    )
    dumps: str | None = Field(
        default=None,
        description="Bucket, one of `buckets`, to which a database on a host of its own is written down: daily at the "
        "beginning of `backup_window`, and before each migration that a deploy runs. Default: no dumps.",
        examples=["backups"],
    )
    protect: bool | None = Field(
        default=None,
        strict=True,
        description=(
            "AWS refuses to delete it until this is taken back, and keeps a last snapshot. "
            "Default: with `multi_az`, or with backups of a week or longer."
        ),
        examples=[True],
    )

    @property
    def port(self) -> int:
        return PORTS[self.engine]

    @property
    def protected(self) -> bool:
        """Who pays for a standby or keeps a week of backups does not want to lose it by a slip."""
        return self.protect if self.protect is not None else self.multi_az or self.backups >= A_WEEK

    def impossible(self) -> Iterator[Clash]:
        try:
            InstanceClass("" if self.host else "db.").read(self.instance)
        except ValueError as error:
            yield Clash(("instance",), self.instance, str(error), getattr(error, "meant", ""))
        if self.max_storage is not None and self.max_storage < self.storage:
            found = f"{write_size(self.max_storage)} with storage {write_size(self.storage)}"
            yield Clash(("max_storage",), found, f"{write_size(self.storage)} or more")
        if self.version and self.engine != "postgres" and "." not in self.version:
            yield Clash(("version",), f"{self.engine} {self.version}", "two numbers, such as 8.0 or 8.4")
        if self.host and (self.multi_az or self.replica):
            yield Clash(("host",), "multi_az or replica with a host of its own", "either host: true, or RDS with these")
        if self.host and self.snapshot:
            yield Clash(("snapshot",), "a snapshot of a database on a host of its own", "RDS, or `dumps`")
        if self.dumps and not self.host:
            yield Clash(("dumps",), "dumps of a database of RDS", "a database with host: true, or snapshot: true")
        if self.replica and not self.backups:
            yield Clash(("replica",), "a replica without backups, which RDS refuses", "backups: 1d or longer")
        if Window.overlap(self.backup_window, self.maintenance_window):
            found = f"{self.maintenance_window}, which overlaps backup_window {self.backup_window}"
            yield Clash(("maintenance_window",), found, "a time of its own: RDS refuses both at once")


class Cache(Part):
    """A cache of ElastiCache."""

    engine: Literal["redis", "valkey"] = Field(default="redis", description="Which.", examples=["valkey"])
    version: Annotated[str, Version()] = Field(default="7.1", description="Its version.", examples=["7.1"])
    node: Annotated[str, InstanceClass("cache.")] = Field(
        default="cache.t4g.micro", description="Class of each node.", examples=["cache.t4g.small"]
    )
    shards: Annotated[int, Whole(1, 90)] = Field(default=1, description="Parts the data is spread over.", examples=[2])
    cluster: bool | None = Field(
        default=None,
        strict=True,
        description="Cluster mode, also with one shard, which clients have to speak. Default: with more than 1.",
        examples=[True],
    )
    replicas: Annotated[int, Whole(0, 5)] = Field(
        default=0, description="Copies of each shard; with one or more it survives the loss of a zone.", examples=[1]
    )
    snapshots: Annotated[int, Days(0, 35)] = Field(
        default=1, description="How long daily snapshots are kept; 0d is none.", examples=["5d"]
    )
    snapshot_window: Annotated[str, Window()] = Field(
        default="04:00-05:00", description="When, in `timezone`.", examples=["04:00-05:00"]
    )
    policy: Annotated[
        str, Text(r"(volatile|allkeys)-(lru|lfu|random|ttl)|noeviction", "a policy such as volatile-lru")
    ] = Field(default="volatile-lru", description="What goes when it is full.", examples=["volatile-lru"])

    @property
    def clustered(self) -> bool:
        return self.shards > 1 if self.cluster is None else self.cluster

    def impossible(self) -> Iterator[Clash]:
        if self.cluster is False and self.shards > 1:
            yield Clash(("cluster",), f"false with {self.shards} shards", "shards: 1, or without it")

    @property
    def nodes(self) -> int:
        return self.shards * (1 + self.replicas)


class Transition(Part):
    """Objects that grow old move to where keeping them costs less."""

    after: Annotated[int, Days(1)] = Field(description="How old.", examples=["30d"])
    to: StorageClass = Field(description="Where.", examples=["standard-ia"])


class Bucket(Part):
    """A bucket of S3: private, encrypted, closed to the public."""

    versioned: bool = Field(default=True, strict=True, description="Keeps overwritten objects.", examples=[True])
    expire_old: Annotated[int, Days(1)] | None = Field(
        default=None, description="When overwritten objects go. Default: never.", examples=["30d"]
    )
    moves: tuple[Transition, ...] = Field(
        default=(),
        description="Where objects go as they age.",
        examples=[[{"after": "30d", "to": "standard-ia"}, {"after": "90d", "to": "glacier-ir"}]],
    )
    expire: Annotated[int, Days(1)] | None = Field(
        default=None, description="When objects are removed. Default: never.", examples=["365d"]
    )
    cors: tuple[str, ...] = Field(
        default=(), description="Origins whose pages may read and write it.", examples=[["https://code1398.io"]]
    )
    cors_methods: tuple[Method, ...] = Field(
        default=("GET", "HEAD", "PUT", "POST"), description="What they may do there.", examples=[["GET", "DELETE"]]
    )
    cors_kept: Annotated[float, Duration(least=1, most=86400)] = Field(
        default=3600.0, description="How long their browsers remember that they may.", examples=["50m"]
    )
    services: tuple[str, ...] | None = Field(
        default=None, description="Services that read and write it. Default: all.", examples=[["backend"]]
    )

    def impossible(self) -> Iterator[Clash]:
        for index, (before, after) in enumerate(pairwise(self.moves), start=1):
            if after.after <= before.after:
                yield Clash(
                    ("moves", index, "after"), f"{after.after}d after {before.after}d", "an age above the one before"
                )
        if self.moves and self.moves[0].to == "standard-ia" and self.moves[0].after < YOUNGEST_IA:
            yield Clash(("moves", 0, "after"), f"{self.moves[0].after}d to standard-ia", "30d or more")
        if self.expire is not None and self.moves and self.expire <= self.moves[-1].after:
            yield Clash(("expire",), f"{self.expire}d, before the last move", f"more than {self.moves[-1].after}d")


class Secret(Part):
    """A secret of Secrets Manager. Its value is never in this file nor in Terraform's state."""

    name: Annotated[str, Text(r"[A-Za-z0-9/_+=.@-]{1,512}", "a name such as tiketi/db/password")] | None = Field(
        default=None, description="Its name there. Default: app/environment/NAME.", examples=["tiketi/db/password"]
    )
    rotate: Annotated[int, Days(1, 1000)] | None = Field(
        default=None, description="How often it is changed. Default: never by itself.", examples=["90d"]
    )
