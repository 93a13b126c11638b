"""Charges of data: databases of RDS, caches, buckets."""

from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.cost.bill.charge import UNPRICED, Amount, Charge, once, unpriced
from crossfade.aws.cost.bill.charges.by_use import used
from crossfade.aws.cost.bill.charges.computing.fleet import said
from crossfade.aws.cost.bill.charges.databases.bursts import bursts
from crossfade.aws.cost.bill.charges.databases.dynamodb import dynamodb
from crossfade.aws.cost.bill.charges.databases.serverless import serverless
from crossfade.aws.cost.bill.charges.growth import bounded
from crossfade.aws.cost.bill.charges.sizes import GIB, gigabytes, label
from crossfade.aws.cost.money import plain
from crossfade.aws.resources.inventory import Inventory, first
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.month import Month

_BUCKET = 10 * GIB  # kept in a bucket of which the file says nothing
# The least that io1 has: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
_IO1 = (100, 1_000)  # GB, IOPS
_PROVISIONED = ("gp3", "io1", "io2")
_REGION_OF_ARN = 3  # arn:aws:rds:eu-west-1:...


def data(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    for database in inventory.of("aws_db_instance"):
        yield from _database(inventory, database, usage)
    yield from serverless(inventory, usage)
    yield from bursts(inventory, usage)
    yield from _backups(inventory, usage)
    yield from _snapshots(inventory)
    for cache in inventory.of("aws_elasticache_replication_group", "aws_elasticache_cluster"):
        yield from _cache(inventory, cache, usage)
    for copier in inventory.of("aws_dms_replication_instance"):
        yield from _beyond_included(copier)
    for bucket in inventory.of("aws_s3_bucket"):
        yield from _bucket(bucket, usage)
    yield from _requests(inventory, usage)
    for table in inventory.of("aws_dynamodb_table"):
        yield from dynamodb(inventory, table, usage)


def _database(inventory: Inventory, database: Resource, usage: Month) -> Iterator[Charge]:
    primary = next(iter(inventory.referred(database, "replicate_source_db", "aws_db_instance")), database)
    engine = database.values.get("engine") or primary.values.get("engine") or "unknown"
    engine = "aurora-mysql" if engine == "aurora" else engine  # its name when Aurora had only one
    zones = "multi" if database.values.get("multi_az") else "single"
    kind = database.values.get("instance_class", "db.unknown.unknown")
    copies = primary is not database or database.values.get("replicate_source_db")
    name = "Read replica" if copies else "Database"
    where = ", in two zones" if zones == "multi" else ""
    rate = f"aurora.hour.{engine}.{kind}" if engine.startswith("aurora") else f"rds.hour.{engine}.{zones}.{kind}"
    yield Charge(
        area="Data",
        item=f"{name} {engine} {kind}{where}",
        quantity=Amount.of(usage.hours),
        unit="hours",
        rate=once(UNPRICED if "multi_az" in database.later else rate),
        addresses=(database.address,),
        note="what it copies is not in the plan, so its engine is not known" if copies and engine == "unknown" else "",
    )
    size = database.values.get("allocated_storage") or primary.values.get("allocated_storage")
    disk = database.values.get("storage_type") or primary.values.get("storage_type")
    # A copy has what is provisioned of the disk that it copies, unless it asks for one of another kind.
    alike = database if database.values.get("storage_type") else primary
    iops = database.values.get("iops") or alike.values.get("iops") or 0
    disk = disk or ("io1" if iops else "gp2")
    if disk == "io1":
        size, iops = size and max(size, _IO1[0]), max(iops, _IO1[1])
    most = max(database.values.get("max_allocated_storage") or 0, size or 0)
    yield Charge(
        area="Data",
        item=f"{name} disk, {disk}{where}",
        quantity=Amount.between(size, size, most) if size else Amount.of(1),
        unit="GB-months",
        rate=once(f"rds.gb-month.{disk}.{zones}" if size else UNPRICED),
        addresses=(database.address,),
        note=_size(size, most),
    )
    included = _included(engine, disk, size or 0)
    through = database.values.get("storage_throughput") or alike.values.get("storage_throughput") or 0
    for item, provisioned, free, unit, key in (
        ("IOPS", iops, included[0], "IOPS-months", "rds.iops-month"),
        ("throughput", through if disk == "gp3" else 0, included[1], "MB/s-months", "rds.mbps-month"),
    ):
        if provisioned > free and disk in _PROVISIONED:
            yield Charge(
                area="Data",
                item=f"{name} disk, {disk}, {item}{where}",
                quantity=Amount.of(provisioned - free),
                unit=unit,
                rate=once(UNPRICED if "iops" in database.later else f"{key}.{disk}.{zones}"),
                addresses=(database.address,),
            )
    if disk == "standard":
        yield used("Data", f"{name} disk, requests", "rds.io-1m", "1,000,000 requests", (database.address,), usage)
    if _is_from_elsewhere(database, primary):
        note = "what a replica is sent from another region is billed by the GB"
        yield unpriced("Data", "Copied from another region", (database.address,), note, unit="replicas")


def _is_from_elsewhere(copy: Resource, primary: Resource) -> bool:
    """By the ARN of what it copies, or by where that is in the plan."""
    named = str(copy.values.get("replicate_source_db") or "").split(":")
    where = named[_REGION_OF_ARN] if len(named) > _REGION_OF_ARN else primary.region
    return bool(where and copy.region and where != copy.region)


def _size(size: int | None, most: int) -> str:
    if not size:
        return "the plan does not say its size; what is made from a snapshot is as large as that"
    return f"grows by itself up to {most} GB" if most > size else ""


def _included(engine: str, disk: str, size: float) -> tuple[int, int]:
    """IOPS and MB/s that a disk has by itself: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html.

    gp3 is spread over four volumes from 400 GB on, with Oracle from 200, with SQL Server never.
    """
    if disk != "gp3":
        return (0, 0)
    striped = not engine.startswith("sqlserver") and size >= (200 if engine.startswith("oracle") else 400)
    return (12_000, 500) if striped else (3_000, 125)


def _backups(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    kept = [each for each in inventory.of("aws_db_instance") if _keeps(each)]
    if kept:
        yield Charge(
            area="Data",
            item="Database backups",
            quantity=Amount.of(gigabytes(usage.db_backups)),
            unit="GB-months",
            rate=once("rds.backup-gb-month"),
            addresses=tuple(each.address for each in kept),
            assumes=f"{plain(gigabytes(usage.db_backups))} GB beyond the size of the database, which are free",
            usage="db_backups",
        )


def _keeps(database: Resource) -> bool:
    """What Aurora keeps is its cluster's, at another price."""
    engine = str(database.values.get("engine") or "")
    return bool(database.values.get("backup_retention_period")) and not engine.startswith("aurora")


def _snapshots(inventory: Inventory) -> Iterator[Charge]:
    """Daily snapshots of volumes hold what changed; together they are at least as large as the volume once."""
    policies, found = tuple(inventory.of("aws_dlm_lifecycle_policy")), False
    for volume in inventory.of("aws_ebs_volume"):
        if whose := tuple(policy.address for policy in policies if _looks_after(policy, volume)):
            found = True
            yield Charge(
                area="Data",
                item="Snapshots of disks",
                quantity=Amount.of(volume.values.get("size", 0)),
                unit="GB-months",
                rate=once("ebs.snapshot-gb-month"),
                addresses=(volume.address, *whose),
                note="the disk once; what changes between snapshots comes on top",
            )
    if policies and not found:
        note = "billed by what the disks hold that have the tags of the policy"
        yield unpriced("Data", "Snapshots of disks", tuple(policy.address for policy in policies), note)


def _looks_after(policy: Resource, volume: Resource) -> bool:
    """By any of its tags: https://docs.aws.amazon.com/dlm/latest/APIReference/API_PolicyDetails.html."""
    wanted = first(policy.values, "policy_details", "target_tags")
    has = volume.values.get("tags_all") or volume.values.get("tags") or {}
    unsaid = not isinstance(wanted, Mapping) or "tags" in volume.unknown
    return unsaid or any(has.get(key) == value for key, value in wanted.items())


def _cache(inventory: Inventory, cache: Resource, usage: Month) -> Iterator[Charge]:
    values, group = cache.values, next(iter(inventory.referred(cache, "replication_group_id")), None)
    joins = cache.type == "aws_elasticache_cluster" and bool(values.get("replication_group_id") or group)
    if joins:  # one more node of a group, of the group's class
        values = {
            **(group.values if group else {}),
            "num_cache_nodes": 1,
            "num_cache_clusters": 0,
            "num_node_groups": 0,
        }
    nodes = _nodes(inventory, cache, values)
    many = "" if nodes.expected == 1 else f", {plain(nodes.expected)} nodes"
    engine, kind = values.get("engine", "redis"), values.get("node_type")
    known = bool(kind) and not (joins and group is None)
    yield Charge(
        area="Data",
        item=f"Cache {engine} {kind or 'of an unknown class'}{many}",
        quantity=nodes.times(usage.hours),
        unit="node-hours",
        rate=once(f"elasticache.hour.{engine}.{kind}" if known else UNPRICED),
        addresses=(cache.address,),
        note=_scaled(nodes) if known else "the group or the primary that it belongs to is not in the plan",
    )
    if (values.get("snapshot_retention_limit") or 0) > 1:
        yield used("Data", "Cache backups", "elasticache.backup-gb-month", "GB-months", (cache.address,), usage)


def _nodes(inventory: Inventory, cache: Resource, values: Mapping[str, Any]) -> Amount:
    """As many as it says, or shards with their copies, which may both scale."""
    said = values.get("num_cache_clusters") or values.get("num_cache_nodes")
    if said:
        return Amount.of(said)
    shards, copies = (
        bounded(inventory, cache, values.get("replication_group_id"), f"elasticache:replication-group:{what}", wanted)
        for what, wanted in (
            ("NodeGroups", values.get("num_node_groups") or 1),
            ("Replicas", values.get("replicas_per_node_group") or 0),
        )
    )
    return Amount(*(getattr(shards, end) * (1 + getattr(copies, end)) for end in ("least", "expected", "most")))


def _scaled(nodes: Amount) -> str:
    return f"scales from {plain(nodes.least)} to {plain(nodes.most)} nodes" if nodes.varies else ""


def _beyond_included(copier: Resource) -> Iterator[Charge]:
    """The disk of an instance of DMS, of which 50 GB come with t2 and t3, and 100 with others.

    https://aws.amazon.com/dms/pricing/
    """
    included = 50 if str(copier.values.get("replication_instance_class", "")).startswith(("dms.t2", "dms.t3")) else 100
    beyond = (copier.values.get("allocated_storage") or included) - included
    if beyond > 0:
        yield Charge(
            area="Data",
            item=f"DMS disk beyond the {included} GB that are included",
            quantity=Amount.of(beyond),
            unit="GB-months",
            rate=once(f"dms.gb-month{'.multi' if copier.values.get('multi_az') else ''}"),
            addresses=(copier.address,),
        )


def _bucket(bucket: Resource, usage: Month) -> Iterator[Charge]:
    size, name = said(bucket, usage.buckets), label(bucket)
    yield Charge(
        area="Data",
        item=f"Bucket {name}",
        quantity=Amount.of(gigabytes(_BUCKET if size is None else size)),
        unit="GB-months",
        rate=once("s3.gb-month.standard"),
        addresses=(bucket.address,),
        assumes=f"{plain(gigabytes(_BUCKET if size is None else size))} GB, all in S3 Standard",
        usage=f"buckets.{name}",
    )


def _requests(inventory: Inventory, usage: Month) -> Iterator[Charge]:
    buckets = tuple(bucket.address for bucket in inventory.of("aws_s3_bucket"))
    if not buckets:
        return
    for item, count, unit, key, usage_key in (
        ("Bucket writes", usage.bucket_writes, 1_000, "s3.put-1k", "bucket_writes"),
        ("Bucket reads", usage.bucket_reads, 10_000, "s3.get-10k", "bucket_reads"),
    ):
        yield Charge(
            area="Data",
            item=item,
            quantity=Amount.of(count).over(unit),
            unit=f"{unit:,} requests",
            rate=once(key),
            addresses=buckets,
            assumes=f"{count:,} requests, all buckets",
            usage=usage_key,
        )
