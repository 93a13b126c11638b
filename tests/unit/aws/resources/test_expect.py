"""What the file alone lets expect. That Terraform plans the same is held in tests/unit/aws/terraform/test_bills.py."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.planned import EXAMPLES, on_aws

from crossfade.aws.resources.expect import expected
from crossfade.aws.resources.fleet import rests, suspended, waits
from crossfade.aws.resources.inventory import Inventory
from crossfade.file.load import load_every
from crossfade.file.model import App

WEB: dict[str, Any] = {"image": "acme/web", "replicas": 2, "resources": {"cpu": 0.5, "memory": "1G"}}


def app(service: dict[str, Any] | None = None, **cloud: Any) -> App:
    """One service on AWS, with this cloud part."""
    services = {"web": {**WEB, **(service or {})}}
    return App.model_validate(
        {"app": "shop", "environment": "prod", "platform": "aws", "services": services, "cloud": cloud}
    )


def count(of: App) -> Counter[str]:
    return Counter(each.type for each in expected(of))


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDmQm1dS5n6v0n3G1fZ8jvXo0nqk0i0Qm7v4s3pXQ2aB deploy"

CLOUDS = st.fixed_dictionaries(
    {},
    optional={
        "zones": st.sampled_from([["a", "b"], ["a", "b", "c"]]),
        "network": st.fixed_dictionaries(
            {"nat": st.sampled_from(["one", "per-zone", "instance"])},
            optional={"endpoints": st.just(["s3", "ecr", "logs"]), "flow_logs": st.booleans()},
        ),
        "database": st.sampled_from(
            [{"replica": "db.t4g.micro"}, {"host": True, "instance": "t3.small"}, {"multi_az": True, "public": True}]
        ),
        "cache": st.sampled_from([{}, {"shards": 2, "replicas": 1}]),
        "buckets": st.just({"files": {}, "user-uploads": {"expire": "365d"}}),
        "site": st.sampled_from([{}, {"api": True}]),
        "domain": st.sampled_from([{"name": "acme.com"}, {"name": "acme.com", "zone": "existing"}]),
        "compute": st.sampled_from(
            [
                {"spot": "50%"},
                {"kind": "autoscaling", "metrics": {"disks": ["/", "/opt"]}},
                {"kind": "hosts", "keys": [KEY]},
                {"kind": "hosts", "keys": [KEY], "address": "private", "metrics": {"disks": ["/"]}},
                {"insights": True},
            ]
        ),
        "guards": st.just({"cloudtrail": True, "guardduty": True}),
        "pipeline": st.sampled_from([{"repository": "acme/shop"}, {"repository": "acme/shop", "by": "codedeploy"}]),
        "secrets": st.just({"TOKEN": {}}),
        "load_balancer": st.just({"logs": True}),
    },
)


def fits(cloud: dict[str, Any]) -> bool:
    """CodeDeploy is for hosts, CodePipeline for tasks."""
    by = cloud.get("pipeline", {}).get("by", "codepipeline")
    kind = cloud.get("compute", {}).get("kind", "fargate")
    return "pipeline" not in cloud or {"codedeploy": "autoscaling", "codepipeline": "fargate"}[by] == kind


@given(CLOUDS.filter(fits))
def test_everything_hangs_together(cloud: dict[str, Any]) -> None:
    """No address is there twice, every reference leads to a resource, and each says which key of the file made it."""
    resources = expected(app(**cloud))
    addresses = {each.address for each in resources}
    assert len(addresses) == len(resources)
    assert {to for each in resources for all_to in each.refers.values() for to in all_to} <= addresses
    assert {each.where.split(".")[0] for each in resources} <= {"cloud", "services"}
    assert all(each.type in each.address for each in resources)


@pytest.mark.parametrize(("system", "environment"), on_aws())
def test_examples_hang_together(system: str, environment: str) -> None:
    """The same for every environment of every example."""
    resources = expected(load_every(EXAMPLES / system / "crossfade.yaml")[environment])
    addresses = {each.address for each in resources}
    assert len(addresses) == len(resources)
    assert {to for each in resources for all_to in each.refers.values() for to in all_to} <= addresses


@pytest.mark.parametrize(
    ("nat", "gateways", "addresses", "hosts"),
    [("one", 1, 1, 0), ("per-zone", 3, 3, 0), ("instance", 0, 1, 1)],
)
def test_the_way_out(nat: str, gateways: int, addresses: int, hosts: int) -> None:
    """One gateway with one address, one of each in every zone, or a host with an address that stays."""
    found = count(app(zones=["a", "b", "c"], network={"nat": nat}))
    assert (found["aws_nat_gateway"], found["aws_eip"], found["aws_instance"]) == (gateways, addresses, hosts)


def test_hosts_without_nat_stand_outside() -> None:
    """Without NAT hosts get public addresses and stand in the public subnets, which tasks never do."""
    inventory = Inventory(expected(app(compute={"kind": "autoscaling"}, network={"nat": "none"})))
    blue, green = inventory.of("aws_autoscaling_group")
    for group in (blue, green):
        assert {each.values["tags"]["Tier"] for each in inventory.referred(group, "vpc_zone_identifier")} == {"public"}


def test_hosts_of_containers_are_two_groups_of_which_one_waits() -> None:
    """Blue has all hosts and green none, as large as blue may get; hosts of processes are one group."""
    blue, green = Inventory(expected(app(compute={"kind": "autoscaling"}))).of("aws_autoscaling_group")
    assert (blue.values["name"], green.values["name"]) == ("shop-prod-web-blue", "shop-prod-web-green")
    assert (waits(blue), waits(green), green.values["max_size"]) == (False, True, blue.values["max_size"])


def test_hosts_that_stay_have_addresses_that_do() -> None:
    """Fixed addresses are public ones in public subnets, one a host; private ones have none of it."""
    web, hosts = {"replicas": 3}, {"kind": "hosts", "keys": [KEY]}
    inventory = Inventory(expected(app(web, compute=hosts)))
    stay = list(inventory.of("aws_instance"))
    assert [each.values["associate_public_ip_address"] for each in stay] == [True] * 3
    fixed = [each for each in inventory.of("aws_eip") if each.address.startswith("module.hosts")]
    assert [inventory.referred(each, "instance", "aws_instance") for each in fixed] == [(host,) for host in stay]
    apart = Inventory(expected(app(web, compute={**hosts, "address": "private"})))
    assert [each.values["associate_public_ip_address"] for each in apart.of("aws_instance")] == [False] * 3
    assert not [each for each in apart.of("aws_eip") if "hosts" in each.address]


def test_a_service_that_does_not_scale_has_no_bounds() -> None:
    """Without `scale` there is nothing that scales, and with it the bounds are the file's."""
    assert count(app())["aws_appautoscaling_target"] == 0
    inventory = Inventory(expected(app({"scale": {"min": 1, "max": 7, "cpu": "70%"}})))
    blue, green = inventory.of("aws_appautoscaling_target")
    assert {(each.values["min_capacity"], each.values["max_capacity"]) for each in (blue, green)} == {(1, 7)}
    assert (suspended(blue), suspended(green)) == (False, True)


def test_a_service_is_two_of_which_one_rests() -> None:
    """Blue has all tasks, green none; both run the same task definition."""
    inventory = Inventory(expected(app({"replicas": 3})))
    blue, green = inventory.of("aws_ecs_service")
    assert (blue.values["desired_count"], green.values["desired_count"]) == (3, 0)
    assert (rests(blue), rests(green)) == (False, True)
    assert blue.refers["task_definition"] == green.refers["task_definition"]


@pytest.mark.parametrize(
    ("alarm", "cloud", "alarms"),
    [
        ({"on": "cpu", "limit": 80}, {}, 2),
        ({"on": "unhealthy-hosts", "limit": 0}, {}, 2),
        ({"on": "errors", "limit": 10}, {}, 1),
        ({"on": "cache-cpu", "limit": 80}, {"cache": {"shards": 2, "replicas": 1}}, 4),
        ({"on": "db-cpu", "limit": 80}, {"database": {}}, 1),
    ],
)
def test_an_alarm_is_one_for_each_target(alarm: dict[str, Any], cloud: dict[str, Any], alarms: int) -> None:
    """What the file says once is an alarm for each service, colour or node that it is about."""
    assert count(app(alarms=[alarm], **cloud))["aws_cloudwatch_metric_alarm"] == alarms


def test_only_what_is_asked_for_is_there() -> None:
    """No database, cache, bucket, site, domain, secret, pipeline or watcher without its key."""
    absent = ("db_instance", "elasticache_replication_group", "s3_bucket", "cloudfront_distribution", "route53_zone")
    absent += ("secretsmanager_secret", "codepipeline", "cloudtrail", "guardduty_detector", "budgets_budget")
    assert not count(app()).keys() & {f"aws_{kind}" for kind in absent}
