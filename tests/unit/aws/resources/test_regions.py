"""Where each resource of a plan will be."""

from typing import Any

import pytest
from tests.unit.aws.resources.plans import configured, document, resource

from crossfade.aws.resources.plan import understand


def provider(region: Any = None, **rest: Any) -> dict[str, Any]:
    """A provider's block whose region is a constant, or a list of references."""
    key = "references" if isinstance(region, list) else "constant_value"
    return {"name": "aws", "expressions": {"region": {key: region}} if region else {}, **rest}


def made_by(address: str, key: str) -> dict[str, Any]:
    return configured(address) | {"provider_config_key": key}


def where(plan: dict[str, Any]) -> dict[str, str | None]:
    return {each.address: each.region for each in understand(plan, "plan.json").resources}


def test_a_resource_is_where_its_provider_works() -> None:
    """Two providers, two regions: each resource has that of its own, whatever the other's is."""
    plan = document(
        [resource("aws_nat_gateway.here"), resource("aws_nat_gateway.there")],
        {"resources": [made_by("aws_nat_gateway.here", "aws"), made_by("aws_nat_gateway.there", "aws.seoul")]},
    )
    plan["configuration"]["provider_config"] = {
        "aws": provider("us-east-1"),
        "aws.seoul": provider("ap-northeast-2", alias="seoul"),
    }
    assert where(plan) == {"aws_nat_gateway.here": "us-east-1", "aws_nat_gateway.there": "ap-northeast-2"}


@pytest.mark.parametrize("key", ["aws.seoul", "module.edge:aws.seoul"])
def test_a_modules_provider_is_the_one_that_it_was_given(key: str) -> None:
    """A resource of a module is made by the provider of its parent, also in plans that name it for the module."""
    module = {"resources": [made_by("aws_nat_gateway.this", key)]}
    plan = document(
        [],
        {"module_calls": {"edge": {"module": module}}},
        [{"resources": [resource("module.edge.aws_nat_gateway.this")]}],
    )
    plan["configuration"]["provider_config"] = {"aws.seoul": provider("ap-northeast-2", alias="seoul")}
    assert where(plan) == {"module.edge.aws_nat_gateway.this": "ap-northeast-2"}


def test_a_modules_own_provider_reads_the_modules_variables() -> None:
    """The region of a provider in a module is what the call gives, through a variable of the root."""
    module = {"resources": [made_by("aws_nat_gateway.this", "module.own:aws")], "variables": {"where": {}}}
    call = {"module": module, "expressions": {"where": {"references": ["var.home"]}}}
    plan = document([], {"module_calls": {"own": call}}, [{"resources": [resource("module.own.aws_nat_gateway.this")]}])
    plan["configuration"]["provider_config"] = {
        "module.own:aws": provider(["var.where"], module_address="module.own"),
    }
    plan["variables"] = {"home": {"value": "eu-west-1"}}
    assert where(plan) == {"module.own.aws_nat_gateway.this": "eu-west-1"}


@pytest.mark.parametrize(
    ("witness", "found"),
    [
        (resource("aws_subnet.a", availability_zone="ap-northeast-1c"), "ap-northeast-1"),
        (resource("aws_autoscaling_group.g", availability_zones=["eu-west-1a", "eu-west-1b"]), "eu-west-1"),
        (
            resource("aws_flow_log.f", log_destination="arn:aws:logs:eu-central-1:123456789012:log-group:x"),
            "eu-central-1",
        ),
        (resource("aws_sqs_queue.q", name="q"), None),
    ],
)
def test_a_region_that_no_plan_contains_is_told_by_what_is_beside_it(witness: Any, found: str | None) -> None:
    """With `region = local.region` the zones and ARNs of what the same provider makes tell it, or nobody does."""
    plan = document([resource("aws_cloudwatch_dashboard.d"), witness])
    plan["configuration"]["provider_config"] = {"aws": provider(["local.region"])}
    assert where(plan)["aws_cloudwatch_dashboard.d"] == found


def test_an_arn_elsewhere_does_not_move_a_provider_that_is_known() -> None:
    """A replica of a key names the key of another region, and stays in its own."""
    key = resource("aws_kms_replica_key.k", primary_key_arn="arn:aws:kms:us-west-2:123456789012:key/mrk-1")
    plan = document([key])
    plan["configuration"]["provider_config"] = {"aws": provider("us-east-1")}
    assert where(plan) == {"aws_kms_replica_key.k": "us-east-1"}


def test_a_providers_region_counts_before_a_zone() -> None:
    """A zone that its provider's region does not have moves nothing: AWS is asked in the provider's region."""
    plan = document([resource("aws_ebs_volume.v", availability_zone="us-west-2a")])
    plan["configuration"]["provider_config"] = {"aws": provider("us-east-1")}
    assert where(plan) == {"aws_ebs_volume.v": "us-east-1"}


def test_a_resource_may_say_its_own_region() -> None:
    """Newer versions of the provider have a region for each resource."""
    plan = document([resource("aws_nat_gateway.n", region="sa-east-1")])
    plan["configuration"]["provider_config"] = {"aws": provider("us-east-1")}
    assert where(plan) == {"aws_nat_gateway.n": "sa-east-1"}


def test_a_region_that_is_asked_for_fills_what_is_unknown() -> None:
    """`--region` places what the plan does not, and moves nothing else."""
    plan = document([resource("aws_sqs_queue.q"), resource("aws_subnet.a", availability_zone="eu-west-1a")])
    read = understand(plan, "plan.json")
    placed = {each.address: each.region for each in read.placed("us-west-2").resources}
    assert placed["aws_subnet.a"] == "eu-west-1"
    assert understand(document([resource("aws_sqs_queue.q")]), "p").placed("us-west-2").region == "us-west-2"


@pytest.mark.parametrize(
    ("references", "variables"),
    [
        (["var.all.region", "var.all"], {"all": {"region": "eu-west-1"}}),
        (["var.all.of[0].region", "var.all"], {"all": {"of": [{"region": "eu-west-1"}]}}),
        (["var.all[0]", "var.all"], {"all": ["eu-west-1", "us-east-1"]}),
        (['var.all["prod"]', "var.all"], {"all": {"dev": "us-east-1", "prod": "eu-west-1"}}),
        (["var.all", "var.stage"], {"all": {"dev": "us-east-1", "prod": "eu-west-1"}, "stage": "prod"}),
    ],
)
def test_a_region_may_be_a_part_of_a_variable(references: list[str], variables: dict[str, Any]) -> None:
    """Of an object, a list or a table, also one that another variable chooses from."""
    plan = document([resource("aws_nat_gateway.n")], {"resources": [made_by("aws_nat_gateway.n", "aws")]})
    plan["configuration"]["provider_config"] = {"aws": provider(references)}
    plan["variables"] = {name: {"value": value} for name, value in variables.items()}
    assert where(plan) == {"aws_nat_gateway.n": "eu-west-1"}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_region", {"name": "eu-west-1", "id": "eu-west-1"}),
        ("aws_availability_zones", {"names": ["eu-west-1a", "eu-west-1b"]}),
    ],
)
def test_what_terraform_looked_up_tells_the_region(kind: str, values: dict[str, Any]) -> None:
    """A provider whose region is a local value or the shell's: what it was asked for has it."""
    data = {"address": f"data.{kind}.d", "mode": "data", "type": kind, "name": "d", "values": values}
    plan = document([resource("aws_nat_gateway.n")], {"resources": [made_by("aws_nat_gateway.n", "aws")]})
    plan["configuration"]["provider_config"] = {"aws": provider(["local.region"])}
    plan["prior_state"] = {"values": {"root_module": {"resources": [data]}}}
    assert where(plan) == {"aws_nat_gateway.n": "eu-west-1"}
