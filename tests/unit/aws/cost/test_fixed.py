"""Fixed charges that are easily left out: disks, tenancy, addresses, provisioned capacity, old versions."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, months, of

from crossfade.aws.cost.bill.charges.support import cores
from crossfade.aws.resources.resource import Resource
from crossfade.aws.resources.support import support

MIXED = "mixed_instances_policy"
SPECIFIED = f"{MIXED}.launch_template.launch_template_specification.launch_template_id"


def quantity(found: Any, item: str) -> Decimal:
    return line(found, item).quantity.expected


def group(template: Resource, count: int, key: str = "launch_template.id", **values: Any) -> Resource:
    return made("aws_autoscaling_group.g", {key: (template.address,)}, min_size=count, max_size=count, **values)


def task(cpu: object, memory: object, **values: Any) -> Resource:
    values = {"requires_compatibilities": ["FARGATE"]} | values
    return made("aws_ecs_task_definition.t", cpu=cpu, memory=memory, **values)


def service(of_task: Resource, **values: Any) -> Resource:
    return made("aws_ecs_service.s", {"task_definition": (of_task.address,)}, **values)


def test_a_launch_configurations_disks_are_its_hosts() -> None:
    """Two hosts with 100 GB and a further disk of 50 GB each have 300 GB."""
    template = made(
        "aws_launch_configuration.c",
        instance_type="t3.micro",
        root_block_device=[{"volume_size": 100}],
        ebs_block_device=[{"device_name": "/dev/sdf", "volume_size": 50}],
    )
    assert quantity(of(template, group(template, 2, "launch_configuration")), "Disks, gp2") == 300


@pytest.mark.parametrize(
    ("mappings", "size"),
    [
        ([], 16),
        ([{"device_name": "/dev/sdf", "ebs": [{"volume_size": 50}]}], 116),
        ([{"device_name": "/dev/xvda", "ebs": [{"volume_size": 30}]}], 60),
        ([{"device_name": "/dev/sdb", "virtual_name": "ephemeral0"}], 16),
        ([{"device_name": "/dev/xvda", "ebs": [{"encrypted": "true"}]}], 16),
    ],
)
def test_a_host_has_a_root_disk_whatever_its_template_leaves_out(mappings: list[Any], size: int) -> None:
    """What a template does not say of the root disk is the image's, and the note says that it is assumed."""
    template = made("aws_launch_template.t", instance_type="t3.micro", block_device_mappings=mappings)
    found = of(template, group(template, 2))
    assert quantity(found, "Disks, gp2") == size
    assert ("assumed to be 8 GB" in line(found, "Disks, gp2").note) == (size != 60)


@pytest.mark.parametrize(
    ("disk", "keys"),
    [
        (
            {"type": "gp3", "iops": 16_000, "throughput": 1000},
            {"ebs.iops-month.gp3": 13_000, "ebs.mbps-month.gp3": 875},
        ),
        ({"type": "gp3", "iops": 3000, "throughput": 125}, {}),
        ({"type": "io1", "iops": 500}, {"ebs.iops-month.io1": 500}),
        ({"type": "io2", "iops": 40_000}, {"ebs.iops-month.io2": 32_000, "ebs.iops-month.io2-beyond": 8000}),
    ],
)
def test_what_is_provisioned_beyond_a_disk_is_billed(disk: dict[str, Any], keys: dict[str, int]) -> None:
    """gp3 has 3,000 IOPS and 125 MB/s by itself, io1 and io2 none."""
    found = of(made("aws_ebs_volume.v", size=100, **disk))
    assert {each.keys[0]: each.quantity.expected for each in found.lines[1:]} == keys


@pytest.mark.parametrize(
    ("engine", "size", "disk", "iops", "billed"),
    [
        ("postgres", 400, "gp3", 14_000, 2000),
        ("postgres", 400, "gp3", 12_000, 0),
        ("oracle-se2", 200, "gp3", 13_000, 1000),
        ("sqlserver-se", 400, "gp3", 4000, 1000),
        ("mysql", 100, "io1", 1000, 1000),
    ],
)
def test_a_databases_iops_are_billed(engine: str, size: int, disk: str, iops: int, billed: int) -> None:
    """gp3 of 400 GB has 12,000 IOPS by itself, with Oracle from 200 GB on, with SQL Server never; io1 has none."""
    database = {"engine": engine, "instance_class": "db.m5.large", "allocated_storage": size, "storage_type": disk}
    found = of(made("aws_db_instance.d", iops=iops, **database))
    assert sum(each.quantity.expected for each in found.lines if "iops-month" in each.keys[0]) == billed


def test_spare_capacity_is_no_price_of_ours() -> None:
    """A host on spare capacity is unknown and says why; detailed metrics and dedicated hardware are said."""
    market = [{"market_type": "spot"}]
    found = of(made("aws_instance.i", instance_type="m5.large", monitoring=True, instance_market_options=market))
    assert line(found, "Host i, m5.large, spare capacity").price is None
    assert quantity(found, "Detailed metrics of hosts") == 7
    found = of(made("aws_instance.i", instance_type="m5.large", tenancy="dedicated"))
    assert line(found, "Host i, m5.large, dedicated").keys == ("ec2.dedicated-hour.m5.large",)


@pytest.mark.parametrize(
    ("base", "percent", "on_demand", "spare"),
    [(0, 0, 0, 4), (1, 0, 1, 3), (0, 50, 2, 2), (1, 50, 3, 1), (None, None, 4, 0)],
)
def test_a_mixed_group_takes_its_overrides(base: Any, percent: Any, on_demand: int, spare: int) -> None:
    """The first class of the overrides counts; above the base a share, rounded up, is on demand."""
    template = made("aws_launch_template.t", instance_type="t3.micro")
    spread = {"on_demand_base_capacity": base, "on_demand_percentage_above_base_capacity": percent}
    override = [{"override": [{"instance_type": "t3.medium"}]}]
    policy = [{"instances_distribution": [spread], "launch_template": override}]
    found = of(template, group(template, 4, SPECIFIED, mixed_instances_policy=policy))
    counts = {each.item: each.quantity.expected / 730 for each in found.lines if each.item.startswith("Hosts")}
    expected = {"Hosts g, t3.medium": on_demand, "Hosts g, t3.medium, spare capacity": spare}
    assert counts == {item: count for item, count in expected.items() if count}


def test_classes_chosen_by_what_they_have_are_unknown() -> None:
    """A group that lets AWS choose by cores and memory has no known price."""
    template = made("aws_launch_template.t", instance_type="t3.micro")
    needs = [{"override": [{"instance_requirements": [{"vcpu_count": [{"min": 2}]}]}]}]
    found = of(template, group(template, 1, SPECIFIED, mixed_instances_policy=[{"launch_template": needs}]))
    assert line(found, "Hosts g, of an unknown class").price is None


@pytest.mark.parametrize(
    ("cpu", "memory", "item"),
    [
        ("1 vCPU", "2 GB", "Fargate s, 1 vCPU 2 GB"),
        (".5 vCPU", "1GB", "Fargate s, 0.5 vCPU 1 GB"),
        ("1024", 2048, "Fargate s, 1 vCPU 2 GB"),
        ("0.25 vcpu", "0.5 gb", "Fargate s, 0.25 vCPU 0.5 GB"),
        ("many", "2048", "Fargate s, of an unknown size"),
    ],
)
def test_sizes_of_tasks_are_read_in_both_units(cpu: object, memory: object, item: str) -> None:
    """ECS takes units and words."""
    mine = task(cpu, memory)
    assert item in items(of(mine, service(mine, launch_type="FARGATE")))


@pytest.mark.parametrize(
    ("values", "compatible", "billed"),
    [
        ({}, [], False),
        ({}, ["EC2", "FARGATE"], False),
        ({}, ["FARGATE"], True),
        ({"launch_type": "FARGATE"}, [], True),
        ({"launch_type": "EC2"}, ["FARGATE"], False),
        ({"launch_type": "FARGATE", "scheduling_strategy": "DAEMON"}, ["FARGATE"], False),
        ({"capacity_provider_strategy": [{"capacity_provider": "mine", "weight": 1}]}, ["FARGATE"], False),
    ],
)
def test_tasks_on_hosts_cost_nothing_beside_the_hosts(values: Any, compatible: list[str], *, billed: bool) -> None:
    """Without a launch type ECS takes EC2, unless the task can run on Fargate only."""
    mine = task("512", "1024", requires_compatibilities=compatible)
    assert bool(of(mine, service(mine, **values)).lines) == billed


def test_a_clusters_own_strategy_counts() -> None:
    """A service that says nothing runs where its cluster's default says."""
    mine, cluster = task("512", "1024", requires_compatibilities=["EC2", "FARGATE"]), made("aws_ecs_cluster.c")
    strategy = [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]
    providers = made(
        "aws_ecs_cluster_capacity_providers.p",
        {"cluster_name": (cluster.address,)},
        default_capacity_provider_strategy=strategy,
    )
    runs = made("aws_ecs_service.s", {"task_definition": (mine.address,), "cluster": (cluster.address,)})
    assert items(of(mine, cluster, providers, runs)) == ["Fargate s, spare capacity, 0.5 vCPU 1 GB"]
    told = made(runs.address, dict(runs.refers), launch_type="FARGATE")
    assert items(of(mine, cluster, providers, told)) == ["Fargate s, 0.5 vCPU 1 GB"]


@pytest.mark.parametrize(
    ("strategy", "on_demand", "spare"),
    [
        ([("mine", 0, 3), ("FARGATE", 0, 1)], 2, 0),
        ([("FARGATE", 0, 1), ("FARGATE_SPOT", 4, 1)], 2, 6),
        ([("mine", 2, 1), ("FARGATE_SPOT", 0, 1)], 0, 3),
        ([("FARGATE", 2, 0), ("mine", 0, 1)], 2, 0),
    ],
)
def test_tasks_are_spread_by_base_and_weight(strategy: list[Any], on_demand: int, spare: int) -> None:
    """Of eight. Those that land on hosts of the cluster's own are billed by the hosts."""
    mine = task("512", "1024", requires_compatibilities=["EC2", "FARGATE"])
    parts = [dict(zip(("capacity_provider", "base", "weight"), each, strict=True)) for each in strategy]
    found = of(mine, service(mine, desired_count=8, capacity_provider_strategy=parts))
    tasks = {each.item: each.quantity.expected / 730 for each in found.lines}
    named = {"Fargate s, 0.5 vCPU 1 GB": on_demand, "Fargate s, spare capacity, 0.5 vCPU 1 GB": spare}
    assert tasks == {item: count for item, count in named.items() if count}


def test_the_disk_of_a_task_beyond_20_gb_is_billed() -> None:
    """Ten tasks with 200 GB each pay for 1,800 GB by the hour."""
    mine = task(256, 512, ephemeral_storage=[{"size_in_gib": 200}])
    found = of(mine, service(mine, desired_count=10, launch_type="FARGATE"))
    assert quantity(found, "Fargate, temporary disks") == 1800 * 730


@pytest.mark.parametrize(
    ("resources", "addresses"),
    [
        ([made("aws_instance.w", associate_public_ip_address=True)], 1),
        (
            [
                made("aws_instance.w", associate_public_ip_address=True),
                made("aws_eip.w", {"instance": ("aws_instance.w",)}),
            ],
            1,
        ),
        (
            [
                made("aws_instance.w", associate_public_ip_address=True),
                made("aws_eip.w"),
                made("aws_eip_association.w", {"instance_id": ("aws_instance.w",), "allocation_id": ("aws_eip.w",)}),
            ],
            1,
        ),
        ([made("aws_lb.n", load_balancer_type="network", subnet_mapping=[{"allocation_id": "eipalloc-1"}])], 1),
        (
            [
                made("aws_eip.n"),
                made(
                    "aws_lb.n",
                    {"subnet_mapping.allocation_id": ("aws_eip.n",)},
                    load_balancer_type="network",
                    subnet_mapping=[{"subnet_id": "subnet-1"}],
                ),
            ],
            1,
        ),
        ([made("aws_lb.g", load_balancer_type="gateway")], 0),
        ([made("aws_lb.v6", ip_address_type="dualstack-without-public-ipv4")], 0),
        ([made("aws_nat_gateway.n", allocation_id="eipalloc-1")], 1),
        ([made("aws_eip.own", public_ipv4_pool="ipv4pool-ec2-1")], 0),
        ([made("aws_db_instance.d", publicly_accessible=True)], 1),
    ],
)
def test_an_address_is_counted_once(resources: list[Resource], addresses: int) -> None:
    """An elastic address takes the place of what holds it; addresses that somebody brings cost nothing."""
    found = of(*resources)
    hours = [each.quantity.expected for each in found.lines if each.item == "Public IPv4 addresses"]
    assert sum(hours) == addresses * 730


def test_provisioned_tables_are_fixed_charges() -> None:
    """Capacity of a table and of its indexes is billed by the hour, between the bounds of its scaling."""
    index = [{"name": "by-time", "read_capacity": 10, "write_capacity": 5}]
    table = made("aws_dynamodb_table.t", name="t", read_capacity=100, write_capacity=50, global_secondary_index=index)
    scaling = made(
        "aws_appautoscaling_target.t",
        resource_id="table/t",
        scalable_dimension="dynamodb:table:ReadCapacityUnits",
        min_capacity=100,
        max_capacity=400,
    )
    found = of(table, scaling)
    read = line(found, "DynamoDB, read capacity").quantity
    assert (read.least, read.expected, read.most) == (110 * 730, 110 * 730, 410 * 730)
    assert quantity(found, "DynamoDB, write capacity") == 55 * 730


def test_a_table_on_demand_is_paid_by_use() -> None:
    """What is read and written on demand is said, and counted as unknown until somebody says how much."""
    found = of(made("aws_dynamodb_table.t", billing_mode="PAY_PER_REQUEST"))
    assert [each.keys[0] for each in found.unknown if each.unsaid] == [
        *("dynamodb.rru-1m", "dynamodb.wru-1m", "dynamodb.gb-month"),
    ]


@pytest.mark.parametrize(
    ("machine", "kind", "key"),
    [
        ("BUILD_GENERAL1_SMALL", "LINUX_CONTAINER", "codebuild.minute.small"),
        ("BUILD_GENERAL1_2XLARGE", "LINUX_CONTAINER", "codebuild.minute.2xlarge"),
        ("BUILD_GENERAL1_LARGE", "ARM_CONTAINER", "codebuild.minute.large-arm"),
        ("BUILD_GENERAL1_MEDIUM", "WINDOWS_SERVER_2022_CONTAINER", "codebuild.minute.medium-windows"),
        ("BUILD_LAMBDA_1GB", "LINUX_LAMBDA_CONTAINER", "unpriced"),
    ],
)
def test_a_build_machine_has_its_own_price(machine: str, kind: str, key: str) -> None:
    """No size and no kind of machine is billed as another."""
    project = made("aws_codebuild_project.p", environment=[{"compute_type": machine, "type": kind}])
    (found,) = (each for each in of(project).lines if not each.unsaid)
    assert (found.keys, found.quantity.expected) == ((key,), 100)


def test_a_pipeline_of_the_second_kind_is_billed_by_minutes() -> None:
    """V2 has no monthly price."""
    (found,) = of(made("aws_codepipeline.p", pipeline_type="V2")).lines
    assert (found.keys, found.monthly) == (("codepipeline.minute",), None)


def test_an_alarm_on_an_anomaly_counts_its_band() -> None:
    """An alarm on a band is billed as three metrics, one on a query by what it finds, which nobody knows."""
    metric = {"id": "m", "metric": [{"period": 60}]}
    band = made("aws_cloudwatch_metric_alarm.b", metric_query=[metric, {"expression": "ANOMALY_DETECTION_BAND(m, 2)"}])
    query = made("aws_cloudwatch_metric_alarm.q", metric_query=[{"expression": "SELECT MAX(CPUUtilization) FROM X"}])
    found = of(band, query)
    assert (quantity(found, "Alarms"), line(found, "Alarms on a query").price) == (3, None)


def test_a_member_of_a_cache_is_one_more_node() -> None:
    """A cluster that joins a group is a node of the group's class; without the group its class is unknown."""
    shared = made(
        "aws_elasticache_replication_group.g", engine="redis", node_type="cache.t3.micro", num_cache_clusters=2
    )
    member = made("aws_elasticache_cluster.m", {"replication_group_id": (shared.address,)})
    found = of(shared, member)
    assert sum(each.quantity.expected for each in found.lines) == 3 * 730
    (alone,) = of(made("aws_elasticache_cluster.m", replication_group_id="elsewhere")).lines
    assert (alone.price, "not in the plan" in alone.note) == (None, True)


def test_a_secret_is_billed_in_each_region() -> None:
    """A copy of a secret in another region is a secret."""
    assert quantity(of(made("aws_secretsmanager_secret.s", replica=[{"region": "eu-west-1"}])), "Secrets") == 2


@pytest.mark.parametrize(
    ("engine", "version", "day", "key"),
    [
        ("postgres", "13", date(2026, 3, 1), "rds.extended-vcpu-hour.year-1"),
        ("postgres", "13.15", date(2026, 2, 28), ""),
        ("postgres", "17", date(2026, 11, 28), ""),
        ("mysql", "8.0", date(2026, 8, 1), "rds.extended-vcpu-hour.year-1"),
        ("mysql", "8.0.39", date(2026, 7, 31), ""),
        ("mysql", "5.7", date(2026, 11, 28), "rds.extended-vcpu-hour.year-3"),
        ("mysql", "8.4", date(2026, 11, 28), ""),
        ("mariadb", "10.6", date(2026, 11, 28), ""),
    ],
)
def test_an_old_version_costs_more(engine: str, version: str, day: date, key: str) -> None:
    """Past its standard support a version is billed by the core and hour, in the third year at twice the price."""
    database = {"engine": engine, "engine_version": version, "instance_class": "db.t4g.micro", "allocated_storage": 20}
    found = of(made("aws_db_instance.d", **database), day=day)
    assert [each.keys[0] for each in found.lines if each.item.startswith("Extended")] == ([key] if key else [])


def test_extended_support_counts_cores_and_zones() -> None:
    """Two cores in two zones are four, a Multi-AZ cluster has three hosts; who refuses it pays nothing."""
    database = {"engine": "postgres", "engine_version": "13", "instance_class": "db.t4g.micro", "multi_az": True}
    assert quantity(of(made("aws_db_instance.d", **database)), "Extended support of postgres 13") == 4 * 730
    cluster = made(
        "aws_rds_cluster.c", engine="mysql", engine_version="8.0.35", db_cluster_instance_class="db.m6gd.xlarge"
    )
    assert quantity(of(cluster), "Extended support of mysql 8.0") == 3 * 4 * 730
    refused = of(
        made("aws_db_instance.d", engine_lifecycle_support="open-source-rds-extended-support-disabled", **database)
    )
    assert not [item for item in items(refused) if item.startswith("Extended")]


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("db.t4g.micro", 2),
        ("db.t2.small", 1),
        ("db.m6g.large", 2),
        ("db.r6g.2xlarge", 8),
        ("db.x2g.medium", 1),
        ("db.serverless", None),
    ],
)
def test_cores_are_those_of_the_class(kind: str, count: int | None) -> None:
    """The size of a class says its cores."""
    assert cores(kind) == count


def test_a_version_of_aurora_is_counted_its_own_way() -> None:
    """Aurora MySQL 2 is MySQL 5.7 and 3 is 8.0, whose support ends on days of their own."""
    old, newer = support("aurora-mysql", "5.7.mysql_aurora.2.11.2"), support("aurora-mysql", "8.0.mysql_aurora.3.08.0")
    assert old is not None
    assert newer is not None
    assert (old.version, old.since, newer.version) == ("5.7", date(2024, 12, 1), "8.0")


def test_a_host_of_spare_capacity_has_its_disk_and_its_address() -> None:
    """What is asked for by itself is a host like others, at a price that nobody knows."""
    found = of(made("aws_spot_instance_request.s", instance_type="m5.large"), book=VIRGINIA)
    assert quantity(found, "Host s, m5.large, spare capacity") == 730
    assert {"Disks, gp2", "Public IPv4 addresses", "Sent to the internet"} <= set(items(found))


def test_a_certificate_with_addresses_of_its_own_costs_by_the_month() -> None:
    """600 dollars in every region, for its place is CloudFront's edge; one that is told apart by name is free."""
    own, shared = (
        of(made("aws_cloudfront_distribution.d", viewer_certificate=[{"ssl_support_method": method}]))
        for method in ("vip", "sni-only")
    )
    assert months(own, "Dedicated IP addresses for TLS") == ("600.00",) * 3
    assert "Dedicated IP addresses for TLS" not in items(shared)


def test_addresses_that_a_file_server_is_given_are_billed() -> None:
    """Those that the same plan makes are billed where they are made."""
    given = {"endpoint_details": [{"address_allocation_ids": ["eipalloc-1", "eipalloc-2"]}]}
    assert quantity(of(made("aws_transfer_server.t", **given)), "Public IPv4 addresses") == 2 * 730
    own = {"endpoint_details.address_allocation_ids": ("aws_eip.e",)}
    assert quantity(of(made("aws_eip.e"), made("aws_transfer_server.t", own, **given)), "Public IPv4 addresses") == 730
