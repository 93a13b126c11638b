"""Databases, caches and disks of a plan: who can read them, and what is left after a failure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.limits import LEAST_BACKUPS
from crossfade.aws.audit.on_plan.related import settings
from crossfade.aws.audit.on_plan.switch import is_on, number
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

# The parameter that refuses connections without TLS, and since which version RDS sets it when nobody does.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.require-ssl.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Concepts.General.SSL.Using.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html
_NEVER = (10**6,)
_FORCE_TLS = {
    "postgres": ("rds.force_ssl", (15,)),
    "mysql": ("require_secure_transport", _NEVER),
    "mariadb": ("require_secure_transport", (11, 8)),
    **dict.fromkeys((f"sqlserver-{edition}" for edition in ("ee", "se", "ex", "web")), ("rds.force_ssl", _NEVER)),
    "aurora-postgresql": ("rds.force_ssl", (17,)),
    "aurora-mysql": ("require_secure_transport", _NEVER),
}


def databases(inventory: Inventory) -> Iterator[Resource]:
    """Those that hold data of their own: no replicas, and no members of a cluster."""
    for database in inventory.of("aws_db_instance"):
        if not database.values.get("replicate_source_db") and "replicate_source_db" not in database.refers:
            yield database


_CLUSTERS = ("aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster")
_REACHABLE = (
    *("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster", "aws_redshiftserverless_workgroup"),
    *("aws_neptune_cluster_instance", "aws_mq_broker", "aws_dms_replication_instance", "aws_rds_cluster"),
    *("aws_lightsail_database", "aws_timestreaminfluxdb_db_instance"),
)
# The switch of each store that is off when nobody says anything.
_ENCRYPTION = {
    "aws_rds_cluster": ("storage_encrypted",),
    "aws_docdb_cluster": ("storage_encrypted",),
    "aws_neptune_cluster": ("storage_encrypted",),
    "aws_redshift_cluster": ("encrypted",),
    "aws_dax_cluster": ("server_side_encryption", "enabled"),
    "aws_opensearch_domain": ("encrypt_at_rest", "enabled"),
    "aws_elasticsearch_domain": ("encrypt_at_rest", "enabled"),
    "aws_elasticache_replication_group": ("at_rest_encryption_enabled",),
    "aws_efs_file_system": ("encrypted",),
}
# Parameters of stores that let in who comes without TLS, and the values that do.
_PLAIN_PARAMETERS = (
    ("aws_docdb_cluster_parameter_group", "tls", frozenset({"disabled"})),
    ("aws_redshift_parameter_group", "require_ssl", frozenset({"false"})),
    ("aws_rds_cluster_parameter_group", "rds.force_ssl", frozenset({"0"})),
    ("aws_rds_cluster_parameter_group", "require_secure_transport", frozenset({"off", "0"})),
)
# Where a database says which parameters it has, and the type that they are.
_PARAMETERS = {
    "aws_db_instance": ("parameter_group_name", "aws_db_parameter_group"),
    "aws_rds_cluster": ("db_cluster_parameter_group_name", "aws_rds_cluster_parameter_group"),
}
_TOLD_OF_GROUPS = frozenset({"aws_rds_cluster"})  # whose parameters are looked at where they stand
# Switches that refuse who comes without TLS, off when nobody says anything, and how a reader knows them.
_REFUSES_PLAIN = (
    ("aws_opensearch_domain", ("domain_endpoint_options", "enforce_https"), "enforce_https"),
    ("aws_opensearch_domain", ("node_to_node_encryption", "enabled"), "node_to_node_encryption.enabled"),
    ("aws_elasticsearch_domain", ("domain_endpoint_options", "enforce_https"), "enforce_https"),
    ("aws_elasticsearch_domain", ("node_to_node_encryption", "enabled"), "node_to_node_encryption.enabled"),
    ("aws_db_proxy", ("require_tls",), "require_tls"),
)


# Shares by NFS, and the block that their exports stand in.
_EXPORTS = (("aws_fsx_openzfs_file_system", "root_volume_configuration"), ("aws_fsx_openzfs_volume", ""))


def public_database(inventory: Inventory) -> Iterator[Mark]:
    for database in inventory.of(*_REACHABLE):
        if is_on(database.values.get("publicly_accessible")):
            yield Mark(database.address, "publicly_accessible = true")


def not_encrypted(inventory: Inventory) -> Iterator[Mark]:
    for database in databases(inventory):
        if not is_on(database.values.get("storage_encrypted")):
            yield Mark(database.address, "storage_encrypted is not true")
    for resource in inventory.of(*_ENCRYPTION):
        keys = _ENCRYPTION[resource.type]
        if not is_on(first(resource.values, *keys)) and resource.values.get("engine_mode") != "serverless":
            yield Mark(resource.address, f"{'.'.join(keys)} is not true")
    for cache in _single_caches(inventory):
        yield Mark(cache.address, "an aws_elasticache_cluster cannot encrypt what it keeps")
    yield from _readable_elsewhere(inventory)


def _readable_elsewhere(inventory: Inventory) -> Iterator[Mark]:
    for desk in inventory.of("aws_workspaces_workspace"):
        for disk in ("root", "user"):
            if not is_on(desk.values.get(f"{disk}_volume_encryption_enabled")):
                yield Mark(desk.address, f"{disk}_volume_encryption_enabled is not true")
    for methods in inventory.of("aws_api_gateway_method_settings"):
        kept = first(methods.values, "settings", "caching_enabled")
        if is_on(kept) and not is_on(first(methods.values, "settings", "cache_data_encrypted")):
            yield Mark(methods.address, "settings.cache_data_encrypted is not true: answers are kept as they are")


def plain_connections(inventory: Inventory) -> Iterator[Mark]:
    for cache in inventory.of("aws_elasticache_replication_group"):
        if not is_on(cache.values.get("transit_encryption_enabled")):
            yield Mark(cache.address, "transit_encryption_enabled is not true")
        elif cache.values.get("transit_encryption_mode") == "preferred":
            yield Mark(cache.address, "transit_encryption_mode is preferred, which takes who comes without TLS as well")
    yield from _plain_elsewhere(inventory)
    for database in (*databases(inventory), *inventory.of("aws_rds_cluster")):
        if what := _takes_plain(inventory, database):
            yield Mark(database.address, what)


def _plain_elsewhere(inventory: Inventory) -> Iterator[Mark]:
    for store in inventory.of("aws_memorydb_cluster"):
        if store.values.get("tls_enabled") is False:
            yield Mark(store.address, "tls_enabled is false")
    for stream in inventory.of("aws_msk_cluster"):
        kind = first(stream.values, "encryption_info", "encryption_in_transit", "client_broker")
        if kind in {"PLAINTEXT", "TLS_PLAINTEXT"}:
            yield Mark(stream.address, f"client_broker is {kind}")
    for server in inventory.of("aws_transfer_server"):
        if "FTP" in (server.values.get("protocols") or ()):
            yield Mark(server.address, "protocols has FTP, which sends passwords and files in plain")
    yield from _plain_ends(inventory)
    yield from _plain_by_parameter(inventory)
    for kind, keys, said in _REFUSES_PLAIN:
        for store in inventory.of(kind):
            if not is_on(first(store.values, *keys)):
                yield Mark(store.address, f"{said} is not true")


def _plain_ends(inventory: Inventory) -> Iterator[Mark]:
    """Of replications, where they are servers, of notifications and of caches."""
    for cache in inventory.of("aws_dax_cluster"):
        if cache.values.get("cluster_endpoint_encryption_type", "NONE") != "TLS":
            yield Mark(cache.address, "cluster_endpoint_encryption_type is not TLS")
    for subscriber in inventory.of("aws_sns_topic_subscription"):
        if subscriber.values.get("protocol") == "http":
            yield Mark(subscriber.address, "protocol is http")
    for end in inventory.of("aws_dms_endpoint"):
        if end.values.get("server_name") and end.values.get("ssl_mode", "none") == "none":
            yield Mark(end.address, "ssl_mode is none")


def _plain_by_parameter(inventory: Inventory) -> Iterator[Mark]:
    for kind, key, plain in _PLAIN_PARAMETERS:
        for group in inventory.of(kind):
            said = {str(one.get("name")): str(one.get("value")) for one in blocks(group.values, "parameter")}
            if said.get(key, "").lower() in plain:
                yield Mark(group.address, f"{key} is {said[key]}")


def _takes_plain(inventory: Inventory, database: Resource) -> str:
    key, since = _FORCE_TLS.get(str(database.values.get("engine")), ("", ()))
    if not key:
        return ""
    said = _parameter(inventory, database, key)
    if said is not None:
        told = database.type in _TOLD_OF_GROUPS or said.lower() in {"1", "on", "true"}
        return "" if told else f"{key} is {said}"
    version = tuple(map(int, re.findall(r"\d+", str(database.values.get("engine_version", "")))))
    newest = not version  # which RDS takes when none is named
    return f"{key} is not set" if since == _NEVER or (not newest and version < since) else ""


def _parameter(inventory: Inventory, database: Resource, key: str) -> str | None:
    where, kind = _PARAMETERS[database.type]
    name = database.values.get(where)
    groups = [
        *inventory.referred(database, where, kind),
        *(group for group in inventory.of(kind) if name and group.values.get("name") == name),
    ]
    for group in groups:
        for parameter in blocks(group.values, "parameter"):
            if parameter.get("name") == key:
                return str(parameter.get("value"))
    return None


def no_backups(inventory: Inventory) -> Iterator[Mark]:
    for database in databases(inventory):
        if not number(database.values.get("backup_retention_period")):
            yield Mark(database.address, "backup_retention_period is not set, or 0")
    for warehouse in inventory.of("aws_redshift_cluster"):
        if number(warehouse.values.get("automated_snapshot_retention_period", 1)) == 0:
            yield Mark(warehouse.address, "automated_snapshot_retention_period is 0")


def short_backups(inventory: Inventory) -> Iterator[Mark]:
    for database in (*databases(inventory), *inventory.of(*_CLUSTERS)):
        default = 0 if database.type == "aws_db_instance" else 1
        days = number(database.values.get("backup_retention_period", default)) or default
        if 0 < days < LEAST_BACKUPS:
            yield Mark(database.address, f"backups are gone after {days} day{'' if days == 1 else 's'}")


def no_standby(inventory: Inventory) -> Iterator[Mark]:
    for database in databases(inventory):
        if not is_on(database.values.get("multi_az")):
            yield Mark(database.address, "multi_az is not true")
    for broker in inventory.of("aws_mq_broker"):
        if (mode := broker.values.get("deployment_mode", "SINGLE_INSTANCE")) == "SINGLE_INSTANCE":
            yield Mark(broker.address, f"deployment_mode is {mode}")


def one_cache_node(inventory: Inventory) -> Iterator[Mark]:
    for cache in inventory.of("aws_elasticache_replication_group"):
        if not is_on(cache.values.get("automatic_failover_enabled")):
            yield Mark(cache.address, "automatic_failover_enabled is not true")
    for cache in _single_caches(inventory):
        yield Mark(cache.address, "an aws_elasticache_cluster has no copy in another zone")


def no_snapshots(inventory: Inventory) -> Iterator[Mark]:
    for cache in (*inventory.of("aws_elasticache_replication_group"), *_single_caches(inventory)):
        if not number(cache.values.get("snapshot_retention_limit")):
            yield Mark(cache.address, "snapshot_retention_limit is not set, or 0")


def _single_caches(inventory: Inventory) -> Iterator[Resource]:
    """Caches that are not nodes of a replication group."""
    for cache in inventory.of("aws_elasticache_cluster"):
        member = cache.values.get("replication_group_id") or "replication_group_id" in cache.refers
        if not member and cache.values.get("engine") != "memcached":
            yield cache


def deletable(inventory: Inventory) -> Iterator[Mark]:
    for database in (*databases(inventory), *inventory.of(*_CLUSTERS)):
        if not is_on(database.values.get("deletion_protection")):
            yield Mark(database.address, "deletion_protection is not true")
    yield from _deletable_tables(inventory)


def nothing_left(inventory: Inventory) -> Iterator[Mark]:
    for database in (*databases(inventory), *inventory.of(*_CLUSTERS, "aws_redshift_cluster")):
        if is_on(database.values.get("skip_final_snapshot")):
            yield Mark(database.address, "skip_final_snapshot = true")


_UPDATED = (
    "aws_db_instance",
    "aws_rds_cluster_instance",
    "aws_elasticache_replication_group",
    "aws_elasticache_cluster",
)
_LOCK = "LockID"  # the key of Terraform's own table, whose items last as long as an apply


def never_mended(inventory: Inventory) -> Iterator[Mark]:
    for store in inventory.of(*_UPDATED):
        if str(store.values.get("auto_minor_version_upgrade", True)).lower() == "false":
            yield Mark(store.address, "auto_minor_version_upgrade is false")


def no_moment_to_go_back_to(inventory: Inventory) -> Iterator[Mark]:
    for table in inventory.of("aws_dynamodb_table"):
        kept = is_on(first(table.values, "point_in_time_recovery", "enabled"))
        if not kept and table.values.get("hash_key") != _LOCK:
            yield Mark(table.address, "point_in_time_recovery is not enabled")


def asks_nobody(inventory: Inventory) -> Iterator[Mark]:
    """Shares on which every host that reaches them is root; other stores are told by one attribute."""
    for kind, block in _EXPORTS:
        for share in inventory.of(kind):
            for exports in (one for each in _held(share, block) for one in blocks(each, "nfs_exports")):
                for client in blocks(exports, "client_configurations"):
                    if client.get("clients") == "*" and "no_root_squash" in (client.get("options") or ()):
                        yield Mark(share.address, "nfs_exports has no_root_squash for *: every host is root there")


def _held(share: Resource, block: str) -> tuple[Mapping[str, Any], ...]:
    return blocks(share.values, block) if block else (share.values,)


def backs_up_nothing(inventory: Inventory) -> Iterator[Mark]:
    for plan in inventory.of("aws_backup_plan"):
        if not settings(inventory, plan, "aws_backup_selection", "plan_id"):
            yield Mark(plan.address, "no aws_backup_selection says what it backs up")


def unlocked_vaults(inventory: Inventory) -> Iterator[Mark]:
    for vault in inventory.of("aws_backup_vault"):
        name = str(vault.values.get("name") or "")
        if not settings(inventory, vault, "aws_backup_vault_lock_configuration", "backup_vault_name", name):
            yield Mark(vault.address, "no aws_backup_vault_lock_configuration keeps what is in it")


def _deletable_tables(inventory: Inventory) -> Iterator[Mark]:
    for table in inventory.of("aws_dynamodb_table"):
        if not is_on(table.values.get("deletion_protection_enabled")) and table.values.get("hash_key") != _LOCK:
            yield Mark(table.address, "deletion_protection_enabled is not true")


CHECKS = {
    "CF-DAT-021": asks_nobody,
    "CF-DAT-022": backs_up_nothing,
    "CF-DAT-023": unlocked_vaults,
    "CF-DAT-018": never_mended,
    "CF-DAT-019": no_moment_to_go_back_to,
    "CF-DAT-001": public_database,
    "CF-DAT-002": not_encrypted,
    "CF-DAT-003": plain_connections,
    "CF-DAT-004": no_backups,
    "CF-DAT-005": short_backups,
    "CF-DAT-006": no_standby,
    "CF-DAT-007": one_cache_node,
    "CF-DAT-008": no_snapshots,
    "CF-DAT-012": deletable,
    "CF-DAT-014": nothing_left,
}
