"""The data: database, cache, buckets."""

from collections.abc import Iterator

from crossfade.aws.resources.areas.doors import group
from crossfade.aws.resources.areas.planned import bucket, gib, planned, root_disk, subnets
from crossfade.aws.resources.hosts import exposed
from crossfade.aws.resources.names import identifier, prefix
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

_SLOW_ONLY = 6  # the version of Redis that tells of slow commands and not yet of itself
_ROOT = 20  # GiB, the disk of a database's own host beside its data


def data(app: App) -> Iterator[Resource]:
    if app.cloud.database is not None:
        yield from _host(app) if app.cloud.database.host else _database(app)
    yield from _cache(app)
    for name, kept in app.cloud.buckets.items():
        module, where = f"module.bucket_{identifier(name)}", f"cloud.buckets.{name}"
        yield from bucket(f"{module}.aws_s3_bucket.this", where)
        if kept.moves:
            address = f"{module}.aws_s3_bucket_lifecycle_configuration.this"
            moves = [{"days": move.after} for move in kept.moves]
            refers = {"bucket": (f"{module}.aws_s3_bucket.this",)}
            yield planned(address, f"{where}.moves", refers, rule=[{"transition": moves}])


def _database(app: App) -> Iterator[Resource]:
    database = app.cloud.database
    assert database is not None  # noqa: S101  the caller has looked
    where, address = "cloud.database", "module.database.aws_db_instance.this"
    refers = {"vpc_security_group_ids": (group("database"),)}
    yield planned(
        address,
        where,
        refers,
        identifier=prefix(app),
        engine=database.engine,
        engine_version=database.version,
        instance_class=database.instance,
        allocated_storage=gib(database.storage),
        max_allocated_storage=gib(database.max_storage) if database.max_storage else None,
        storage_type="gp3",
        storage_encrypted=True,
        multi_az=database.multi_az,
        backup_retention_period=database.backups,
        publicly_accessible=database.public,
        manage_master_user_password=True,
    )
    kinds = ("postgresql", "upgrade") if database.engine == "postgres" else ("error", "slowquery")
    group_name = f"/aws/rds/instance/{prefix(app)}"
    yield from _logs(app, "database", kinds, group_name)
    if database.replica is not None:
        yield planned(
            "module.database.aws_db_instance.replica[0]",
            f"{where}.replica",
            {**refers, "replicate_source_db": (address,)},
            identifier=f"{prefix(app)}-replica",
            instance_class=database.replica,
            publicly_accessible=database.public,
        )
        yield from _logs(app, "database", kinds, f"{group_name}-replica", of="replica")


def _logs(app: App, module: str, kinds: tuple[str, ...], group_name: str, of: str = "this") -> Iterator[Resource]:
    for kind in kinds:
        address = f'module.{module}.aws_cloudwatch_log_group.{of}["{kind}"]'
        yield planned(address, "cloud.logs.keep", name=f"{group_name}/{kind}", retention_in_days=app.cloud.logs.keep)


def _host(app: App) -> Iterator[Resource]:
    database = app.cloud.database
    assert database is not None  # noqa: S101  the caller has looked
    where, instance = "cloud.database", "module.database.aws_instance.this"
    template = "module.database.aws_launch_template.this"
    outside = exposed(app) or database.public
    refers = {
        "subnet_id": subnets(app, "public" if outside else "private")[:1],
        "vpc_security_group_ids": (group("database"),),
        "launch_template.id": (template,),
    }
    yield planned(
        template,
        where,
        name=f"{prefix(app)}-database",
        block_device_mappings=[root_disk(_ROOT)],
        metadata_options=[{"http_tokens": "required"}],
    )
    yield planned(
        instance,
        where,
        refers,
        instance_type=database.instance,
        associate_public_ip_address=outside,
    )
    volume = "module.database.aws_ebs_volume.data"
    yield planned(volume, f"{where}.storage", size=gib(database.storage), type="gp3", encrypted=True)
    yield planned("module.database.aws_secretsmanager_secret.password", where, name=f"{prefix(app)}-database/password")
    if database.backups:
        policy = [{"resource_types": ["VOLUME"], "schedule": [{"retain_rule": [{"count": database.backups}]}]}]
        yield planned("module.database.aws_dlm_lifecycle_policy.backup[0]", f"{where}.backups", policy_details=policy)


def _cache(app: App) -> Iterator[Resource]:
    cache = app.cloud.cache
    if cache is None:
        return
    yield planned(
        "module.cache.aws_elasticache_replication_group.this",
        "cloud.cache",
        {"security_group_ids": (group("cache"),)},
        replication_group_id=prefix(app),
        engine=cache.engine,
        node_type=cache.node,
        num_node_groups=cache.shards,
        replicas_per_node_group=cache.replicas,
        at_rest_encryption_enabled="true",
        transit_encryption_enabled=True,
        snapshot_retention_limit=cache.snapshots,
    )
    major = int(cache.version.partition(".")[0])
    kinds = ("slow-log", "engine-log") if cache.engine == "valkey" or major > _SLOW_ONLY else ("slow-log",)
    yield from _logs(app, "cache", kinds if major >= _SLOW_ONLY else (), f"/elasticache/{prefix(app)}")
