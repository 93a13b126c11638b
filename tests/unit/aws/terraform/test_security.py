"""Who may do what, and the secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.planned import Plans
from tests.unit.aws.terraform.files import app, on_hosts

from crossfade.aws.audit.on_plan.secrets import never_rotated
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.plan import open_plan
from crossfade.aws.terraform.hcl import Expression
from crossfade.aws.terraform.parts.security import security

SECRETS = {"KEY": {}, "TOKEN": {"name": "acme/token", "rotate": "90d"}}


def call(module: str, *blocks: Any) -> dict[str, Any]:
    (found,) = (one for one in blocks if one.kind == "module" and one.labels == (module,))
    return dict(item for item in found.body if isinstance(item, tuple))


def test_a_service_is_given_its_own_secrets_only() -> None:
    """Each service's role may read the secrets that the service lists, and none of its neighbour's."""
    given = call("iam", *security(app({"web": {"secrets": ["KEY"]}, "api": {"secrets": ["TOKEN"]}}, secrets=SECRETS)))
    assert given["services"]["web"]["secret_arns"] == [Expression('module.secrets.arns["KEY"]')]
    assert given["services"]["api"]["secret_arns"] == [Expression('module.secrets.arns["TOKEN"]')]


def test_tasks_may_read_the_login_of_their_images_registry() -> None:
    """And no other service's."""
    web = {"image": {"name": "ghcr.io/acme/web:1", "credentials": "KEY"}}
    given = call("iam", *security(app({"web": web, "api": {}}, secrets=SECRETS)))["services"]
    assert given["web"]["secret_arns"] == [Expression('module.secrets.arns["KEY"]')]
    assert "secret_arns" not in given["api"]


def test_a_bucket_is_for_those_it_names() -> None:
    """A bucket without services is for all of them, one with services for those alone."""
    buckets = {"shared": {}, "files": {"services": ["api"]}}
    given = call("iam", *security(app({"web": {}, "api": {}}, buckets=buckets)))["services"]
    assert given["web"]["bucket_arns"] == [Expression("module.bucket_shared.arn")]
    assert given["api"]["bucket_arns"] == [
        Expression("module.bucket_shared.arn"),
        Expression("module.bucket_files.arn"),
    ]


def test_secrets_are_called_after_the_environment() -> None:
    """app/environment/NAME unless the file names them; a period is passed on, and no value is."""
    given = call("secrets", *security(app(secrets=SECRETS)))["secrets"]
    assert given == {"KEY": {"name": "shop/prod/KEY"}, "TOKEN": {"name": "acme/token", "rotate_days": 90}}


def test_without_secrets_there_is_no_module() -> None:
    """What the file does not ask for is not called."""
    assert "secrets" not in {one.labels[0] for one in security(app())}


def test_hosts_have_a_role_instead_of_tasks() -> None:
    """On hosts there is one role for all, which fetches revisions and reports metrics."""
    given = call("iam", *security(on_hosts(compute={"metrics": {}})))
    assert given["fargate"] is False
    assert given["hosts"]["revisions"] == {"bucket_arn": Expression("module.deploys.bucket_arn")}
    assert given["hosts"]["agent_parameter"] is True
    assert given["codedeploy"]["blue_green"] is True


def test_whoever_deploys_changes_this_environment() -> None:
    """The role of CI is taken on from this branch, and has the policy that lies beside main.tf."""
    given = call("iam", *security(app(deployer={"github": "acme/shop", "branch": "release"}, site={})))
    assert given["deployer"] == {"github": "acme/shop", "branch": "release", "providers": True}
    assert given["deployer_policy"] == Expression('"${path.module}/deployer.json.tftpl"')


def test_nobody_deploys_unless_the_file_says_who() -> None:
    """Without a deployer there is no role to take on."""
    given = call("iam", *security(app()))
    assert "deployer" not in given
    assert "deployer_policy" not in given


@pytest.mark.long
def test_tiketis_secrets_are_as_its_team_wants(plans: Plans) -> None:
    """tiketi/db/password, tiketi/jwt/secret and tiketi/redis/password, due every 90 days."""
    prod = plans.of("tiketi", "prod")
    secrets = {one["name"]: one["tags"] for one in prod.of("aws_secretsmanager_secret").values()}
    assert secrets == {
        f"tiketi/{name}": {"RotateEvery": "90d"} for name in ("db/password", "jwt/secret", "redis/password")
    }
    due = [one for address, one in prod.of("aws_cloudwatch_event_rule").items() if "secrets" in address]
    assert [one["schedule_expression"] for one in due] == ["rate(90 days)"] * 3


@pytest.mark.long
def test_codemates_secrets_are_in_secrets_manager(plans: Plans) -> None:
    """Every secret is `codemate/prod/...`, and reaches the container by reference."""
    prod = plans.of("codemate", "prod")
    names = [one["name"] for one in prod.of("aws_secretsmanager_secret").values()]
    assert names
    assert all(name.startswith("codemate/prod/") for name in names)
    call = prod.json["configuration"]["root_module"]["module_calls"]["service_backend"]["expressions"]
    assert {ref for ref in call["secrets"]["references"] if ref.startswith("module.secrets.arns[")}


@pytest.mark.long
def test_every_role_of_an_environment_is_its_own(plans: Plans) -> None:
    """Roles carry the environment's name, so that dev's can be told from prod's."""
    for system, environment in (("codemate", "prod"), ("tiketi", "prod"), ("bluegreen", "prod")):
        roles = [one["name"] for one in plans.of(system, environment).of("aws_iam_role").values() if "name" in one]
        assert len(roles) >= 3
        assert [name for name in roles if not name.startswith(f"{system}-{environment}")] == []


@pytest.mark.long
def test_bluegreens_roles_are_as_its_team_wants(plans: Plans) -> None:
    """Hosts, CodeDeploy and GitLab's jobs each have a role of their own."""
    roles = {one["name"] for one in plans.of("bluegreen", "prod").of("aws_iam_role").values()}
    assert {"bluegreen-prod-host", "bluegreen-prod-codedeploy", "bluegreen-prod-deployer"} <= roles


@pytest.mark.long
def test_the_audit_knows_a_reminder(plans: Plans, tmp_path: Path) -> None:
    """Secrets that are due every 90 days are no finding in the plan either, as they are none in the file."""
    found = {}
    for system in ("tiketi", "codemate"):
        (tmp_path / f"{system}.json").write_text(json.dumps(plans.of(system, "prod").json))
        inventory = Inventory(open_plan(tmp_path / f"{system}.json").resources)
        found[system] = {mark.address.partition('"')[2].strip('"]') for mark in never_rotated(inventory)}
    assert found["tiketi"] == set()
    assert "JWT_SECRET" not in found["codemate"]
    assert "DATABASE_URL" in found["codemate"]
