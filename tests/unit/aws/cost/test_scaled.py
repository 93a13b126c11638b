"""What grows by itself: processor time beyond what is earned, and what Application Auto Scaling adds."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.aws.cost.bills import line, made, of


@pytest.mark.parametrize(
    ("kind", "values", "key"),
    [
        ("aws_db_instance", {"engine": "postgres", "instance_class": "db.t4g.micro"}, "rds.cpu-credit-hour.postgres"),
        ("aws_db_instance", {"engine": "aurora-mysql", "instance_class": "db.t3.medium"}, "aurora.cpu-credit-hour"),
        ("aws_db_instance", {"engine": "mysql", "instance_class": "db.t2.micro"}, None),
        ("aws_db_instance", {"engine": "mysql", "instance_class": "db.m7g.large"}, None),
        ("aws_rds_cluster_instance", {"engine": "aurora-mysql", "instance_class": "db.t3.medium"}, "aurora"),
        ("aws_docdb_cluster_instance", {"instance_class": "db.t4g.medium"}, "docdb"),
        ("aws_neptune_cluster_instance", {"instance_class": "db.t3.medium"}, "neptune"),
        ("aws_dms_replication_instance", {"replication_instance_class": "dms.t3.medium"}, "dms"),
    ],
)
def test_burstable_databases_pay_for_what_they_did_not_earn(kind: str, values: dict[str, Any], key: str | None) -> None:
    """Each database of a burstable class runs in unlimited mode, but for t2: named, and its price is its engine's."""
    found = of(made(f"{kind}.d", **values))
    keys = [each.keys[0] for each in found.lines if each.item == "CPU beyond what databases earn"]
    assert keys == ([] if key is None else [key if "." in key else f"{key}.cpu-credit-hour"])


def test_a_replica_bursts_with_the_engine_of_what_it_copies() -> None:
    """It says none itself."""
    primary = made("aws_db_instance.p", engine="mysql", instance_class="db.m7g.large")
    replica = made("aws_db_instance.r", {"replicate_source_db": (primary.address,)}, instance_class="db.t4g.small")
    burst = line(of(primary, replica), "CPU beyond what databases earn")
    assert (burst.keys, burst.price) == (("rds.cpu-credit-hour.mysql",), Decimal("0.075"))


def test_a_cache_that_scales_has_the_nodes_of_its_bounds() -> None:
    """Shards times copies, at least and at most what Application Auto Scaling keeps, whatever the cache says itself."""
    cache = made(
        "aws_elasticache_replication_group.g",
        replication_group_id="g",
        engine="redis",
        node_type="cache.m4.large",
        num_node_groups=4,
        replicas_per_node_group=3,
    )
    scaling = [
        made(
            f"aws_appautoscaling_target.{what}",
            resource_id="replication-group/g",
            scalable_dimension=f"elasticache:replication-group:{what}",
            min_capacity=least,
            max_capacity=most,
        )
        for what, least, most in (("NodeGroups", 8, 13), ("Replicas", 1, 17))
    ]
    found = line(of(cache, *scaling), "Cache redis cache.m4.large, 32 nodes")
    assert [each / 730 for each in (found.quantity.least, found.quantity.expected, found.quantity.most)] == [
        16,
        32,
        234,
    ]
    assert found.note.startswith("scales from 16 to 234 nodes")
    assert line(of(cache), "Cache redis cache.m4.large, 16 nodes").quantity.expected == 16 * 730


def test_a_cache_may_scale_down_to_no_copies_at_all() -> None:
    """A least of 0 is a bound, and not one that is not said."""
    cache = made(
        "aws_elasticache_replication_group.g",
        replication_group_id="g",
        engine="redis",
        node_type="cache.m4.large",
        num_node_groups=2,
        replicas_per_node_group=1,
    )
    scaling = made(
        "aws_appautoscaling_target.r",
        resource_id="replication-group/g",
        scalable_dimension="elasticache:replication-group:Replicas",
        min_capacity=0,
        max_capacity=2,
    )
    found = line(of(cache, scaling), "Cache redis cache.m4.large, 4 nodes")
    assert (found.quantity.least / 730, found.quantity.most / 730) == (2, 6)


def test_what_else_scales_is_said() -> None:
    """Brokers' disks, Aurora's readers: what scaling adds is an unknown line of its own with the bounds."""
    disks = made(
        "aws_msk_cluster.k", number_of_broker_nodes=2, broker_node_group_info=[{"instance_type": "kafka.t3.small"}]
    )
    scaling = made(
        "aws_appautoscaling_target.k",
        {"resource_id": (disks.address,)},
        scalable_dimension="kafka:broker-storage:VolumeSize",
        min_capacity=1000,
        max_capacity=2000,
    )
    grown = line(of(disks, scaling), "Growth of kafka:broker-storage:VolumeSize")
    assert (grown.monthly, grown.addresses) == (None, (scaling.address, disks.address))
    assert grown.note.startswith("scales from 1000 to 2000; what that adds is not in the total")


def test_classes_that_are_chosen_by_what_they_have_are_not_missing() -> None:
    """The note says that, and nothing of a template that would lack a class."""
    override = [{"instance_requirements": [{"memory_mib": [{"min": 8192}]}]}]
    policy = [{"launch_template": [{"override": override}]}]
    group = made("aws_autoscaling_group.g", min_size=1, max_size=1, mixed_instances_policy=policy)
    (hosts,) = (each for each in of(group).unknown if each.item.startswith("Hosts"))
    assert hosts.note == "classes are chosen by what they have"
