"""How a push becomes a release: CodePipeline, CodeDeploy, and what lies in the repository for both."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from tests.support.planned import Plans
from tests.unit.aws.terraform.files import app, on_hosts

from crossfade.aws.terraform.hcl import Block, Expression
from crossfade.aws.terraform.parts.cicd import cicd
from crossfade.aws.terraform.parts.compute import compute
from crossfade.aws.terraform.revision import new_fleet, revision

PIPELINE = {"repository": "acme/shop"}


def call(of: Any, part: Callable[[Any], Iterator[Block]] = cicd) -> dict[str, Any]:
    """Arguments of the one module."""
    (found,) = (one for one in part(of) if one.kind == "module")
    return {"module": found.labels[0], **dict(item for item in found.body if isinstance(item, tuple))}


def test_without_a_pipeline_there_is_none() -> None:
    """Whoever deploys with the command line gets neither pipeline nor specifications."""
    assert list(cicd(app())) == []
    assert revision(app()) == {}


def test_every_service_is_built_and_deployed() -> None:
    """Each service has its repository, and one deploy of all has the rights of whoever deploys."""
    given = call(app({"web": {}, "api": {}}, pipeline=PIPELINE))
    assert given["module"] == "pipeline"
    assert set(given["services"]) == {"web", "api"}
    assert given["environment"] == "prod"
    assert given["deployer_policy"] == Expression('"${path.module}/deployer.json.tftpl"')
    assert given["services"]["api"]["repository_url"] == Expression("module.ecr_api.repository_url")


def test_a_moving_latest_is_only_for_registries_that_let_it_move() -> None:
    """An immutable repository refuses a second `latest`."""
    assert "latest" not in call(app(pipeline=PIPELINE))
    assert call(app(pipeline=PIPELINE, registry={"immutable": False}))["latest"] is True


@pytest.mark.parametrize(
    ("deploy", "by", "fleet", "at_once"),
    [
        ({"strategy": "blue-green"}, "codedeploy-only", True, "AllAtOnce"),
        ({"strategy": "canary"}, "codedeploy-only", True, "OneAtATime"),
        ({"strategy": "rolling", "min_healthy": 50, "max_surge": 50}, "codedeploy-only", False, "HalfAtATime"),
        ({"strategy": "rolling"}, "codedeploy-only", False, "OneAtATime"),
        ({"strategy": "recreate"}, "codedeploy-only", False, "AllAtOnce"),
    ],
)
def test_codedeploy_does_what_the_strategy_says(deploy: dict[str, Any], by: str, fleet: bool, at_once: str) -> None:
    """A new fleet only where CodeDeploy moves the traffic; in place never all hosts, unless the file wants that."""
    asked = on_hosts({"deploy": deploy}, pipeline={"strategy": by})
    given = call(asked)
    assert new_fleet(asked) is given["blue_green"] is fleet
    assert given["configuration"] == f"CodeDeployDefault.{at_once}"
    assert ("keep_minutes" in given) is fleet


@pytest.mark.parametrize("by", ["hybrid", "gitlab-only"])
def test_codedeploy_brings_by_colour_where_crossfade_moves_the_traffic(by: str) -> None:
    """A deployment group for each Auto Scaling group, called the same; hosts have its name as a tag."""
    asked = on_hosts(pipeline={"strategy": by})
    given, hosts = call(asked), call(asked, compute)
    assert given["colours"] == {"shop-prod-web-blue": "crossfade:group", "shop-prod-web-green": "crossfade:group"}
    assert not {"blue_green", "group", "alarm_names"} & given.keys()
    assert hosts["host_tags"]["green"] == {"crossfade:group": "shop-prod-web-green"}
    assert hosts["green"]["name"] == "shop-prod-web-green"
    assert "revisions" in hosts


def test_the_old_fleet_stays_as_long_as_the_file_says() -> None:
    """`keep_previous` in minutes, and never longer than CodeDeploy can."""
    assert call(on_hosts({"deploy": {"strategy": "blue-green", "keep_previous": "1h"}}))["keep_minutes"] == 60
    assert call(on_hosts({"deploy": {"strategy": "blue-green", "keep_previous": "7d"}}))["keep_minutes"] == 2880


@pytest.mark.long
def test_codemates_pipeline_is_as_its_team_wants(plans: Plans) -> None:
    """GitHub, two builds, manual approval in prod, one deploy of what was built; dev deploys on every push."""
    stages = {
        name: [stage["name"] for stage in plans.of("codemate", name).one("aws_codepipeline")["stage"]]
        for name in ("dev", "prod")
    }
    assert stages["prod"] == ["Source", "Build", "Approve", "Deploy"]
    assert stages["dev"] == ["Source", "Build", "Deploy"]
    source, build, _, deploy = plans.of("codemate", "prod").one("aws_codepipeline")["stage"]
    assert source["action"][0]["provider"] == "CodeStarSourceConnection"
    assert [one["name"] for one in build["action"]] == ["backend", "frontend"]
    (release,) = deploy["action"]
    assert (release["provider"], release["input_artifacts"]) == (
        "CodeBuild",
        ["source", "image_backend", "image_frontend"],
    )


@pytest.mark.long
def test_tiketis_pipeline_brings_site_and_api(plans: Plans) -> None:
    """On a push the API is built, pushed and updated, and the site built, uploaded and invalidated."""
    *_, deploy = plans.of("tiketi", "prod").one("aws_codepipeline")["stage"]
    assert {one["name"]: one["provider"] for one in deploy["action"]} == {"release": "CodeBuild", "site": "CodeBuild"}


@pytest.mark.long
def test_bluegreens_deployments_are_as_its_team_wants(plans: Plans) -> None:
    """A deployment that fails, or sets an alarm off, is taken back; hosts change behind the load balancer."""
    group = plans.of("bluegreen", "prod").one("aws_codedeploy_deployment_group")
    assert group["auto_rollback_configuration"][0]["enabled"]
    assert group["deployment_style"][0]["deployment_option"] == "WITH_TRAFFIC_CONTROL"
    assert group["alarm_configuration"][0]["enabled"]


def test_the_specification_writes_which_image_it_is() -> None:
    """The build of a service is YAML that CodeBuild reads, and hands image.json on."""
    found = revision(app(pipeline=PIPELINE, site={}))
    always = {f"deploy/{name}" for name in ("buildspec.yml", "buildspec-release.yml", "release.py")}
    assert set(found) == always | {"deploy/buildspec-site.yml"}
    spec = yaml.safe_load(found["deploy/buildspec.yml"])
    assert spec["artifacts"]["files"] == ["image.json"]
    commands = [line for phase in spec["phases"].values() for line in phase["commands"]]
    assert all(isinstance(line, str) for line in commands)
    assert set(revision(app(pipeline=PIPELINE))) == always


def test_bluegreens_appspec_is_as_its_team_wants() -> None:
    """Version 0.0; stop 300 s, before 300 s as root, after 600 s, start 300 s, validate 300 s; each hook is there."""
    from tests.support.planned import EXAMPLES

    from crossfade.file.load import load

    found = revision(load(EXAMPLES / "bluegreen" / "crossfade.yaml", "prod"))
    spec = yaml.safe_load(found["deploy/prod/appspec.yml"])
    assert spec["version"] == 0.0
    assert {event: hook[0]["timeout"] for event, hook in spec["hooks"].items()} == {
        "ApplicationStop": 300,
        "BeforeInstall": 300,
        "AfterInstall": 600,
        "ApplicationStart": 300,
        "ValidateService": 300,
    }
    assert spec["hooks"]["BeforeInstall"][0]["runas"] == "root"
    assert spec["files"] == [{"source": "/", "destination": "/opt/bluegreen/incoming"}]
    scripts = {hook[0]["location"].removeprefix("infrastructure/") for hook in spec["hooks"].values()}
    assert scripts <= set(found)
    settings = found["deploy/prod/settings.sh"].splitlines()
    assert {"TRIES=10", "EVERY=5", "HEALTH=/health/deep", "THEN=/api/version", "PORTS='3001 3002 3003 3004'"} <= set(
        settings
    )
