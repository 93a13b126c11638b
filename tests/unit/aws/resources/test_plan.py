"""Reading Terraform plans."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.aws.resources.plans import configured, document, resource, written

from crossfade.aws.resources.plan import open_plan, understand
from crossfade.core.errors import WrongInputError


def refers(of: dict[str, Any], address: str) -> dict[str, tuple[str, ...]]:
    """What one resource of a plan refers to."""
    (found,) = (each for each in understand(of, "plan.json").resources if each.address == address)
    return dict(found.refers)


def test_every_module_is_read(tmp_path: Path) -> None:
    """Resources of child modules are read however deep they stand, data sources are not."""
    deep = {"resources": [resource("module.a.module.b.aws_lb.this", name="edge")]}
    data = resource("data.aws_ami.newest") | {"mode": "data"}
    path = written(
        tmp_path, document([resource("aws_vpc.this"), data], children=[{"resources": [], "child_modules": [deep]}])
    )
    found = open_plan(path).resources
    assert [(each.address, each.type) for each in found] == [
        ("aws_vpc.this", "aws_vpc"),
        ("module.a.module.b.aws_lb.this", "aws_lb"),
    ]
    assert found[1].values == {"name": "edge"}


def test_what_is_unknown_is_missing(tmp_path: Path) -> None:
    """A value that is null in the plan is not among the values."""
    (found,) = open_plan(written(tmp_path, document([resource("aws_lb.this", name="edge", subnets=None)]))).resources
    assert dict(found.values) == {"name": "edge"}


def test_a_reference_leads_to_its_resource() -> None:
    """An ECS service refers to the task definition whose ARN it takes."""
    configuration = {
        "resources": [
            configured("aws_ecs_service.api", task_definition=["aws_ecs_task_definition.api.arn"]),
            configured("aws_ecs_task_definition.api"),
        ]
    }
    plan = document([resource("aws_ecs_service.api"), resource("aws_ecs_task_definition.api")], configuration)
    assert refers(plan, "aws_ecs_service.api") == {"task_definition": ("aws_ecs_task_definition.api",)}


def test_a_choice_is_told_from_a_mere_reference() -> None:
    """What a variable goes into as well may be something else, or nothing."""
    configuration = {
        "resources": [
            configured("aws_instance.a", host_id=["var.dedicated", "aws_ec2_host.h.id", "aws_ec2_host.h"]),
            configured("aws_instance.b", host_id=["aws_ec2_host.h.id", "aws_ec2_host.h"]),
        ]
    }
    later = {"actions": ["create"], "after_unknown": {"host_id": True}}
    changes = [{"address": f"aws_instance.{name}", "change": later} for name in ("a", "b")]
    plan = document([resource("aws_instance.a"), resource("aws_instance.b")], configuration, resource_changes=changes)
    assert [each.mixed for each in understand(plan, "plan.json").resources] == [{"host_id"}, frozenset()]


def test_a_reference_leads_through_modules() -> None:
    """A variable of a module leads to the call, and the call to another module's output, and that to its resource."""
    vpc = {
        "resources": [configured("aws_subnet.public")],
        "outputs": {"ids": {"expression": {"references": ["aws_subnet.public"]}}},
    }
    alb = {"resources": [configured("aws_lb.this", subnets=["var.subnets"])]}
    configuration = {
        "module_calls": {
            "vpc": {"module": vpc},
            "alb": {"module": alb, "expressions": {"subnets": {"references": ["module.vpc.ids", "module.vpc"]}}},
        }
    }
    subnets = [f"module.vpc.aws_subnet.public[{index}]" for index in range(2)]
    children = [
        {"resources": [resource(address) for address in subnets]},
        {"resources": [resource("module.alb.aws_lb.this")]},
    ]
    assert refers(document([], configuration, children), "module.alb.aws_lb.this") == {"subnets": tuple(subnets)}


def test_a_reference_of_a_block_is_dotted() -> None:
    """A group refers to its launch template under the key of the block and the key in it."""
    configuration = {
        "resources": [
            configured("aws_autoscaling_group.web", launch_template={"id": ["aws_launch_template.web.id"]}),
            configured("aws_launch_template.web"),
        ]
    }
    plan = document([resource("aws_autoscaling_group.web"), resource("aws_launch_template.web")], configuration)
    assert refers(plan, "aws_autoscaling_group.web") == {"launch_template.id": ("aws_launch_template.web",)}


@pytest.mark.parametrize("key", ["each.key", "count.index"])
def test_one_of_each_refers_to_its_own(key: str) -> None:
    """With a resource for each key, an instance refers to the one of the same key and not to all."""
    index = '["a"]' if key == "each.key" else "[0]"
    other = '["b"]' if key == "each.key" else "[1]"
    configuration = {
        "resources": [
            configured("aws_nat_gateway.this", subnet_id=["aws_subnet.public", key]),
            configured("aws_subnet.public"),
        ]
    }
    planned = [f"{kind}{each}" for kind in ("aws_nat_gateway.this", "aws_subnet.public") for each in (index, other)]
    plan = document([resource(address) for address in planned], configuration)
    assert refers(plan, f"aws_nat_gateway.this{other}") == {"subnet_id": (f"aws_subnet.public{other}",)}


def test_a_named_instance_is_meant() -> None:
    """A reference with an index leads to that instance only."""
    configuration = {
        "resources": [
            configured("aws_instance.nat", subnet_id=["aws_subnet.public[1].id"]),
            configured("aws_subnet.public"),
        ]
    }
    addresses = ["aws_instance.nat", "aws_subnet.public[0]", "aws_subnet.public[1]"]
    plan = document([resource(address) for address in addresses], configuration)
    assert refers(plan, "aws_instance.nat") == {"subnet_id": ("aws_subnet.public[1]",)}


def test_modules_of_one_call_keep_to_themselves() -> None:
    """Of a module with an instance for each service, a service refers to the task definition of its own instance."""
    module = {
        "resources": [
            configured("aws_ecs_service.this", task_definition=["aws_ecs_task_definition.this.arn"]),
            configured("aws_ecs_task_definition.this"),
        ]
    }
    kinds = ("aws_ecs_service.this", "aws_ecs_task_definition.this")
    children = [
        {"resources": [resource(f'module.service["{name}"].{kind}') for kind in kinds]} for name in ("api", "web")
    ]
    plan = document([], {"module_calls": {"service": {"module": module}}}, children)
    own = 'module.service["web"].aws_ecs_task_definition.this'
    assert refers(plan, 'module.service["web"].aws_ecs_service.this') == {"task_definition": (own,)}


@pytest.mark.parametrize(
    ("rest", "region"),
    [
        (
            {
                "configuration": {
                    "provider_config": {"aws": {"expressions": {"region": {"constant_value": "eu-west-1"}}}}
                }
            },
            "eu-west-1",
        ),
        (
            {
                "configuration": {
                    "provider_config": {"aws": {"expressions": {"region": {"references": ["var.region"]}}}}
                },
                "variables": {"region": {"value": "ap-northeast-2"}},
            },
            "ap-northeast-2",
        ),
        (
            {
                "configuration": {
                    "provider_config": {"aws": {"expressions": {"region": {"constant_value": "eusc-de-east-1"}}}}
                }
            },
            "eusc-de-east-1",
        ),
        ({}, None),
    ],
)
def test_the_region_is_the_providers(rest: dict[str, Any], region: str | None) -> None:
    """The region stands in the provider's block, as it is or as a variable."""
    assert understand(document([]) | rest, "plan.json").region == region


def test_the_region_is_seen_in_zones(tmp_path: Path) -> None:
    """Without a provider's block the region is that of a subnet's zone."""
    plan = document([resource("aws_subnet.a", availability_zone="eu-west-1b")])
    assert open_plan(written(tmp_path, plan)).region == "eu-west-1"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"PK\x03\x04rest of a zip", "in Terraform's own format"),
        (b"Terraform will perform the following actions:", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"@level":"info","@message":"Terraform 1.9.8","type":"version"}\n{}\n', "tells while it works"),
        (b"[]", "not a plan"),
        (b'{"values": {"root_module": {}}}', "a state"),
        (b'{"planned_values": {"root_module": {"resources": [{}]}}}', "a part that no plan has"),
        (b'{"planned_values": {"root_module": {"resources": 7}}}', "a part that no plan has"),
        (
            b'{"planned_values": {"root_module": {"resources": [{"address": "a.b", "type": null}]}}}',
            "TypeError\\('type of a.b is None'\\)",
        ),
        (
            b'{"planned_values": {"root_module": {"resources": [{"address": "a.b", "type": "a"}]}}, '
            b'"configuration": {"root_module": {"resources": [{"address": "a.b", "expressions": '
            + b'{"a":' * 900
            + b"1"
            + b"}" * 900
            + b"}]}}}",
            "RecursionError",
        ),
        (b'{"planned_values": {}, "configuration": {"root_module": {"module_calls": []}}}', "a part that no plan has"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    """A file that is no plan's JSON is one error that says what it is and how to make one."""
    path = tmp_path / "plan.json"
    path.write_bytes(raw)
    with pytest.raises(WrongInputError, match=said) as error:
        open_plan(path)
    assert "terraform show -json" in error.value.way_out


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A plan that is not there is one error."""
    with pytest.raises(WrongInputError, match="cannot be read"):
        open_plan(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ({"complete": False}, "not complete"),
        ({"errored": True}, "Terraform failed"),
        (
            {"deferred_changes": [{"resource_change": {"address": "aws_lb.later"}}]},
            "later plan, and not in this one: aws_lb",
        ),
        ({"resource_changes": [{"address": "aws_lb.lost", "change": {"actions": ["create"]}}]}, "stripped"),
        ({"configuration": None}, "no configuration"),
        ({"planned_values": {}}, "no resources"),
        (
            {
                "planned_values": {},
                "resource_changes": [{"address": "aws_lb.this", "change": {"actions": ["delete"]}}],
            },
            "takes 1 away and leaves no resources",
        ),
    ],
)
def test_a_plan_that_is_not_all_of_the_truth_says_so(rest: dict[str, Any], said: str) -> None:
    """What is left out of a plan, by Terraform or by who shortened it, is a sentence."""
    plan = document([resource("aws_lb.this")], {"resources": []})
    assert understand(plan, "plan.json").lacks == ()
    (sentence,) = understand(plan | rest, "plan.json").lacks
    assert said in sentence


def test_what_goes_away_is_not_missed() -> None:
    """Changes that remove or forget a resource are no gap, nor are looked-up data."""
    changes = [
        {"address": "aws_lb.old", "change": {"actions": ["delete"]}},
        {"address": "aws_lb.left", "change": {"actions": ["forget"]}},
        {"address": "data.aws_ami.newest", "mode": "data", "change": {"actions": ["read"]}},
    ]
    plan = document([resource("aws_lb.this")], {"resources": []}, resource_changes=changes)
    assert understand(plan, "plan.json").lacks == ()


def test_a_plan_without_aws_is_refused() -> None:
    """A plan of another cloud is one error that names what it has."""
    bucket = {"address": "google_storage_bucket.b", "mode": "managed", "type": "google_storage_bucket", "values": {}}
    with pytest.raises(WrongInputError, match=r"nothing in plan\.json is on AWS: its resources are of google"):
        understand(document([bucket]), "plan.json").on_aws("plan.json")


def test_a_plan_of_awss_other_provider_is_refused_as_that() -> None:
    """Cloud Control's types are on AWS, and nobody here reads them: the error says which provider is read."""
    gateway = {"address": "awscc_ec2_nat_gateway.a", "mode": "managed", "type": "awscc_ec2_nat_gateway", "values": {}}
    with pytest.raises(WrongInputError, match=r"nothing in plan\.json is of hashicorp/aws, .* of awscc"):
        understand(document([gateway]), "plan.json").on_aws("plan.json")


def test_what_only_the_apply_tells_is_told_from_what_nobody_set() -> None:
    """Of values that are unknown those count that the configuration gives, inside of blocks as well."""
    address = "aws_instance.web"
    unknown = {"arn": True, "instance_type": True, "root_block_device": [{"volume_id": True, "volume_size": True}]}
    given = configured(address, ami="ami-1", instance_type=["local.size"], root_block_device={"volume_size": ["var.n"]})
    changes = [{"address": address, "change": {"actions": ["create"], "after_unknown": unknown}}]
    plan = document([resource(address)], {"resources": [given]}, resource_changes=changes)
    (web,) = understand(plan, "plan.json").resources
    assert web.later == {"instance_type", "root_block_device.volume_size"}
