"""The bill: quantities, rates, rounding, ranges and what is unknown."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.aws.cost.bills import SEOUL, VIRGINIA, line, made, months, of

from crossfade.aws.cost.bill.bill import bill
from crossfade.aws.cost.prices.book import PriceBook
from crossfade.aws.cost.prices.keys import KEYS
from crossfade.aws.cost.prices.price import Price
from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Other, Usage


def service(least: int, wanted: int, most: int, **values: Any) -> tuple[Resource, ...]:
    """A service of tasks with half a core and 1 GB, and its scaling."""
    task = made("aws_ecs_task_definition.web", cpu="512", memory="1024", requires_compatibilities=["FARGATE"])
    runs = made(
        "aws_ecs_service.web",
        {"task_definition": (task.address,)},
        name="shop-prod-web",
        desired_count=wanted,
        **values,
    )
    scaling = made(
        "aws_appautoscaling_target.web", {"resource_id": (runs.address,)}, min_capacity=least, max_capacity=most
    )
    return task, runs, scaling


TASK = "Fargate web, 0.5 vCPU 1 GB"


def test_a_task_costs_its_cores_and_memory() -> None:
    """An hour of a task is its share of a core and of memory: (0.5 x 0.04656 + 1 x 0.00511) x 730 is 20.72."""
    assert months(of(*service(1, 1, 1)), TASK) == ("20.72", "20.72", "20.72")


def test_scaling_makes_a_range() -> None:
    """A service from 2 to 5 tasks costs from two tasks to five, and as many as are wanted in between."""
    assert months(of(*service(2, 3, 5)), TASK) == ("41.45", "62.17", "103.62")


def test_an_average_is_what_is_expected() -> None:
    """The file's average number of tasks is the expectation, also below the bounds, which it widens."""
    usage = Usage(instances={"web": 1.5})
    assert months(of(*service(2, 2, 5), usage=usage), TASK) == ("31.09", "31.09", "103.62")


def test_an_average_is_for_the_service_of_that_name() -> None:
    """The average of `web` does not count for `webhook`, nor that of `prod`'s other services."""
    assert months(of(*service(2, 2, 5), usage=Usage(instances={"we": 4, "webhook": 5})), TASK)[1] == "41.45"


def test_spare_capacity_has_a_price_of_its_own() -> None:
    """Of the tasks above the base half are on spare capacity, whose price nobody knows here."""
    strategy = [
        {"capacity_provider": "FARGATE", "base": 2, "weight": 50},
        {"capacity_provider": "FARGATE_SPOT", "weight": 50},
    ]
    found = of(*service(2, 4, 6, capacity_provider_strategy=strategy))
    spare = line(found, "Fargate web, spare capacity, 0.5 vCPU 1 GB")
    assert (line(found, TASK).quantity.expected, spare.quantity.expected) == (Decimal(3) * 730, Decimal(1) * 730)
    assert spare.price is None


def test_arm_costs_less() -> None:
    """Tasks on ARM have ARM's price."""
    task, *rest = service(1, 1, 1)
    arm = made(task.address, **{**task.values, "runtime_platform": [{"cpu_architecture": "ARM64"}]})
    assert line(of(arm, *rest), TASK).keys == ("fargate.vcpu-hour.arm", "fargate.gb-hour.arm")


def test_tasks_on_instances_are_no_fargate() -> None:
    """A service on EC2 is billed by its hosts, not by its tasks."""
    assert of(*service(1, 1, 1, launch_type="EC2")).lines == ()


def test_a_task_of_unknown_size_is_unknown() -> None:
    """A service whose task definition is not in the plan is billed, and nobody knows how much."""
    (found,) = of(made("aws_ecs_service.web", name="web", launch_type="FARGATE")).lines
    assert (found.item, found.price) == ("Fargate web, of an unknown size", None)


def test_hosts_of_an_unknown_class_are_unknown() -> None:
    """A group whose launch template is not in the plan is billed, and nobody knows how much."""
    found = line(of(made("aws_autoscaling_group.web", min_size=1, max_size=2)), "Hosts web, of an unknown class")
    assert (found.price, "launch template" in found.note) == (None, True)


def test_a_template_is_found_in_a_policy_of_mixed_classes() -> None:
    """The launch template counts wherever the group names it."""
    template = made("aws_launch_template.web", instance_type="t3.small")
    deep = "mixed_instances_policy.launch_template.launch_template_specification.launch_template_id"
    group = made("aws_autoscaling_group.web", {deep: (template.address,)}, min_size=1, max_size=1)
    assert months(of(template, group), "Hosts web, t3.small")[1] == "18.98"


def test_a_host_has_a_disk_though_nobody_names_it() -> None:
    """Without a word about its disk, a host has the image's 8 GB."""
    assert line(of(made("aws_instance.one", instance_type="t3.micro")), "Disks, gp2").quantity.expected == 8


def test_hosts_and_their_disks_grow_together() -> None:
    """A group from 2 to 6 hosts costs hosts, disks and public addresses in that range."""
    template = made(
        "aws_launch_template.web",
        instance_type="t3.medium",
        block_device_mappings=[{"ebs": [{"volume_size": 20, "volume_type": "gp3"}]}],
        network_interfaces=[{"associate_public_ip_address": "true"}],
    )
    group = made(
        "aws_autoscaling_group.web",
        {"launch_template.id": (template.address,)},
        min_size=2,
        max_size=6,
        desired_capacity=2,
    )
    found = of(template, group, book=VIRGINIA)
    assert months(found, "Hosts web, t3.medium") == ("60.74", "60.74", "182.21")
    assert months(found, "Disks, gp3") == ("3.20", "3.20", "9.60")
    assert months(found, "Public IPv4 addresses") == ("7.30", "7.30", "21.90")


def test_every_public_address_counts() -> None:
    """A load balancer has an address in each of its zones, and each NAT gateway one."""
    subnets = tuple(made(f"aws_subnet.public[{index}]") for index in range(3))
    balancer = made("aws_lb.this", {"subnets": tuple(each.address for each in subnets)})
    found = of(*subnets, balancer, made("aws_eip.nat[0]"), made("aws_eip.nat[1]"))
    assert line(found, "Public IPv4 addresses").quantity.expected == 5 * 730


def test_an_inside_balancer_has_no_public_address() -> None:
    """A load balancer inside of the network has no public address and sends nothing to the internet."""
    items = [each.item for each in of(made("aws_lb.this", internal=True)).lines]
    assert items == ["Load balancer", "Load balancer, capacity"]


def test_two_of_a_kind_are_one_line() -> None:
    """Two NAT gateways are a line of 1,460 hours that names both."""
    found = line(of(made("aws_nat_gateway.this[0]"), made("aws_nat_gateway.this[1]")), "NAT gateway")
    assert (found.quantity.expected, len(found.addresses), found.monthly and found.monthly.expected) == (
        Decimal(1460),
        2,
        Decimal("86.14"),
    )


def test_a_database_in_two_zones_has_its_own_price() -> None:
    """Multi-AZ is a price of its own and not twice the single one."""
    database = {"engine": "postgres", "instance_class": "db.t4g.small", "allocated_storage": 50, "storage_type": "gp3"}
    found = of(made("aws_db_instance.this", **database, multi_az=True, max_allocated_storage=100))
    assert months(found, "Database postgres db.t4g.small, in two zones")[1] == "74.46"
    assert months(found, "Database disk, gp3, in two zones") == ("13.10", "13.10", "26.20")


def test_a_replica_is_what_its_primary_is() -> None:
    """A read replica has the engine and the disk of the database that it copies."""
    primary = made(
        "aws_db_instance.this",
        engine="postgres",
        instance_class="db.t4g.small",
        allocated_storage=20,
        storage_type="gp3",
    )
    copy = made("aws_db_instance.copy", {"replicate_source_db": (primary.address,)}, instance_class="db.t4g.micro")
    found = of(primary, copy)
    assert months(found, "Read replica postgres db.t4g.micro")[1] == "18.25"
    assert months(found, "Read replica disk, gp3")[1] == "2.62"


def test_a_cache_costs_each_node() -> None:
    """Two shards of a primary and a replica are four nodes."""
    group = made(
        "aws_elasticache_replication_group.this",
        engine="redis",
        node_type="cache.t3.micro",
        num_node_groups=2,
        replicas_per_node_group=1,
    )
    assert months(of(group), "Cache redis cache.t3.micro, 4 nodes")[1] == "73.00"


def test_the_passwords_secret_counts() -> None:
    """A password that RDS keeps is a secret, beside those that are resources."""
    database = made("aws_db_instance.this", manage_master_user_password=True)
    found = of(database, made('aws_secretsmanager_secret.this["A"]'), made('aws_secretsmanager_secret.this["B"]'))
    assert months(found, "Secrets")[1] == "1.20"


def test_the_first_terabyte_of_the_cdn_is_free() -> None:
    """CloudFront's free terabyte is seen in the bill, and what is above it is billed."""
    site = made("aws_cloudfront_distribution.site")
    free = line(of(site, usage=Usage.model_validate({"cdn": "1T"})), "Sent by CloudFront")
    assert (free.monthly and free.monthly.expected, "always free" in free.assumes) == (Decimal(0), True)
    assert months(of(site, usage=Usage.model_validate({"cdn": "1034G"})), "Sent by CloudFront")[1] == "1.20"


def test_an_alarm_on_a_sum_counts_its_metrics() -> None:
    """An alarm on two metrics added up is billed twice, one on one metric once, a fast one as such."""
    summed = made(
        "aws_cloudwatch_metric_alarm.sum", metric_query=[{"metric": [{"period": 60}]}] * 2 + [{"id": "total"}]
    )
    found = of(
        summed, made("aws_cloudwatch_metric_alarm.one", period=300), made("aws_cloudwatch_metric_alarm.fast", period=10)
    )
    assert line(found, "Alarms").quantity.expected == 3
    assert line(found, "Alarms, fast").price is None


def test_logs_are_kept_as_long_as_they_are() -> None:
    """5 GB a month kept for 90 days are 15 GB; a group that keeps for ever counts a year."""
    short = made("aws_cloudwatch_log_group.a", retention_in_days=90)
    assert line(of(short), "Logs, kept").quantity.expected == 15
    assert line(of(short, made("aws_cloudwatch_log_group.b")), "Logs, kept").quantity.expected > 60


def test_aliases_are_asked_for_nothing() -> None:
    """Queries of an alias are free, those of a plain record are billed."""
    alias = made("aws_route53_record.alias", type="A", alias=[{"name": "lb"}])
    assert of(alias).lines == ()
    assert months(of(alias, made("aws_route53_record.old", type="A")), "DNS queries")[1] == "0.40"


def test_what_nobody_uses_is_no_line() -> None:
    """A quantity of 0 makes no line: no backups beyond the free ones, nothing between zones."""
    items = {
        each.item for each in of(made("aws_lb.this"), made("aws_db_instance.this", backup_retention_period=7)).lines
    }
    assert items.isdisjoint({"Between zones", "Database backups"})


def test_a_bill_from_elsewhere_is_a_line() -> None:
    """What the file adds itself is in the total as it stands."""
    found = of(usage=Usage(other=(Other(name="LLM API", monthly=150.0),)))
    assert (found.total.expected, line(found, "LLM API").usage) == (Decimal("150.00"), "other")


def test_unknown_is_counted_and_not_nothing() -> None:
    """A line without a price is unknown, is counted, and is no part of the total."""
    found = of(made("aws_cloudwatch_dashboard.this"), made("aws_route53_zone.this"))
    assert [each.item for each in found.unknown] == ["Dashboards"]
    assert (line(found, "Dashboards").monthly, found.total.expected) == (None, Decimal("0.50"))


def test_one_unknown_price_makes_the_rate_unknown() -> None:
    """A task whose memory has no price has none, and is not billed for its cores alone."""
    book = PriceBook(name="half", prices={"fargate.vcpu-hour.x86": Price(usd=Decimal(1), source="us")})
    assert line(of(*service(1, 1, 1), book=book), TASK).price is None


@pytest.mark.parametrize(
    "types", [("aws_vpc",), ("aws_iam_role", "aws_sns_topic_policy", "aws_ecs_cluster"), ("random_id",)]
)
def test_what_is_free_is_no_line(types: tuple[str, ...]) -> None:
    """What nobody bills makes no line."""
    assert (
        bill([Resource(address=f"{each}.this", type=each) for each in types], Usage().month, SEOUL, title="t").lines
        == ()
    )


@pytest.mark.parametrize("kind", ["aws_batch_compute_environment", "aws_efs_backup_policy", "google_sql_instance"])
def test_what_is_billed_but_not_priced_is_unknown(kind: str) -> None:
    """What AWS or another cloud bills and nobody here can price is a line, unknown and counted."""
    found = bill([Resource(address=f"{kind}.this", type=kind)], Usage().month, SEOUL, title="t")
    assert [(each.item, each.monthly) for each in found.unknown] == [(kind, None)]


def test_a_network_balancer_is_no_application_balancer() -> None:
    """A load balancer of another kind has prices of its own."""
    found = of(made("aws_lb.this", load_balancer_type="network", internal=True))
    keys = [each.keys for each in found.lines]
    assert keys == [("nlb.hour",), ("nlb.lcu-hour",)]


PRICES = st.decimals(min_value=0, max_value=10, places=5)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), PRICES), st.integers(0, 4), st.integers(1, 9), st.integers(0, 9))
def test_the_total_is_the_sum_of_rounded_lines(prices: dict[str, Decimal], least: int, wanted: int, more: int) -> None:
    """Each line is rounded to the cent, half up, and the total adds up what is printed, at each end of the range."""
    book = PriceBook(name="any", prices={key: Price(usd=price, source="any") for key, price in prices.items()})
    edge = (made("aws_lb.this"), made("aws_nat_gateway.this"), made("aws_s3_bucket.this"), made("aws_eip.this"))
    found = of(*service(least, wanted, wanted + more), *edge, book=book)
    for end in ("least", "expected", "most"):
        known = [(each, getattr(each.monthly, end)) for each in found.lines if each.monthly is not None]
        for each, monthly in known:
            assert each.price is not None
            assert monthly == (getattr(each.quantity, end) * each.price).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert getattr(found.total, end) == sum((monthly for _, monthly in known), Decimal(0))
    assert found.total.least <= found.total.expected <= found.total.most
    assert len(found.unknown) + sum(each.monthly is not None for each in found.lines) == len(found.lines)


@given(st.integers(0, 30), st.integers(0, 30))
def test_more_never_costs_less(some: int, more: int) -> None:
    """With every further gateway, bucket and secret the bill stays or grows."""
    kinds = ("aws_nat_gateway", "aws_s3_bucket", "aws_secretsmanager_secret")
    few, many = ([made(f"{kind}.this[{n}]") for kind in kinds for n in range(count)] for count in (some, some + more))
    assert of(*few).total.expected <= of(*many).total.expected
