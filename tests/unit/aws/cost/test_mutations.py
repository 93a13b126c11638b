"""Each attribute that a charge reads, changed alone: the bill changes, or says why not."""

from typing import Any

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, made, of

from crossfade.aws.resources.resource import Resource

BASE: dict[str, dict[str, Any]] = {
    "aws_instance": {"instance_type": "m5.large", "root_block_device": [{"volume_size": 20, "volume_type": "gp3"}]},
    "aws_ebs_volume": {"size": 100, "type": "gp3", "iops": 4000, "throughput": 200},
    "aws_db_instance": {
        "engine": "postgres",
        "engine_version": "17",
        "instance_class": "db.t4g.micro",
        "allocated_storage": 400,
        "storage_type": "gp3",
    },
    "aws_elasticache_replication_group": {"engine": "redis", "node_type": "cache.t3.micro", "num_cache_clusters": 1},
    "aws_elasticache_cluster": {"engine": "redis", "node_type": "cache.t3.micro", "num_cache_nodes": 1},
    "aws_dynamodb_table": {"billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 5},
    "aws_lb": {"load_balancer_type": "application", "internal": False},
    "aws_elb": {"internal": False},
    "aws_codebuild_project": {"environment": [{"compute_type": "BUILD_GENERAL1_SMALL", "type": "LINUX_CONTAINER"}]},
    "aws_codepipeline": {"pipeline_type": "V1"},
    "aws_eks_node_group": {
        "instance_types": ["m5.large"],
        "disk_size": 20,
        "scaling_config": [{"min_size": 1, "desired_size": 2, "max_size": 3}],
    },
    "aws_cloudwatch_metric_alarm": {"period": 300},
    "aws_cloudwatch_log_group": {"retention_in_days": 30},
    "aws_vpc_endpoint": {"vpc_endpoint_type": "Interface", "subnet_ids": ["a"]},
    "aws_eip": {"public_ipv4_pool": "amazon"},
    "aws_nat_gateway": {},
    "aws_secretsmanager_secret": {},
    "aws_msk_cluster": {
        "number_of_broker_nodes": 3,
        "broker_node_group_info": [{"instance_type": "kafka.t3.small"}],
    },
    "aws_mq_broker": {"engine_type": "ActiveMQ", "host_instance_type": "mq.t2.micro"},
    "aws_kinesis_stream": {"shard_count": 2},
    "aws_opensearch_domain": {"cluster_config": [{"instance_type": "c4.2xlarge.search", "instance_count": 2}]},
    "aws_networkfirewall_firewall": {"subnet_mapping": [{"subnet_id": "a"}]},
    "aws_wafv2_web_acl": {"rule": [{"name": "a"}]},
    "aws_transfer_server": {"protocols": ["SFTP"]},
    "aws_efs_file_system": {},
    "aws_redshift_cluster": {"node_type": "dc2.large", "number_of_nodes": 2},
    "aws_route53_record": {"type": "A"},
}
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("aws_instance", {"instance_type": "m5.xlarge"}),
    ("aws_instance", {"root_block_device": [{"volume_size": 21, "volume_type": "gp3"}]}),
    ("aws_instance", {"root_block_device": [{"volume_size": 20, "volume_type": "io2"}]}),
    ("aws_instance", {"root_block_device": [{"volume_size": 20, "volume_type": "gp3", "iops": 5000}]}),
    ("aws_instance", {"root_block_device": [{"volume_size": 20, "volume_type": "gp3", "throughput": 300}]}),
    ("aws_instance", {"ebs_block_device": [{"device_name": "/dev/sdf", "volume_size": 5}]}),
    ("aws_instance", {"instance_market_options": [{"market_type": "spot"}]}),
    *(("aws_instance", {"tenancy": kind}) for kind in ("dedicated", "host")),
    ("aws_instance", {"monitoring": True}),
    ("aws_instance", {"associate_public_ip_address": False}),
    *(("aws_ebs_volume", change) for change in ({"size": 101}, {"type": "io1"}, {"iops": 4001}, {"throughput": 201})),
    ("aws_db_instance", {"engine": "mysql"}),
    ("aws_db_instance", {"engine_version": "13"}),
    ("aws_db_instance", {"instance_class": "db.t4g.small"}),
    ("aws_db_instance", {"allocated_storage": 401}),
    ("aws_db_instance", {"max_allocated_storage": 800}),
    ("aws_db_instance", {"storage_type": "io1"}),
    ("aws_db_instance", {"iops": 13_000}),
    ("aws_db_instance", {"storage_throughput": 600}),
    ("aws_db_instance", {"multi_az": True}),
    ("aws_db_instance", {"publicly_accessible": True}),
    ("aws_db_instance", {"manage_master_user_password": True}),
    ("aws_elasticache_replication_group", {"node_type": "cache.t3.small"}),
    ("aws_elasticache_replication_group", {"num_cache_clusters": 2}),
    ("aws_elasticache_replication_group", {"num_cache_clusters": None, "num_node_groups": 3}),
    ("aws_elasticache_replication_group", {"num_cache_clusters": None, "replicas_per_node_group": 2}),
    ("aws_elasticache_replication_group", {"engine": "valkey"}),
    ("aws_elasticache_replication_group", {"engine_version": "5.0.6"}),
    ("aws_elasticache_replication_group", {"snapshot_retention_limit": 7}),
    ("aws_elasticache_cluster", {"num_cache_nodes": 3}),
    ("aws_elasticache_cluster", {"engine": "memcached"}),
    ("aws_dynamodb_table", {"read_capacity": 6}),
    ("aws_dynamodb_table", {"write_capacity": 6}),
    ("aws_dynamodb_table", {"billing_mode": "PAY_PER_REQUEST"}),
    ("aws_dynamodb_table", {"table_class": "STANDARD_INFREQUENT_ACCESS"}),
    ("aws_dynamodb_table", {"point_in_time_recovery": [{"enabled": True}]}),
    ("aws_dynamodb_table", {"global_secondary_index": [{"name": "x", "read_capacity": 1}]}),
    ("aws_lb", {"load_balancer_type": "network"}),
    ("aws_lb", {"internal": True}),
    ("aws_lb", {"ip_address_type": "dualstack-without-public-ipv4"}),
    ("aws_lb", {"subnets": ["a", "b", "c"]}),
    ("aws_elb", {"internal": True}),
    ("aws_codebuild_project", {"environment": [{"compute_type": "BUILD_GENERAL1_LARGE", "type": "LINUX_CONTAINER"}]}),
    ("aws_codebuild_project", {"environment": [{"compute_type": "BUILD_GENERAL1_SMALL", "type": "ARM_CONTAINER"}]}),
    ("aws_codepipeline", {"pipeline_type": "V2"}),
    ("aws_eks_node_group", {"instance_types": ["m5.xlarge"]}),
    ("aws_eks_node_group", {"capacity_type": "SPOT"}),
    ("aws_eks_node_group", {"disk_size": 50}),
    ("aws_eks_node_group", {"ami_type": "WINDOWS_CORE_2022_x86_64"}),
    ("aws_eks_node_group", {"scaling_config": [{"min_size": 1, "desired_size": 3, "max_size": 3}]}),
    ("aws_cloudwatch_metric_alarm", {"period": 10}),
    ("aws_cloudwatch_metric_alarm", {"metric_query": [{"metric": [{"period": 60}]}, {"metric": [{"period": 60}]}]}),
    ("aws_cloudwatch_log_group", {"retention_in_days": 90}),
    ("aws_vpc_endpoint", {"vpc_endpoint_type": "Gateway"}),
    ("aws_vpc_endpoint", {"subnet_ids": ["a", "b"]}),
    ("aws_eip", {"public_ipv4_pool": "ipv4pool-ec2-1"}),
    ("aws_nat_gateway", {"allocation_id": "eipalloc-1"}),
    ("aws_secretsmanager_secret", {"replica": [{"region": "eu-west-1"}]}),
    ("aws_msk_cluster", {"number_of_broker_nodes": 6}),
    ("aws_mq_broker", {"deployment_mode": "ACTIVE_STANDBY_MULTI_AZ"}),
    ("aws_mq_broker", {"publicly_accessible": True}),
    ("aws_kinesis_stream", {"shard_count": 3}),
    ("aws_opensearch_domain", {"cluster_config": [{"instance_type": "c4.2xlarge.search", "instance_count": 3}]}),
    ("aws_opensearch_domain", {"ebs_options": [{"ebs_enabled": True, "volume_size": 50}]}),
    ("aws_networkfirewall_firewall", {"subnet_mapping": [{"subnet_id": "a"}, {"subnet_id": "b"}]}),
    ("aws_wafv2_web_acl", {"rule": [{"name": "a"}, {"name": "b"}]}),
    ("aws_transfer_server", {"protocols": ["SFTP", "FTPS"]}),
    ("aws_efs_file_system", {"provisioned_throughput_in_mibps": 10}),
    ("aws_redshift_cluster", {"number_of_nodes": 3}),
    ("aws_route53_record", {"alias": [{"name": "x"}]}),
]


def billed(resource: Resource) -> list[tuple[object, ...]]:
    """All that a bill says about one resource."""
    return [(line.item, line.quantity, line.keys, line.monthly) for line in of(resource, book=VIRGINIA).lines]


@pytest.mark.parametrize(
    ("kind", "change"), CHANGES, ids=lambda each: each if isinstance(each, str) else "-".join(each)
)
def test_an_attribute_that_is_charged_changes_the_bill(kind: str, change: dict[str, Any]) -> None:
    """One attribute more or different is another quantity, another price, or another line."""
    changed = {key: value for key, value in {**BASE[kind], **change}.items() if value is not None}
    assert billed(made(f"{kind}.x", **BASE[kind])) != billed(made(f"{kind}.x", **changed))
