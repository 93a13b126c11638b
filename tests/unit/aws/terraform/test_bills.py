"""The file says what Terraform will plan: the same things, and so the same bill."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.planned import Plans, to_plan

from crossfade.aws.cost.bill.bill import Bill, bill
from crossfade.aws.cost.file import book
from crossfade.aws.resources.expect import expected
from crossfade.aws.resources.plan import Plan, understand
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

# References that a plan cannot follow: through a local value, which it does not contain, or an item of an output.
LOST = {"origin.domain_name", "load_balancer.target_group_arn", "subnet_id"}
# More than the file has to say: how the agent writes logs is not what it costs. Moves of a bucket have no order there.
WIDER = {("aws_ssm_parameter", "value"), ("aws_s3_bucket_lifecycle_configuration", "rule")}


@pytest.fixture(params=to_plan())
def both(request: pytest.FixtureRequest, plans: Plans) -> tuple[App, Plan]:
    """An environment of an example, and its plan."""
    planned = plans.of(*request.param)
    return planned.app, understand(planned.json, "plan.json")


def made(app: App, resources: tuple[Resource, ...]) -> Bill:
    region = app.cloud.region
    return bill(resources, app.cloud.usage, book(region), title=app.environment, region=region)


def within(part: Any, whole: Any) -> bool:
    """True when everything in `part` is in `whole` too, block by block."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(within(item, whole.get(key)) for key, item in part.items())
    if isinstance(part, list | tuple):
        return isinstance(whole, list | tuple) and len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


def test_the_bills_are_the_same(both: tuple[App, Plan]) -> None:
    """From the file and from the plan a bill has the same lines, item by item, and the same total."""
    app, plan = both
    file, planned = made(app, expected(app)), made(app, plan.resources)
    lines = [
        {each.item: (each.quantity, each.price, each.monthly, set(each.addresses)) for each in one.lines}
        for one in (file, planned)
    ]
    assert lines[0] == lines[1]
    assert (file.total, plan.region) == (planned.total, app.cloud.region)


def test_what_is_expected_is_planned(both: tuple[App, Plan]) -> None:
    """Every resource that the file lets expect is planned, under its address and with its values."""
    app, plan = both
    planned = {each.address: each for each in plan.resources}
    wrong = [
        (each.address, key, value, planned[each.address].values.get(key))
        for each in expected(app)
        for key, value in each.values.items()
        if (each.type, key) not in WIDER and not within(value, planned[each.address].values.get(key))
    ]
    assert wrong == []


def test_what_is_planned_is_expected(both: tuple[App, Plan]) -> None:
    """Of each type that the file lets expect, the plan has no further one."""
    app, plan = both
    known = expected(app)
    types = {each.type for each in known} - {"aws_route53_record", "aws_s3_bucket_lifecycle_configuration"}
    assert {each.address for each in plan.resources if each.type in types} <= {each.address for each in known}


def test_references_lead_to_the_same(both: tuple[App, Plan]) -> None:
    """What a resource refers to is what the plan's configuration says."""
    app, plan = both
    planned = {each.address: each.refers for each in plan.resources}
    wrong = [
        (each.address, key, addresses, planned[each.address].get(key))
        for each in expected(app)
        for key, addresses in each.refers.items()
        if key not in LOST and set(addresses) != set(planned[each.address].get(key, ()))
    ]
    assert wrong == []
