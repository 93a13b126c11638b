"""The data: database, cache, buckets."""

from collections.abc import Iterator
from typing import Any

from crossfade.aws.environment import whole, zones
from crossfade.aws.resources.areas.planned import gib
from crossfade.aws.resources.hosts import exposed
from crossfade.aws.resources.names import identifier, prefix
from crossfade.aws.terraform.hcl import Block, Expression, block
from crossfade.aws.terraform.names import MODULES, NAME, REGION, from_module
from crossfade.aws.terraform.windows import daily, weekly
from crossfade.file.cloud.data import PORTS, Bucket, Cache, Database
from crossfade.file.model import App

# What a file without a version gets: RDS's newest line of long support.
NEWEST = {"postgres": "17", "mysql": "8.4", "mariadb": "11.4"}
_CLASSES = {
    "standard-ia": "STANDARD_IA",
    "intelligent-tiering": "INTELLIGENT_TIERING",
    "glacier-ir": "GLACIER_IR",
    "glacier": "GLACIER",
    "deep-archive": "DEEP_ARCHIVE",
}


def data(app: App) -> Iterator[Block]:
    if database := app.cloud.database:
        yield _host(app, database) if database.host else _rds(app, database)
        yield _output("database", "address", "The database's host name.")
        yield _output("database", "secret_arn", "Secret with the database's password.")
    if cache := app.cloud.cache:
        yield _cache(app, cache)
        yield _output("cache", "endpoint", "The cache's host name.")
    for name, bucket in app.cloud.buckets.items():
        yield _bucket(app, name, bucket)
        yield _output(f"bucket_{identifier(name)}", "id", f"The bucket `{name}`.")


def _rds(app: App, database: Database) -> Block:
    version = database.version or NEWEST[database.engine]
    return block(
        "module",
        "database",
        source=f"{MODULES}/database/rds",
        name=NAME,
        engine=database.engine,
        engine_version=version,
        family=family(database.engine, version),
        instance_class=database.instance,
        database_name=identifier(app.name),
        port=database.port,
        storage_gib=gib(database.storage),
        max_storage_gib=gib(database.max_storage) if database.max_storage else None,
        multi_az=database.multi_az,
        backup_days=database.backups,
        backup_window=daily(database.backup_window, app.cloud.timezone),
        maintenance_window=weekly(database.maintenance_window, app.cloud.timezone),
        parameters=database.parameters or None,
        force_tls=database.tls,
        replica_class=database.replica,
        subnet_ids=from_module("vpc", "public_subnet_ids" if database.public else "database_subnet_ids"),
        security_group_id=from_module("security_groups", "database_id"),
        public=database.public or None,
        protect=database.protected,
        log_retention_days=app.cloud.logs.keep,
    )


def _host(app: App, database: Database) -> Block:
    outside = exposed(app) or database.public
    return block(
        "module",
        "database",
        source=f"{MODULES}/database/host",
        name=f"{prefix(app)}-database",
        region=REGION,
        engine=database.engine,
        engine_version=database.version or NEWEST[database.engine],
        database_name=identifier(app.name),
        port=database.port,
        parameters=database.parameters or None,
        force_tls=database.tls,
        instance_type=database.instance,
        storage_gib=gib(database.storage),
        zone=zones(app)[0],
        subnet_id=from_module("vpc", f"{'public' if outside else 'private'}_subnet_ids[0]"),
        security_group_id=from_module("security_groups", "database_id"),
        public_address=outside,
        backup_days=database.backups,
        backup_time=daily(database.backup_window, app.cloud.timezone).partition("-")[0],
        dumps=_dumps(app, database),
    )


def _dumps(app: App, database: Database) -> dict[str, Any] | None:
    if database.dumps is None:
        return None
    hour, _, minute = daily(database.backup_window, app.cloud.timezone).partition("-")[0].partition(":")
    bucket = f"bucket_{identifier(database.dumps)}"
    return {
        "bucket": from_module(bucket, "id"),
        "bucket_arn": from_module(bucket, "arn"),
        "schedule": f"cron({int(minute)} {int(hour)} * * ? *)",
    }


def _cache(app: App, cache: Cache) -> Block:
    return block(
        "module",
        "cache",
        source=f"{MODULES}/database/elasticache",
        name=NAME,
        engine=cache.engine,
        engine_version=cache.version,
        family=family(cache.engine, cache.version),
        node_type=cache.node,
        shards=cache.shards,
        cluster=cache.clustered,
        replicas=cache.replicas,
        policy=cache.policy,
        port=PORTS[cache.engine],
        snapshot_days=cache.snapshots,
        snapshot_window=daily(cache.snapshot_window, app.cloud.timezone),
        subnet_ids=from_module("vpc", "database_subnet_ids"),
        security_group_id=from_module("security_groups", "cache_id"),
        log_retention_days=app.cloud.logs.keep,
    )


def _bucket(app: App, name: str, bucket: Bucket) -> Block:
    return block(
        "module",
        f"bucket_{identifier(name)}",
        source=f"{MODULES}/storage/s3",
        name=f"{prefix(app)}-{name}",
        versioned=bucket.versioned,
        expire_old_days=bucket.expire_old,
        moves=[{"days": move.after, "class": _CLASSES[move.to]} for move in bucket.moves] or None,
        expire_days=bucket.expire,
        cors_origins=list(bucket.cors) or None,
        cors_methods=list(bucket.cors_methods) if bucket.cors else None,
        cors_seconds=whole(bucket.cors_kept) if bucket.cors else None,
        distributions=[from_module("cdn", "arn")] if app.cloud.cdn and app.cloud.cdn.bucket == name else None,
    )


def family(engine: str, version: str) -> str:
    """The family of parameters that a version belongs to: postgres17, mysql8.0, redis7, valkey8."""
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    if engine == "redis" and major == "6":
        return "redis6.x"
    whole = engine in {"postgres", "valkey"} or (engine == "redis" and int(major) > 6)  # noqa: PLR2004  as named above
    return f"{engine}{major}" if whole or not minor else f"{engine}{major}.{minor}"


def _output(module: str, output: str, description: str) -> Block:
    return block(
        "output",
        f"{module}_{output}",
        description=description,
        value=Expression(f"module.{module}.{output}"),
    )
