"""What no rule could read of a plan is said, and found neither good nor bad."""

from typing import Any

import pytest
from tests.unit.aws.resources.plans import configured, document, resource

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.audit.unread import undecided, unread
from crossfade.aws.resources.plan import Plan, understand

HASH = "da39a3ee5e6b4b0d3255bfef95601890afd80709"


def plan(address: str, given: dict[str, Any], unknown: dict[str, Any], **values: Any) -> Plan:
    """One resource with what the configuration gives, and what of it only the apply tells."""
    changes = [{"address": address, "change": {"actions": ["create"], "after_unknown": unknown}}]
    configuration = {"resources": [configured(address, **given)]}
    return understand(document([resource(address, **values)], configuration, resource_changes=changes), "plan.json")


LATER = ["local.later"]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (plan("aws_s3_bucket_policy.b", {"policy": LATER}, {"policy": True}), "the policy of aws_s3_bucket_policy.b"),
        (
            plan("aws_opensearch_domain_policy.p", {"access_policies": LATER}, {"access_policies": True}),
            "policy of aws_opensearch_domain_policy.p",
        ),
        (
            plan("aws_api_gateway_rest_api.a", {"body": LATER}, {"body": True}),
            "the description of aws_api_gateway_rest_api.a",
        ),
        (
            plan("aws_iam_role.r", {"assume_role_policy": LATER}, {"assume_role_policy": True}),
            "policy of aws_iam_role.r",
        ),
        (plan("aws_instance.i", {"user_data": LATER}, {}, user_data=HASH), "the script of the host of aws_instance.i"),
        (plan("aws_instance.i", {"user_data": LATER}, {"user_data": True}), "the script of the host of aws_instance.i"),
        (
            plan("aws_ecs_task_definition.t", {"container_definitions": LATER}, {"container_definitions": True}),
            "the text of the containers of aws_ecs_task_definition.t",
        ),
        (
            plan("aws_security_group.s", {}, {"ingress": [{"cidr_blocks": True}]}, ingress=[{"protocol": "-1"}]),
            "the list of who is let in of aws_security_group.s",
        ),
    ],
)
def test_what_is_not_in_the_plan_is_named(read: Plan, said: str) -> None:
    """A text that the plan has as a hash, or not yet, was looked at by nobody."""
    (sentence,) = unread(read)
    assert said in sentence


@pytest.mark.parametrize(
    "read",
    [
        plan("aws_s3_bucket.b", {}, {"policy": True}),
        plan("aws_instance.i", {"user_data": "#!/bin/sh"}, {}, user_data=HASH),
        plan("aws_instance.i", {}, {"user_data": True}),
    ],
)
def test_what_nobody_gave_is_not_missed(read: Plan) -> None:
    """What the provider fills in, and what stands in the configuration, is no gap."""
    assert list(unread(read)) == []


def test_resources_of_others_are_named() -> None:
    """No rule is about them; what is in Terraform's state alone needs none."""
    kinds = ("google_sql_database_instance", "awscc_rds_db_instance", "random_password")
    others = [{"address": f"{kind}.a", "mode": "managed", "type": kind, "values": {}} for kind in kinds]
    (sentence,) = unread(understand(document([*others, resource("aws_lb.a")]), "plan.json"))
    assert sentence.endswith("1 of awscc, 1 of google")


def test_what_only_the_apply_tells_is_no_finding() -> None:
    """A database that may be in two zones is not found to be in one: that it is open is said."""
    database = "aws_db_instance.d"
    read = plan(database, {"multi_az": LATER}, {"multi_az": True}, engine="postgres")
    left: list[Mark] = []
    found = [each.what for each in audit_plan(read, "plan.json", undecided=left)]
    assert not [what for what in found if what.startswith("multi_az")]
    (sentence,) = undecided(left)
    assert sentence.startswith(f"only the apply will tell multi_az of {database}")
