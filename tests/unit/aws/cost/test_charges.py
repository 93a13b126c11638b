"""Charges that are easily passed over: what else AWS bills of a thing, and what it bills of another kind of it."""

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, months, of

from crossfade.aws.resources.resource import Resource

CLUSTER = {"cluster_identifier": ("aws_rds_cluster.c",)}


def by_use(*resources: Resource) -> list[str]:
    return [each.item for each in of(*resources, book=VIRGINIA).lines if each.unsaid]


@pytest.mark.parametrize("kind", ["rds", "docdb", "neptune"])
def test_backups_of_a_cluster_beyond_a_day_are_named(kind: str) -> None:
    """A day of them is free, and what is kept longer is billed by the GB."""
    for days, said in ((7, True), (1, False), (0, False)):
        found = by_use(made(f"aws_{kind}_cluster.c", backup_retention_period=days))
        assert any("backups beyond a day" in item for item in found) is said


@pytest.mark.parametrize(("kind", "storage"), [("rds", "aurora-iopt1"), ("docdb", "iopt1"), ("neptune", "iopt1")])
def test_a_host_with_input_and_output_included_has_a_price_of_its_own(kind: str, storage: str) -> None:
    """About a third more, and by what its cluster says."""
    refers = {"cluster_identifier": (f"aws_{kind}_cluster.c",)}
    host = made(f"aws_{kind}_cluster_instance.i", refers, engine="aurora-mysql", instance_class="db.r6g.large")
    usual, other = (of(host, made(f"aws_{kind}_cluster.c", storage_type=said)) for said in (None, storage))
    assert not [item for item in items(usual) if item.endswith("I/O included")]
    (own,) = (each for each in other.lines if each.item.endswith("I/O included") and each.unit == "hours")
    assert "io-hour" in own.keys[0]


def test_storage_of_a_cluster_that_is_elsewhere_is_named_with_its_host() -> None:
    """Once, also where both are in the plan."""
    host = made("aws_rds_cluster_instance.i", CLUSTER, engine="aurora-mysql", instance_class="db.r6g.large")
    assert "Aurora storage" in by_use(host)
    assert by_use(host, made("aws_rds_cluster.c")).count("Aurora storage") == 1


def test_what_nodes_of_redshift_keep_elsewhere_is_named() -> None:
    """RA3 keeps it in managed storage, older nodes on disks of their own."""
    assert "Redshift managed storage" in by_use(made("aws_redshift_cluster.r", node_type="ra3.4xlarge"))
    assert "Redshift managed storage" not in by_use(made("aws_redshift_cluster.r", node_type="dc2.large"))


def test_warm_storage_of_a_domain_is_named() -> None:
    """Its nodes are billed by the hour, and what they keep by the GB."""
    warm = [{"instance_type": "r6g.large.search", "warm_enabled": True, "warm_type": "ultrawarm1.medium.search"}]
    assert "OpenSearch UltraWarm storage" in by_use(made("aws_opensearch_domain.d", cluster_config=warm))


def test_what_optimised_nodes_of_a_domain_keep_elsewhere_is_named() -> None:
    """Of or1 and its kin, beside their disks; of others there is none."""
    kept = "OpenSearch managed storage"
    optimised, usual = ([{"instance_type": kind}] for kind in ("or1.large.search", "r6g.large.search"))
    assert kept in by_use(made("aws_opensearch_domain.d", cluster_config=optimised))
    assert kept not in by_use(made("aws_opensearch_domain.d", cluster_config=usual))


def test_addresses_of_tunnels_and_accelerators_are_billed() -> None:
    """Two each, but for tunnels over Direct Connect and addresses of one's own."""
    assert line(of(made("aws_vpn_connection.v")), "Public IPv4 addresses").quantity.expected == 2 * 730
    assert line(of(made("aws_globalaccelerator_accelerator.g")), "Public IPv4 addresses").quantity.expected == 2 * 730
    inside = made("aws_vpn_connection.v", outside_ip_address_type="PrivateIpv4")
    own = made("aws_globalaccelerator_accelerator.g", ip_addresses=["198.51.100.1"])
    assert "Public IPv4 addresses" not in items(of(inside, own))


def test_workflows_of_both_kinds_are_billed_by_what_they_count() -> None:
    """Standard ones by their transitions, express ones by requests and by how long they take in which memory."""
    assert by_use(made("aws_sfn_state_machine.s", type="STANDARD")) == ["Workflows, STANDARD"]
    express = by_use(made("aws_sfn_state_machine.s", type="EXPRESS"))
    assert express == ["Workflows, EXPRESS, requests", "Workflows, EXPRESS, duration"]


@pytest.mark.parametrize(
    ("iops", "tiers"),
    [(20_000, [20_000]), (50_000, [32_000, 18_000]), (100_000, [32_000, 32_000, 36_000])],
)
def test_the_more_a_disk_has_the_less_each_costs(iops: int, tiers: list[int]) -> None:
    """io2 has three prices, up to 32,000, up to 64,000 and beyond."""
    found = of(made("aws_ebs_volume.v", type="io2", size=4000, iops=iops), book=VIRGINIA)
    assert [each.quantity.expected for each in found.lines if "IOPS" in each.item] == tiers


def test_requests_of_magnetic_disks_are_named_wherever_they_are() -> None:
    """Also of the root of a host."""
    root = [{"volume_type": "standard", "volume_size": 10}]
    assert "Disks, standard, requests" in by_use(
        made("aws_instance.h", instance_type="m3.medium", root_block_device=root)
    )


def test_spare_capacity_on_arm_has_a_price_of_its_own() -> None:
    """Fargate's spare capacity is cheaper there, too."""
    task = made(
        "aws_ecs_task_definition.t", cpu="1024", memory="2048", runtime_platform=[{"cpu_architecture": "ARM64"}]
    )
    spot = [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]
    service = made(
        "aws_ecs_service.s", {"task_definition": (task.address,)}, desired_count=1, capacity_provider_strategy=spot
    )
    (spare,) = (each for each in of(task, service).lines if "spare capacity" in each.item)
    assert spare.keys == ("fargate.vcpu-hour.spot-arm", "fargate.gb-hour.spot-arm")


def test_a_group_in_units_has_as_many_hosts_as_weigh_that_much() -> None:
    """Of a class that counts as four, ten units are three hosts, and a base of four is one on demand."""
    policy = {
        "instances_distribution": [{"on_demand_base_capacity": 4, "on_demand_percentage_above_base_capacity": 0}],
        "launch_template": [{"override": [{"instance_type": "m5.xlarge", "weighted_capacity": "4"}]}],
    }
    sizes = {"min_size": 10, "desired_capacity": 10, "max_size": 10}
    group = made("aws_autoscaling_group.g", mixed_instances_policy=[policy], **sizes)
    hosts = [each.quantity.expected / 730 for each in of(group, book=VIRGINIA).lines if each.unit == "hours"]
    assert hosts == [1, 2]


@pytest.mark.parametrize(
    ("source", "region", "said"),
    [("arn:aws:rds:us-east-1:1:db:main", "eu-west-1", True), ("arn:aws:rds:eu-west-1:1:db:main", "eu-west-1", False)],
)
def test_what_a_replica_is_sent_from_another_region_is_named(source: str, region: str, *, said: bool) -> None:
    """Billed by the GB that leaves the primary's region."""
    values = {"instance_class": "db.r6g.large", "replicate_source_db": source, "allocated_storage": 20}
    copy = Resource(address="aws_db_instance.copy", type="aws_db_instance", values=values, region=region)
    assert any(item.startswith("Copied from another region") for item in items(of(copy))) is said


@pytest.mark.parametrize("kind", ["A", "CNAME", "TXT", "MX"])
def test_queries_of_every_kind_of_record_are_billed(kind: str) -> None:
    """But for those that only show whose a name is, and those between servers of names."""
    assert months(of(made("aws_route53_record.r", type=kind)), "DNS queries")[1] == "0.40"


def test_queries_that_cost_more_are_not_among_the_others() -> None:
    """A record by latency has a line of its own, whose price nobody here knows."""
    record = made("aws_route53_record.r", type="A", latency_routing_policy=[{"region": "us-east-1"}])
    assert items(of(record)) == ["aws_route53_record, latency_routing_policy"]


def test_logs_of_another_class_are_not_among_the_others() -> None:
    """Coming in they cost half of the usual price, which no line may name for them."""
    rare = made("aws_cloudwatch_log_group.g", log_group_class="INFREQUENT_ACCESS")
    assert items(of(rare)) == ["aws_cloudwatch_log_group, log_group_class"]


def test_a_cluster_of_three_zones_that_is_no_aurora_has_none_of_its_prices() -> None:
    """Its hosts and disks are unknown, and backups as large as it is are free."""
    found = of(
        made("aws_rds_cluster.c", engine="mysql", db_cluster_instance_class="db.m5d.large", backup_retention_period=7),
        book=VIRGINIA,
    )
    assert not [each for each in items(found) if "Aurora" in each]
    assert line(found, "Database backups beyond its own size").keys == ("rds.backup-gb-month",)


def test_a_copy_has_what_is_provisioned_for_what_it_copies() -> None:
    """RDS makes it alike, but for what it says itself; a disk of another kind has nothing of the first."""
    values = {"engine": "mysql", "instance_class": "db.m5.large", "allocated_storage": 400}
    primary = made("aws_db_instance.p", **values, storage_type="gp3", iops=13_000, storage_throughput=600)
    copy = made("aws_db_instance.r", {"replicate_source_db": (primary.address,)}, instance_class="db.m5.large")
    found = of(primary, copy, book=VIRGINIA)
    assert line(found, "Read replica disk, gp3, IOPS").quantity.expected == 1000
    assert line(found, "Read replica disk, gp3, throughput").quantity.expected == 100
    other = made(copy.address, dict(copy.refers), instance_class="db.m5.large", storage_type="gp2")
    assert "Read replica disk, gp3, IOPS" not in items(of(primary, other))


def test_rabbitmq_keeps_its_messages_on_disks() -> None:
    """It has no other storage, whether or not a plan knows of it; ActiveMQ has EFS unless it says otherwise."""
    for engine, key in (("RabbitMQ", "mq.gb-month.RabbitMQ.ebs"), ("ActiveMQ", "mq.gb-month.ActiveMQ.efs")):
        broker = made("aws_mq_broker.b", engine_type=engine, host_instance_type="mq.m5.large")
        assert line(of(broker, book=VIRGINIA), "Broker storage").keys == (key,)


def test_records_that_nobody_visits_by_bring_no_queries() -> None:
    """Of certificates, and of servers of names."""
    proof = made("aws_route53_record.v", {"name": ("aws_acm_certificate.c",)}, type="CNAME")
    assert "DNS queries" not in items(of(proof, made("aws_route53_record.n", type="NS")))


@pytest.mark.parametrize(
    ("writer", "writes"),
    [
        (made("aws_lambda_function.f"), True),
        (made("aws_codebuild_project.b"), True),
        (made("aws_codebuild_project.b", logs_config=[{"cloudwatch_logs": [{"status": "DISABLED"}]}]), False),
        (made("aws_flow_log.l"), True),
        (made("aws_flow_log.l", log_destination_type="s3"), False),
        (
            made("aws_db_instance.d", instance_class="db.r6g.large", enabled_cloudwatch_logs_exports=["postgresql"]),
            True,
        ),
        (made("aws_db_instance.d", instance_class="db.r6g.large"), False),
        (
            made("aws_ecs_task_definition.t", container_definitions='[{"logConfiguration":{"logDriver":"awslogs"}}]'),
            True,
        ),
        (made("aws_wafv2_web_acl_logging_configuration.w", log_destination_configs=["arn:aws:s3:::logs"]), False),
        (made("aws_api_gateway_method_settings.m", settings=[{"logging_level": "INFO"}]), True),
        (made("aws_api_gateway_method_settings.m", settings=[{"logging_level": "OFF"}]), False),
        (made("aws_iot_logging_options.i", default_log_level="DISABLED"), False),
        (made("aws_transfer_server.t", structured_log_destinations=["arn:aws:logs:us-east-1:1:log-group:g:*"]), True),
    ],
)
def test_logs_without_a_group_in_the_plan_are_named(writer: Resource, *, writes: bool) -> None:
    """AWS makes the group, or it is there already; with a group in the plan its lines stand for all."""
    assert ("Logs, coming in" in by_use(writer)) is writes
    assert "Logs, coming in" not in by_use(writer, made("aws_cloudwatch_log_group.g", retention_in_days=30))


@pytest.mark.parametrize(
    ("resource", "item"),
    [
        (made("aws_backup_plan.p"), "aws_backup_plan"),
        (made("aws_ecr_pull_through_cache_rule.r"), "aws_ecr_pull_through_cache_rule"),
        (
            made("aws_dlm_lifecycle_policy.d", policy_details=[{"schedule": [{"fast_restore_rule": [{"count": 1}]}]}]),
            "aws_dlm_lifecycle_policy, policy_details.schedule.fast_restore_rule",
        ),
    ],
)
def test_what_others_keep_on_ones_behalf_is_unknown(resource: Resource, item: str) -> None:
    """Backups in a vault that is elsewhere, images that are fetched, snapshots that are kept warm."""
    assert item in [each.item for each in of(resource).unknown]


def test_what_somebody_does_is_told_by_service() -> None:
    """Of what is there, once, and nothing where nothing is."""
    found = of(made("aws_s3_bucket.a"), made("aws_s3_bucket.b"), made("aws_dynamodb_table.t"))
    assert [each.partition(":")[0] for each in found.acts] == ["Amazon S3", "Amazon DynamoDB"]
    assert of(made("aws_vpc.v")).acts == ()


def test_bursts_are_those_of_the_class_that_is_started() -> None:
    """Of nodes that name none, and of the first class of a policy, whatever its template has."""
    bursts = "CPU beyond what hosts earn"
    assert bursts in by_use(
        made("aws_eks_node_group.n", scaling_config=[{"min_size": 1, "desired_size": 1, "max_size": 1}])
    )
    policy = [{"launch_template": [{"override": [{"instance_type": "t3.large"}]}]}]
    template = made("aws_launch_template.t", instance_type="m5.large")
    refers = {"mixed_instances_policy.launch_template": (template.address,)}
    group = made("aws_autoscaling_group.g", refers, mixed_instances_policy=policy, min_size=1, max_size=1)
    assert bursts in by_use(group, template)


def test_nodes_with_windows_have_larger_disks() -> None:
    """50 GB unless somebody says otherwise, and 20 with Linux."""
    sizes = [{"min_size": 1, "desired_size": 1, "max_size": 1}]
    for kind, size in (("WINDOWS_CORE_2022_x86_64", 50), ("AL2023_x86_64_STANDARD", 20)):
        nodes = made("aws_eks_node_group.n", scaling_config=sizes, ami_type=kind)
        assert line(of(nodes), "Disks, gp2").quantity.expected == size


def test_input_and_output_that_is_included_is_no_line() -> None:
    """And the storage has a price of its own."""
    other = by_use(made("aws_rds_cluster.c", storage_type="aurora-iopt1"))
    assert other == ["Aurora storage, I/O included"]


def test_a_stream_on_demand_has_no_shards_and_no_puts() -> None:
    """It is billed by the hour, and by the GB that comes in and goes out."""
    demand = of(made("aws_kinesis_stream.s", stream_mode_details=[{"stream_mode": "ON_DEMAND"}]), book=VIRGINIA)
    assert months(demand, "Streams on demand") == ("29.20",) * 3
    assert items(demand)[1:] == ["Streams on demand, data ingested", "Streams on demand, data retrieved"]
    assert by_use(made("aws_kinesis_stream.s", shard_count=1)) == ["Records put"]


@pytest.mark.parametrize(("spec", "dear"), [("RSA_3072", True), ("ECC_NIST_P256", True), ("RSA_2048", False)])
def test_requests_for_some_kinds_of_keys_are_dear(spec: str, *, dear: bool) -> None:
    """Five times as dear as for symmetric keys."""
    found = [each.item for each in of(made("aws_kms_key.k", customer_master_key_spec=spec)).unknown]
    assert ("aws_kms_key, customer_master_key_spec" in found) is dear


def test_data_through_endpoints_of_gateway_load_balancers_has_a_price_of_its_own() -> None:
    """About a third of what data through others costs."""
    kinds = {kind: made("aws_vpc_endpoint.e", vpc_endpoint_type=kind) for kind in ("Interface", "GatewayLoadBalancer")}
    assert by_use(kinds["Interface"]) == ["Endpoints, data"]
    assert by_use(kinds["GatewayLoadBalancer"]) == ["Endpoints, GatewayLoadBalancer, data"]
    assert by_use(made("aws_vpc_endpoint.e", vpc_endpoint_type="Gateway")) == []
