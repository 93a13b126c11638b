"""What is settled once for everybody: the model of an environment and its Terraform say the same, whatever the file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.choose import on_aws, one_on_aws
from crossfade.aws.environment import balancer_protected, idle_timeout, whole
from crossfade.aws.resources.expect import expected
from crossfade.aws.terraform.environment import files
from crossfade.aws.terraform.hcl import Block
from crossfade.aws.terraform.parts.data import data
from crossfade.aws.terraform.parts.network import network
from crossfade.aws.terraform.parts.security import security
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.stage import is_production
from crossfade.file.model import App

IDLE = st.sampled_from(["0s", "1.5s", "60s", "1h", "4000s", "2h"])
SERVICE = st.fixed_dictionaries(
    {
        "drain": st.sampled_from(["0s", "1.2s", "1.5s", "2.5s", "300s"]),
        "idle_timeout": IDLE,
        "health": st.sampled_from([{}, {"interval": "6s", "timeout": "2s"}, {"interval": "30s", "timeout": "5s"}]),
    }
)
CLOUD = st.fixed_dictionaries(
    {
        "zones": st.sampled_from([["a", "b"], ["a", "c", "d"]]),
        "network": st.fixed_dictionaries(
            {"endpoints": st.lists(st.sampled_from(["s3", "dynamodb", "ecr", "logs", "ssm"]), unique=True)}
        ),
    },
    optional={
        "database": st.sampled_from([{}, {"host": True, "instance": "t3.small"}]),
        "cache": st.just({}),
        "secrets": st.just({"TOKEN": {}, "KEY": {"name": "team/key"}}),
    },
)


@st.composite
def apps(draw: st.DrawFn) -> App:
    """One to three services on Fargate, with seconds that are whole and such that are not."""
    names = draw(st.lists(st.sampled_from(["web", "api", "live"]), min_size=1, max_size=3, unique=True))
    cloud = draw(CLOUD)
    base = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}, "secrets": list(cloud.get("secrets", ()))}
    services = {
        name: {**base, **draw(SERVICE), **({"routes": [{"path": f"/{name}/*"}]} if index else {})}
        for index, name in enumerate(names)
    }
    return App.model_validate(
        {"app": "shop", "environment": "prod", "platform": "aws", "services": services, "cloud": cloud}
    )


def modules(app: App) -> dict[str, Mapping[str, Any]]:
    """What Terraform's modules are called with, by their name."""

    def blocks() -> Iterator[Block]:
        for part in (network, data, security):
            yield from part(app)

    return {
        block.labels[0]: dict(item for item in block.body if not isinstance(item, Block))
        for block in blocks()
        if block.kind == "module"
    }


@given(app=apps())
def test_model_and_terraform_agree_on_an_environment(app: App) -> None:
    """Idle time, drains, health checks, endpoints, subnets, zones and names of secrets."""
    there = {resource.address: resource.values for resource in expected(app)}
    called = modules(app)
    alb, vpc = called["alb"], called["vpc"]
    assert there["module.alb.aws_lb.this"]["idle_timeout"] == alb["idle_timeout"]
    for name, target in alb["services"].items():
        for colour in ("blue", "green"):
            group = there[f'module.alb.aws_lb_target_group.this["{name}-{colour}"]']
            assert group["deregistration_delay"] == str(target["drain"])
            check = group["health_check"][0]
            assert (check["interval"], check["timeout"]) == (target["health"]["interval"], target["health"]["timeout"])
    endpoints = {
        kind: {address.split('"')[1] for address in there if f"aws_vpc_endpoint.{kind}[" in address}
        for kind in ("gateway", "interface")
    }
    assert endpoints["gateway"] == set(vpc["gateway_endpoints"] or ())
    assert endpoints["interface"] == set(vpc.get("interface_endpoints") or ())
    subnets = {values["availability_zone"] for address, values in there.items() if "aws_subnet.public" in address}
    assert subnets == set(vpc["zones"])
    assert bool(vpc.get("database_subnets")) is any("aws_subnet.database" in address for address in there)
    secrets = {values["name"] for address, values in there.items() if "aws_secretsmanager_secret.this" in address}
    assert secrets == {secret["name"] for secret in called.get("secrets", {}).get("secrets", {}).values()}


@pytest.mark.parametrize(("seconds", "aws"), [(0, 0), (1, 1), (1.2, 2), (1.5, 2), (2.5, 3), (300, 300)])
def test_no_time_on_aws_is_shorter_than_was_asked(seconds: float, aws: int) -> None:
    """AWS takes whole seconds: they are rounded up."""
    assert whole(seconds) == aws


@pytest.mark.parametrize(
    ("asked", "settled"),
    [(["60s"], 60), (["60s", "1h"], 3600), (["2h"], 4000), (["0s"], 4000), (["60s", "0s"], 4000), (["1.5s"], 2)],
)
def test_the_most_patient_service_decides_how_long_a_connection_may_be_idle(asked: list[str], settled: int) -> None:
    """All services share one load balancer; never is its most."""
    base = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}
    services = {
        f"s{n}": {**base, "idle_timeout": idle, "routes": [{"path": f"/{n}/*"}]} for n, idle in enumerate(asked)
    }
    app = App.model_validate({"app": "shop", "environment": "prod", "platform": "aws", "services": services})
    assert idle_timeout(app) == settled


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crossfade.yaml"
    web = "{image: web, port: 3000, resources: {cpu: 0.5, memory: 1G}}"
    environments = "{local: {}, dev: {platform: aws}, prod: {platform: aws}}"
    path.write_text(f"app: shop\nservices: {{web: {web}}}\nenvironments: {environments}\n")
    return path


class TestWhichEnvironment:
    """Every verb about AWS chooses in the same way."""

    def test_by_default_all_on_aws(self, file: Path) -> None:
        """In the file's order."""
        assert [app.environment for app in on_aws(file)] == ["dev", "prod"]

    def test_the_one_that_was_named(self, file: Path) -> None:
        assert one_on_aws(file, "dev").environment == "dev"

    def test_several_are_a_question(self, file: Path) -> None:
        """Unless production is what is meant when nobody says."""
        with pytest.raises(WrongInputError, match="several environments on AWS: dev, prod"):
            one_on_aws(file)
        assert one_on_aws(file, production=True).environment == "prod"

    def test_one_that_is_not_on_aws_is_refused(self, file: Path) -> None:
        with pytest.raises(WrongInputError, match="local is not on AWS"):
            one_on_aws(file, "local")

    def test_one_that_is_not_there_is_refused_with_the_nearest(self, file: Path) -> None:
        with pytest.raises(WrongInputError, match='no environment "prd"') as refused:
            on_aws(file, ["prd"])
        assert "did you mean prod?" in refused.value.way_out


@pytest.mark.parametrize("name", ["prod", "production", "prd", "live", "Production", "PRD", "eu-production", "prod_eu"])
def test_an_environment_of_visitors_is_told_by_its_name(name: str) -> None:
    """For every reader: bill, findings and the guard before a change."""
    assert is_production(name)


@pytest.mark.parametrize("name", ["dev", "products", "staging", "reproduction", "preprod", "lively"])
def test_a_name_that_only_sounds_alike_is_none(name: str) -> None:
    """Words are told apart by hyphens and underscores."""
    assert not is_production(name)


def small(**cloud: Any) -> App:
    web = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}
    given = {"app": "shop", "environment": "prod", "platform": "aws", "services": {"web": web}, "cloud": cloud}
    return App.model_validate(given)


@pytest.mark.parametrize(
    ("cloud", "protected"),
    [
        ({}, False),
        ({"database": {"multi_az": True}}, True),
        ({"database": {"backups": "1d"}}, False),
        ({"database": {"multi_az": True}, "load_balancer": {"protect": False}}, False),
        ({"load_balancer": {"protect": True}}, True),
        ({"database": {"host": True, "instance": "t3.small"}}, False),
    ],
)
def test_a_door_is_protected_as_what_is_behind_it(cloud: dict[str, Any], protected: bool) -> None:
    """The load balancer's protection follows the database's, unless the file says otherwise."""
    assert balancer_protected(small(**cloud)) is protected


@pytest.mark.parametrize(
    ("lock", "written", "needs"),
    [
        ("table", 'dynamodb_table = "shop-terraform-lock"', '">= 1.5"'),
        ("file", "use_lockfile   = true", '">= 1.10"'),
    ],
)
def test_the_states_lock(lock: str, written: str, needs: str) -> None:
    """A table by default; a file beside the state where Terraform is new enough for it, and only one of both."""
    texts = files(small(state={"lock": lock}))
    assert " ".join(written.split()) in " ".join(texts["backend.tf"].split())
    assert ("dynamodb_table" in texts["backend.tf"]) is (lock == "table")
    assert needs in texts["providers.tf"]


def test_terraform_refuses_credentials_of_another_account() -> None:
    """Also at the edge; where the file names no account, whoever applies says it by theirs."""

    def providers(**cloud: Any) -> list[str]:
        lines = files(small(site={"folder": "build"}, domain={"name": "shop.example"}, **cloud))["providers.tf"]
        return [line.split("=")[1].strip() for line in lines.splitlines() if "allowed_account_ids" in line]

    assert providers(account="123456789012") == ['["123456789012"]'] * 2
    assert providers() == []
