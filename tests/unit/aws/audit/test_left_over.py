"""What is there when something fails: backups, what failed itself, and logs of who asked."""

from typing import Any

import pytest
from tests.unit.aws.audit.test_kinds import found, made

QUEUE, STREAM, MAPPING = "aws_sqs_queue.q", "aws_kinesis_stream.s", "aws_lambda_event_source_mapping.m"
FROM_QUEUE, FROM_STREAM = {"event_source_arn": (QUEUE,)}, {"event_source_arn": (STREAM,)}


@pytest.mark.parametrize(
    ("queue", "beside", "again"),
    [
        ({}, (made(MAPPING, FROM_QUEUE),), True),
        ({"redrive_policy": "{}"}, (made(MAPPING, FROM_QUEUE),), False),
        ({}, (made(MAPPING, FROM_QUEUE), made("aws_sqs_queue_redrive_policy.r", {"queue_url": (QUEUE,)})), False),
        ({}, (), False),
    ],
)
def test_a_message_that_fails_is_put_aside(queue: Any, beside: Any, *, again: bool) -> None:
    """By the queue that a function reads; what nobody reads by a mapping is its reader's own affair."""
    assert (("CF-AVL-011", QUEUE) in found(made(QUEUE, **queue), *beside)) is again


@pytest.mark.parametrize(
    ("values", "again"),
    [
        ({}, True),
        ({"maximum_retry_attempts": -1, "maximum_record_age_in_seconds": -1}, True),
        ({"maximum_retry_attempts": 3}, False),
        ({"maximum_record_age_in_seconds": 3600}, False),
    ],
)
def test_a_record_that_fails_does_not_hold_up_its_stream(values: Any, *, again: bool) -> None:
    """After some tries, or some time."""
    assert (("CF-AVL-011", MAPPING) in found(made(STREAM), made(MAPPING, FROM_STREAM, **values))) is again


def test_a_plan_of_backups_says_what_of() -> None:
    """By a selection of its own, or one of which the plan does not say whose it is."""
    plan, selection = "aws_backup_plan.p", "aws_backup_selection.s"
    assert ("CF-DAT-022", plan) in found(made(plan))
    assert ("CF-DAT-022", plan) in found(made(plan), made(selection, {"plan_id": ("aws_backup_plan.other",)}))
    assert ("CF-DAT-022", plan) not in found(made(plan), made(selection, {"plan_id": (plan,)}))


def test_a_vault_is_locked_by_its_name() -> None:
    """Or by what refers to it."""
    vault, lock = "aws_backup_vault.v", "aws_backup_vault_lock_configuration.l"
    assert ("CF-DAT-023", vault) in found(made(vault, name="kept"))
    assert ("CF-DAT-023", vault) not in found(made(vault, name="kept"), made(lock, backup_vault_name="kept"))
    assert ("CF-DAT-023", vault) not in found(made(vault), made(lock, {"backup_vault_name": (vault,)}))


def test_a_warehouse_logs_by_a_resource_or_a_block() -> None:
    """The block of older providers counts as well."""
    warehouse, logging = "aws_redshift_cluster.w", "aws_redshift_logging.l"
    rule = ("CF-OBS-009", warehouse)
    assert rule in found(made(warehouse))
    assert rule in found(made(warehouse, logging=[{"enable": False}]))
    assert rule not in found(made(warehouse, logging=[{"enable": True}]))
    assert rule not in found(made(warehouse), made(logging, {"cluster_identifier": (warehouse,)}))


@pytest.mark.parametrize(
    ("client", "root"),
    [
        ({"clients": "*", "options": ["rw", "no_root_squash"]}, True),
        ({"clients": "*", "options": ["ro", "root_squash"]}, False),
        ({"clients": "10.0.1.0/24", "options": ["rw", "no_root_squash"]}, False),
    ],
)
def test_a_share_on_which_every_host_is_root(client: Any, *, root: bool) -> None:
    """Of the file system and of a volume in it."""
    exports = [{"client_configurations": [client]}]
    system, volume = "aws_fsx_openzfs_file_system.s", "aws_fsx_openzfs_volume.v"
    both = found(made(system, root_volume_configuration=[{"nfs_exports": exports}]), made(volume, nfs_exports=exports))
    assert {("CF-DAT-021", system), ("CF-DAT-021", volume)} <= both or not root
    assert root or both.isdisjoint({("CF-DAT-021", system), ("CF-DAT-021", volume)})


@pytest.mark.parametrize("port", [635, 988, 8088, 8182, 9096, 61617])
def test_ports_of_stores_and_shares_are_known(port: int) -> None:
    """NFS, Lustre, YARN, Neptune, Kafka and ActiveMQ: over TLS they are as open as without."""
    opened = {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": port, "to_port": port}
    rule = made("aws_vpc_security_group_ingress_rule.r", **opened)
    assert ("CF-NET-003", rule.address) in found(rule)
    assert ("CF-NET-004", rule.address) not in found(rule)


def test_a_firewall_writes_down_what_it_stopped() -> None:
    """By a configuration that is its own."""
    wall, logs = "aws_networkfirewall_firewall.f", "aws_networkfirewall_logging_configuration.l"
    assert ("CF-NET-008", wall) in found(made(wall))
    assert ("CF-NET-008", wall) not in found(made(wall), made(logs, {"firewall_arn": (wall,)}))


def test_a_database_of_sql_server_takes_plain_connections_unless_told() -> None:
    """As PostgreSQL does, by the same name, in every edition and version."""
    name, group = "aws_db_instance.d", "aws_db_parameter_group.g"
    told = made(group, parameter=[{"name": "rds.force_ssl", "value": "1"}])
    database = {"engine": "sqlserver-se", "engine_version": "16.00"}
    assert ("CF-DAT-003", name) in found(made(name, **database))
    assert ("CF-DAT-003", name) not in found(made(name, {"parameter_group_name": (group,)}, **database), told)
