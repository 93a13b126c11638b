"""What DescribeTargetHealth says, and why."""

import pytest
from tests.rig.tests.site import Site

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("sick", "Target.ResponseCodeMismatch"),
        ("deaf", "Target.FailedHealthChecks"),
        ("mute", "Target.Timeout"),
    ],
)
async def test_an_unhealthy_target_says_why(site: Site, fault: str, reason: str) -> None:
    site.update("green", desiredCount=1, taskDefinition=site.definition(FAULT=fault))
    await site.until(lambda: reason in [one.get("Reason") for one in site.health("green")])
    assert [one["State"] for one in site.health("green") if one.get("Reason") == reason] == ["unhealthy"]
    site.update("green", desiredCount=0)
    await site.until_gone("green")


async def test_a_target_of_a_group_that_no_rule_names_is_unused_and_never_checked(site: Site) -> None:
    group = site.elb.create_target_group(
        Name="nobodys", Protocol="HTTP", Port=8080, VpcId=site.place.vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.20.0.200"}])
    [told] = site.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert told["Target"] == {"Id": "10.20.0.200", "Port": 8080}
    assert (told["TargetHealth"]["State"], told["TargetHealth"]["Reason"]) == ("unused", "Target.NotInUse")


async def test_a_target_that_was_never_registered_is_unused(site: Site) -> None:
    told = site.elb.describe_target_health(
        TargetGroupArn=site.place.target_groups["blue"], Targets=[{"Id": "10.9.9.9", "Port": 8080}]
    )
    assert [one["TargetHealth"]["Reason"] for one in told["TargetHealthDescriptions"]] == ["Target.NotRegistered"]


async def test_a_target_that_leaves_is_draining_for_as_long_as_its_group_says(site: Site) -> None:
    """And serves what it holds: the task gets its signal only then."""
    await site.until_healthy("blue", 2)
    site.update("blue", desiredCount=1)
    await site.until(lambda: sorted(site.states("blue")) == ["draining", "healthy"])
    leaving = [one for one in site.tasks("blue", "STOPPED") if one["lastStatus"] == "DEACTIVATING"]
    assert len(leaving) == 1
    await site.until(lambda: site.states("blue") == ["healthy"])


async def test_a_group_that_is_not_there_is_an_error(site: Site) -> None:
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef"
    with pytest.raises(site.elb.exceptions.TargetGroupNotFoundException):
        site.elb.describe_target_health(TargetGroupArn=arn)
