"""Target groups that AWS would not delete, found before anything moves."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.terraform import Terraform, offline

from crossfade.aws.terraform.changes import read_changes
from crossfade.aws.terraform.modules import FOLDER

GROUP, RULE = "aws_lb_target_group.web", "aws_lb_listener_rule.web"
REPLACED, REPLACED_LATER, DELETED = ["delete", "create"], ["create", "delete"], ["delete"]
NO_OP, UPDATED, FORGOTTEN = ["no-op"], ["update"], ["forget"]
OTHER = "arn:other"


def entry(address: str, actions: list[str], before: Any = None, after: Any = None) -> dict[str, Any]:
    change = {"actions": actions, "before": before, "after": after}
    return {"address": address, "mode": "managed", "type": address.split(".", maxsplit=1)[0], "change": change}


def group(actions: list[str]) -> dict[str, Any]:
    return entry(GROUP, actions, {"arn": "arn:web"}, {})


def leading(actions: list[str], after: str | None = "arn:web", kind: str = RULE) -> dict[str, Any]:
    """What leads to the group by weight, and to `after` once the plan is made."""

    def to(arn: str | None) -> dict[str, Any] | None:
        key = "action" if "rule" in kind else "default_action"
        return {key: [{"forward": [{"target_group": [{"arn": arn, "weight": 100}]}]}]} if arn else None

    return entry(kind, actions, to("arn:web"), to(after))


def found(*entries: dict[str, Any]) -> tuple[str, ...]:
    return read_changes({"resource_changes": list(entries)}).in_use


@pytest.mark.parametrize("kind", [RULE, "aws_lb_listener.http", "aws_alb_listener.http", "aws_alb_listener_rule.web"])
def test_a_group_that_is_led_to_does_not_go(kind: str) -> None:
    """Replaced or deleted, whatever leads there."""
    for actions in (REPLACED, DELETED):
        assert found(group(actions), leading(NO_OP, kind=kind)) == (GROUP,)
    assert found(group(["update"]), leading(NO_OP, kind=kind)) == ()


def test_one_that_goes_with_what_leads_to_it() -> None:
    """A service that is taken out of the file takes its rules along, and another default service the listener."""
    for actions in (DELETED, REPLACED, REPLACED_LATER):
        assert found(group(DELETED), leading(actions, None)) == ()
        assert found(group(REPLACED), leading(actions)) == ()
    assert found(group(REPLACED)) == ()


def test_one_that_is_led_away_from_in_time() -> None:
    """Changes are made before what only goes is deleted, and after the first half of a replacement."""
    assert found(group(DELETED), leading(UPDATED, OTHER)) == ()
    assert found(group(REPLACED_LATER), leading(UPDATED, OTHER)) == ()
    assert found(group(REPLACED_LATER), leading(UPDATED)) == (GROUP,)
    assert found(group(REPLACED), leading(UPDATED, OTHER)) == (GROUP,)


def test_what_terraform_forgets_leads_on() -> None:
    """It is on AWS as before."""
    assert found(group(DELETED), leading(FORGOTTEN, None)) == (GROUP,)


def test_what_was_looked_up_holds_nothing() -> None:
    """A data source is read, and a group of which nothing is known yet is nobody's."""
    assert found(group(REPLACED), leading(NO_OP) | {"mode": "data"}) == ()
    assert found(entry(GROUP, REPLACED, None, {}), leading(NO_OP)) == ()


MAIN = """
variable "port" {}
variable "kind" {}
variable "default_service" {}

module "alb" {
  source            = "%s"
  name              = "shop-dev"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  https             = false
  default_service   = var.default_service
  services = {
    (var.default_service) = {
      port        = var.port
      target_type = var.kind
      drain       = 30
      health      = { path = "/", interval = 10, timeout = 5, healthy = 2, unhealthy = 2, codes = "200" }
    }
  }
}
"""
AT = "arn:aws:elasticloadbalancing:us-east-1:123456789012"


@pytest.fixture(scope="module")
def standing(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose state has our balancer with one service, as an apply left it."""
    folder = tmp_path_factory.mktemp("standing")
    (folder / "main.tf").write_text(MAIN % (FOLDER / "networking/alb"))
    (folder / "providers.tf").write_text('provider "aws" {\n  region = "us-east-1"\n}\n')
    groups = {f"web-{colour}": f"{AT}:targetgroup/shop-dev-web-{colour}/1" for colour in ("blue", "green")}
    balancer = f"{AT}:loadbalancer/app/shop-dev/1"
    forward = {
        "target_group": [{"arn": arn, "weight": weight} for arn, weight in zip(groups.values(), (0, 100), strict=True)]
    }
    written = [
        _kept("aws_lb", "this", {None: _balancer(balancer)}),
        _kept("aws_lb_target_group", "this", {name: _group(name, arn) for name, arn in groups.items()}),
        _kept("aws_lb_listener", "http", {0: _listener(balancer, forward)}),
        _kept("terraform_data", "default_service", {None: _data("web")}),
    ]
    state = {"version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "shop", "outputs": {}}
    (folder / "terraform.tfstate").write_text(json.dumps({**state, "resources": written}))
    offline(folder)
    terraform.init(folder, backend=True)
    return folder


def _kept(kind: str, name: str, instances: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    source = "terraform.io/builtin/terraform" if kind == "terraform_data" else "registry.terraform.io/hashicorp/aws"
    found = [
        {"schema_version": 0, "attributes": {"id": of.get("arn", "1"), **of}}
        | ({} if key is None else {"index_key": key})
        for key, of in instances.items()
    ]
    return {
        "module": "module.alb",
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider": f'provider["{source}"]',
        "instances": found,
    }


def _balancer(arn: str) -> dict[str, Any]:
    return {
        "arn": arn,
        "name": "shop-dev",
        "load_balancer_type": "application",
        "internal": False,
        "subnets": ["subnet-1", "subnet-2"],
        "security_groups": ["sg-1"],
    }


def _group(name: str, arn: str) -> dict[str, Any]:
    return {
        "arn": arn,
        "name": f"shop-dev-{name}",
        "port": 3000,
        "protocol": "HTTP",
        "target_type": "ip",
        "vpc_id": "vpc-1",
    }


def _listener(balancer: str, forward: dict[str, Any]) -> dict[str, Any]:
    action = {"type": "forward", "order": 1, "target_group_arn": "", "forward": [forward]}
    return {
        "arn": f"{AT}:listener/app/shop-dev/1/1",
        "load_balancer_arn": balancer,
        "port": 80,
        "protocol": "HTTP",
        "default_action": [action],
    }


def _data(text: str) -> dict[str, Any]:
    return {"input": {"value": text, "type": "string"}, "output": {"value": text, "type": "string"}}


@pytest.mark.parametrize(
    ("port", "kind", "service", "held"),
    [
        pytest.param(3000, "ip", "web", False, marks=pytest.mark.long),
        pytest.param(4000, "ip", "web", True),
        pytest.param(3000, "instance", "web", True, marks=pytest.mark.long),
        pytest.param(4000, "ip", "site", False, marks=pytest.mark.long),
    ],
)
def test_as_terraform_plans_it(
    terraform: Terraform, standing: Path, port: int, kind: str, service: str, *, held: bool
) -> None:
    """A changed port or kind of compute would end what the listener leads to; another service brings its own."""
    given = [f"-var={key}={value}" for key, value in (("port", port), ("kind", kind), ("default_service", service))]
    plan = terraform.plan(standing, "-refresh=false", *given)
    both = tuple(f'module.alb.aws_lb_target_group.this["web-{colour}"]' for colour in ("blue", "green"))
    assert read_changes(plan).in_use == (both if held else ())
