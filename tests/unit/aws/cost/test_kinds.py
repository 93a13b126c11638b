"""What is charged of one kind by other resources: a line each, and none for what is free."""

from typing import Any

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, of

from crossfade.aws.resources.resource import Resource

TASK = made(
    "aws_ecs_task_definition.t",
    cpu="512",
    memory="1024",
    requires_compatibilities=["FARGATE"],
    runtime_platform=[{"cpu_architecture": "ARM64"}],
)


def bill(*resources: Resource) -> list[str]:
    return items(of(*resources, book=VIRGINIA))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_eks_addon", {"addon_name": "coredns"}),
        ("aws_accessanalyzer_analyzer", {"type": "ACCOUNT"}),
        ("aws_lambda_event_source_mapping", {"event_source_arn": "arn:aws:sqs:us-east-1:1:q"}),
        ("aws_s3_bucket_lifecycle_configuration", {"rule": [{"expiration": [{"days": 30}]}]}),
        ("aws_ecs_task_definition", {"cpu": "512", "memory": "1024"}),
    ],
)
def test_what_is_free_is_no_line(kind: str, values: dict[str, Any]) -> None:
    """A switch that costs something brings a line only where it is on."""
    assert bill(made(f"{kind}.x", **values)) == []


def test_a_password_that_aws_keeps_is_a_secret() -> None:
    """Of each store, though no resource stands for it."""
    stores = (
        made("aws_rds_cluster.a", manage_master_user_password=True),
        made("aws_docdb_cluster.b", manage_master_user_password=True),
        made("aws_redshift_cluster.c", manage_master_password=True),
        made("aws_rds_cluster.d"),
    )
    assert line(of(*stores), "Secrets").quantity.expected == 3


@pytest.mark.parametrize(
    "begins",
    [
        made(
            "aws_cloudwatch_event_target.r",
            {"ecs_target.task_definition_arn": (TASK.address,)},
            ecs_target=[{"launch_type": "FARGATE"}],
        ),
        made(
            "aws_scheduler_schedule.s",
            {"target.ecs_parameters.task_definition_arn": (TASK.address,)},
            target=[{"ecs_parameters": [{"task_count": 1}]}],
        ),
    ],
)
def test_tasks_that_a_rule_begins_are_said(begins: Resource) -> None:
    """By the second, and nobody knows for how many: named with the prices of their own processors."""
    cores = line(of(TASK, begins, book=VIRGINIA), "Fargate tasks that rules begin, cores")
    assert (cores.keys, cores.unsaid) == (("fargate.vcpu-hour.arm",), True)


def test_tasks_on_hosts_that_a_rule_begins_cost_nothing() -> None:
    """They run on hosts that are billed already."""
    rule = made("aws_cloudwatch_event_target.r", ecs_target=[{"launch_type": "EC2"}])
    assert bill(TASK, rule) == []


@pytest.mark.parametrize(
    "host",
    [
        made("aws_instance.w", instance_type="t3.medium", get_password_data=True),
        made(
            "aws_instance.w",
            instance_type="t3.medium",
            ami="resolve:ssm:/aws/service/ami-windows-latest/Windows_Server",
        ),
    ],
)
def test_a_host_with_windows_is_billed_as_that(host: Resource) -> None:
    """Where the plan says so, by its image's name or because its password is fetched."""
    assert line(of(host, book=VIRGINIA), "Host w, t3.medium, Windows").keys == ("ec2.windows-hour.t3.medium",)


def test_an_image_that_may_be_anything_is_billed_as_linux_and_says_so() -> None:
    """The number of an image says nothing about its system."""
    found = of(made("aws_instance.u", instance_type="t3.medium", ami="ami-0ABC"), book=VIRGINIA)
    assert line(found, "Host u, t3.medium").note == "as Linux: the plan does not say what ami-0abc is"


@pytest.mark.parametrize(
    ("values", "refers", "many"),
    [
        ({"allocation_id": "eipalloc-1", "secondary_allocation_ids": ["eipalloc-2", "eipalloc-3"]}, {}, 3),
        ({"allocation_id": "eipalloc-1"}, {"allocation_id": ("aws_eip.e",)}, 1),
    ],
)
def test_each_address_of_a_nat_gateway_is_billed_once(values: Any, refers: Any, many: int) -> None:
    """Those that the plan makes where they are made, the others with the gateway."""
    found = of(made("aws_nat_gateway.n", refers, **values), *((made("aws_eip.e"),) if refers else ()))
    assert line(found, "Public IPv4 addresses").quantity.expected == many * 730


def test_an_elastic_address_of_a_cluster_is_not_billed_twice() -> None:
    """It takes the place of the cluster's own."""
    cluster = {"node_type": "dc2.large", "publicly_accessible": True}
    assert "Public IPv4 addresses" in bill(made("aws_redshift_cluster.r", **cluster))
    assert "Public IPv4 addresses" not in bill(made("aws_redshift_cluster.r", elastic_ip="1.2.3.4", **cluster))


def test_brokers_with_public_addresses_have_one_each() -> None:
    """Three brokers, three addresses; without public access none."""
    access = [{"public_access": [{"type": "SERVICE_PROVIDED_EIPS"}]}]
    group = [{"instance_type": "kafka.t3.small", "connectivity_info": access}]
    found = of(made("aws_msk_cluster.m", number_of_broker_nodes=3, broker_node_group_info=group))
    addresses = line(found, "Public IPv4 addresses")
    assert (addresses.area, addresses.quantity.expected) == ("Network", 3 * 730)
    access[0]["public_access"][0]["type"] = "DISABLED"
    assert "Public IPv4 addresses" not in bill(made("aws_msk_cluster.m", broker_node_group_info=group))


def test_snapshots_of_disks_that_are_not_in_the_plan_are_unknown() -> None:
    """A policy that goes by tags takes them of the hosts' disks, too."""
    (unknown,) = of(made("aws_dlm_lifecycle_policy.d")).unknown
    assert unknown.item == "Snapshots of disks"


@pytest.mark.parametrize(("tags", "item"), [({"backup": "yes"}, 50), ({"backup": "no"}, None), (None, None)])
def test_a_policy_takes_snapshots_of_the_disks_with_its_tags(tags: Any, item: int | None) -> None:
    """A disk of the plan that has none of them is not looked after."""
    policy = made("aws_dlm_lifecycle_policy.d", policy_details=[{"target_tags": {"backup": "yes"}}])
    volume = made("aws_ebs_volume.v", size=50, **({"tags": tags} if tags else {}))
    found = line(of(policy, volume, book=VIRGINIA), "Snapshots of disks")
    assert found.price is not None if item else found.price is None
    assert found.quantity.expected == (item or 1)


@pytest.mark.parametrize(
    ("resources", "item"),
    [
        ((made("aws_opensearch_domain.o", engine_version="Elasticsearch_7.4"),), "Extended support of elasticsearch 7"),
        (
            (
                made("aws_docdb_cluster.c", engine_version="3.6.0"),
                made("aws_docdb_cluster_instance.i", {"cluster_identifier": ("aws_docdb_cluster.c",)}),
            ),
            "Extended support of docdb 3.6",
        ),
    ],
)
def test_other_stores_past_their_support_cost_more(resources: tuple[Resource, ...], item: str) -> None:
    """OpenSearch since November 2025, DocumentDB since March 2026; by how much nobody here knows."""
    assert item in [each.item for each in of(*resources).unknown]


@pytest.mark.parametrize(("policy", "billed"), [(None, True), ("EXTENDED", True), ("STANDARD", False)])
def test_a_control_plane_that_may_be_upgraded_needs_no_extended_support(policy: str | None, *, billed: bool) -> None:
    """AWS upgrades it on the day that its standard support ends; unless somebody says so it does not."""
    said = {"upgrade_policy": [{"support_type": policy}]} if policy else {}
    plane = of(made("aws_eks_cluster.c", version="1.30", **said), book=VIRGINIA)
    assert ("Extended support of Kubernetes 1.30" in items(plane)) is billed
    assert [each.item for each in plane.unknown] == []


def test_a_version_that_ends_without_a_charge_is_no_line() -> None:
    """MariaDB 10.5 is upgraded by AWS when its day comes; until then it costs what it costs."""
    database = made("aws_db_instance.m", engine="mariadb", engine_version="10.5.28", instance_class="db.t3.micro")
    assert not [item for item in bill(database) if "support" in item]


def test_traces_of_whatever_sends_them_are_named() -> None:
    """Paid by use: with its price, and with what it rests on."""
    function = made("aws_lambda_function.f", tracing_config=[{"mode": "Active"}])
    assert line(of(function, book=VIRGINIA), "Traces").unsaid


def test_messages_and_minutes_of_a_websocket_are_two_lines() -> None:
    """Of HTTP there are no minutes."""
    assert "WEBSOCKET API connections" in bill(made("aws_apigatewayv2_api.w", protocol_type="WEBSOCKET"))
    assert "WEBSOCKET API connections" not in bill(made("aws_apigatewayv2_api.h", protocol_type="HTTP"))


def test_a_detector_that_is_switched_off_looks_at_nothing() -> None:
    """One of which nothing is said is on."""
    assert bill(made("aws_guardduty_detector.g", enable=False)) == []
    assert (
        bill(made("aws_guardduty_detector.g")) == bill(made("aws_guardduty_detector.g", enable=True)) == ["GuardDuty"]
    )


def test_hosts_of_emr_are_hosts_of_ec2_with_a_fee() -> None:
    """Each group by its class; a cluster that ends after its steps runs for nobody knows how long."""
    groups: dict[str, Any] = {
        "master_instance_group": [{"instance_type": "m5.xlarge"}],
        "core_instance_group": [{"instance_type": "r5.2xlarge", "instance_count": 3, "ebs_config": [{"size": 100}]}],
    }
    stays = of(made("aws_emr_cluster.e", **groups), book=VIRGINIA)
    assert line(stays, "EMR hosts r5.2xlarge").quantity.expected == 3 * 730
    assert {"EMR hosts m5.xlarge", "EMR on m5.xlarge", "aws_emr_cluster, core_instance_group.ebs_config"} <= set(
        items(stays)
    )
    ends = of(made("aws_emr_cluster.e", keep_job_flow_alive_when_no_steps=False, **groups), book=VIRGINIA)
    assert line(ends, "EMR hosts, until the cluster ends after its steps").unsaid
    assert not [item for item in items(ends) if item.startswith(("EMR hosts m5", "EMR on"))]


def test_express_brokers_are_billed_by_what_they_keep() -> None:
    """They have no disk of a size that somebody chose: what is written and kept is paid by use."""
    brokers = {"number_of_broker_nodes": 3, "broker_node_group_info": [{"instance_type": "express.m7g.large"}]}
    found = of(made("aws_msk_cluster.m", **brokers), book=VIRGINIA)
    assert "Kafka disks" not in items(found)
    assert line(found, "Kafka storage, express brokers").unsaid
    assert line(of(made("aws_msk_cluster.m", number_of_broker_nodes=3)), "Kafka disks").quantity.expected == 3000
