"""What keeps data: databases of RDS, caches, buckets."""

from collections.abc import Iterator

from crossfade.aws.cost.bill.charge import Amount, Charge, once
from crossfade.aws.cost.bill.charges.fleet import used
from crossfade.aws.cost.bill.charges.sizes import GIB, gigabytes, label
from crossfade.aws.cost.money import plain
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

_BUCKET = 10 * GIB  # kept in a bucket of which the file says nothing


def data(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    for database in inventory.of("aws_db_instance"):
        yield from _database(inventory, database, usage)
    yield from _backups(inventory, usage)
    yield from _snapshots(inventory)
    for cache in inventory.of("aws_elasticache_replication_group", "aws_elasticache_cluster"):
        yield from _cache(cache, usage)
    for bucket in inventory.of("aws_s3_bucket"):
        yield from _bucket(bucket, usage)
    yield from _requests(inventory, usage)
    yield from _tables(inventory)


def _database(inventory: Inventory, database: Resource, usage: Usage) -> Iterator[Charge]:
    primary = next(iter(inventory.referred(database, "replicate_source_db", "aws_db_instance")), database)
    engine = database.values.get("engine") or primary.values.get("engine") or "unknown"
    zones = "multi" if database.values.get("multi_az") else "single"
    kind = database.values.get("instance_class", "db.unknown.unknown")
    name = "Read replica" if primary is not database else "Database"
    where = ", in two zones" if zones == "multi" else ""
    yield Charge(
        area="Data",
        item=f"{name} {engine} {kind}{where}",
        quantity=Amount.of(usage.hours),
        unit="hours",
        rate=once(f"rds.hour.{engine}.{zones}.{kind}"),
        addresses=(database.address,),
    )
    size = database.values.get("allocated_storage") or primary.values.get("allocated_storage")
    if not size:
        return
    most = max(database.values.get("max_allocated_storage") or 0, size)
    disk = database.values.get("storage_type") or primary.values.get("storage_type") or "gp2"
    yield Charge(
        area="Data",
        item=f"{name} disk, {disk}{where}",
        quantity=Amount.between(size, size, most),
        unit="GB-months",
        rate=once(f"rds.gb-month.{disk}.{zones}"),
        addresses=(database.address,),
        note=f"grows by itself up to {most} GB" if most > size else "",
    )


def _backups(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
    kept = [each for each in inventory.of("aws_db_instance") if each.values.get("backup_retention_period")]
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


def _snapshots(inventory: Inventory) -> Iterator[Charge]:
    """Daily snapshots of volumes hold what changed; together they are at least as large as the volume once."""
    policies = tuple(policy.address for policy in inventory.of("aws_dlm_lifecycle_policy"))
    for volume in inventory.of("aws_ebs_volume") if policies else ():
        yield Charge(
            area="Data",
            item="Snapshots of disks",
            quantity=Amount.of(volume.values.get("size", 0)),
            unit="GB-months",
            rate=once("ebs.snapshot-gb-month"),
            addresses=(volume.address, *policies),
            note="the disk once; what changes between snapshots comes on top",
        )


def _cache(cache: Resource, usage: Usage) -> Iterator[Charge]:
    values = cache.values
    if cache.type == "aws_elasticache_cluster" and values.get("replication_group_id"):
        return  # a node that its group is billed for
    shards, replicas = values.get("num_node_groups") or 1, values.get("replicas_per_node_group")
    nodes = values.get("num_cache_clusters") or values.get("num_cache_nodes")
    nodes = nodes or shards * (1 + (replicas or 0))
    engine, kind = values.get("engine", "redis"), values.get("node_type", "cache.unknown.unknown")
    yield Charge(
        area="Data",
        item=f"Cache {engine} {kind}{f', {nodes} nodes' if nodes > 1 else ''}",
        quantity=Amount.of(nodes).times(usage.hours),
        unit="node-hours",
        rate=once(f"elasticache.hour.{engine}.{kind}"),
        addresses=(cache.address,),
    )


def _bucket(bucket: Resource, usage: Usage) -> Iterator[Charge]:
    size, name = used(bucket, usage.buckets), label(bucket)
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


def _requests(inventory: Inventory, usage: Usage) -> Iterator[Charge]:
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


def _tables(inventory: Inventory) -> Iterator[Charge]:
    for table in inventory.of("aws_dynamodb_table"):
        yield Charge(
            area="Data",
            item="DynamoDB tables",
            quantity=Amount.of(1),
            unit="tables",
            rate=once("dynamodb.on-demand"),
            addresses=(table.address,),
        )
