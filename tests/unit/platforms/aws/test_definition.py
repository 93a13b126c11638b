"""A release as a task definition: Terraform's newest one with the release in it."""

from dataclasses import replace
from typing import Any

import pytest

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Resources, Service
from crossfade.platforms.aws.ecs.definition import LABEL, TAG, defined, platform, release_in, require_told

IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/shop-prod/web@sha256:" + 64 * "a"
WEB = Service(
    app="shop",
    name="web",
    environment="prod",
    runtime="docker",
    image="web:1",
    command="serve --fast",
    port=3001,
    grace=12.5,
    env=(("COLOUR", "green"), ("DB_HOST", "own")),
    secrets=("TOKEN",),
    resources=Resources(cpu=0.5, memory=1 << 30),
)
RELEASE = Release(
    number=7, service=WEB, version="v7", digest=IMAGE, config_hash="1", path="/home/kim/bin", secrets="{}"
)
SECRET = "arn:aws:secretsmanager:eu-west-1:1:secret:shop/prod/TOKEN-AbCdEf"
TEMPLATE: dict[str, Any] = {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/shop-prod-web:3",
    "family": "shop-prod-web",
    "revision": 3,
    "status": "ACTIVE",
    "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"}],
    "compatibilities": ["EC2", "FARGATE"],
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": "arn:aws:iam::1:role/execution",
    "taskRoleArn": "arn:aws:iam::1:role/task",
    "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    "volumes": [],
    "containerDefinitions": [
        {
            "name": "web",
            "image": "web:first",
            "essential": True,
            "command": ["/bin/sh", "-c", "old"],
            "environment": [{"name": "DB_HOST", "value": "db.internal"}, {"name": "QUEUE", "value": "q"}],
            "secrets": [{"name": "TOKEN", "valueFrom": SECRET}, {"name": "DB_PASSWORD", "valueFrom": "arn:rds"}],
            "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/shop-prod-web"}},
        },
        {"name": "xray", "image": "xray:3", "essential": False},
    ],
}
TAGS = [{"key": "crossfade:app", "value": "shop"}, {"key": TAG, "value": "6"}]


def made(release: Release = RELEASE, secrets: dict[str, str] | None = None) -> dict[str, Any]:
    return defined(TEMPLATE, TAGS, release, secrets or {"TOKEN": f"{SECRET}:::one"}, "web")


def test_what_is_the_releases_and_what_is_terraforms() -> None:
    """Image, command, size, settings and secrets are the release's; roles, logs and what runs beside it are kept."""
    asked = made()
    web, beside = asked["containerDefinitions"]
    assert (asked["cpu"], asked["memory"]) == ("512", "1024")
    assert asked["taskRoleArn"] == TEMPLATE["taskRoleArn"]
    assert asked["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert beside == TEMPLATE["containerDefinitions"][1]
    assert (web["image"], web["command"]) == (IMAGE, ["/bin/sh", "-c", "serve --fast"])
    assert web["stopTimeout"] == 13
    assert web["portMappings"] == [{"containerPort": 3001, "hostPort": 3001, "protocol": "tcp"}]
    assert web["logConfiguration"] == TEMPLATE["containerDefinitions"][0]["logConfiguration"]
    env = {one["name"]: one["value"] for one in web["environment"]}
    assert env == {
        "COLOUR": "green",
        "CROSSFADE_APP": "shop",
        "CROSSFADE_RELEASE": "7",
        "CROSSFADE_SERVICE": "web",
        "CROSSFADE_VERSION": "v7",
        "DB_HOST": "own",
        "PORT": "3001",
        "QUEUE": "q",
    }
    where = {one["name"]: one["valueFrom"] for one in web["secrets"]}
    assert where == {"TOKEN": f"{SECRET}:::one", "DB_PASSWORD": "arn:rds"}
    assert {tag["key"]: tag["value"] for tag in asked["tags"]} == {"crossfade:app": "shop", TAG: "7"}


def test_without_a_command_the_images_own_runs() -> None:
    """Also where an earlier release had one."""
    asked = made(replace(RELEASE, service=replace(WEB, command="")))
    assert "command" not in asked["containerDefinitions"][0]


def test_botocore_takes_it() -> None:
    """By its own model of the API, whatever the template has in it."""
    session = pytest.importorskip("botocore.session").get_session()
    from botocore.validate import ParamValidator

    shape = session.get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    report = ParamValidator().validate(made(), shape)
    assert not report.has_errors(), report.generate_report()


def test_a_task_definition_says_whose_it_is() -> None:
    """All of the release, so that it is known without any journal; a template is nobody's."""
    known = {**made(), "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/shop-prod-web:4"}
    assert release_in(known) == replace(RELEASE, path="")
    assert release_in(TEMPLATE) is None


def test_a_copy_with_another_image_is_nobodys_release() -> None:
    """As another tool's deploy makes one; the sentence names it, and both sides."""
    copy = {**made(), "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/shop-prod-web:9"}
    copy["containerDefinitions"][0] = {**copy["containerDefinitions"][0], "image": "web:other"}
    assert LABEL in copy["containerDefinitions"][0]["dockerLabels"]
    with pytest.raises(PlatformError, match=r"shop-prod-web:9 is not crossfade's: it says release 7 \(v7\).*web:other"):
        release_in(copy)


def test_what_tasks_run_on_is_said_as_docker_says_it() -> None:
    """ARM where Terraform says so; x86 where nothing does, which is ECS's own default."""
    assert platform(TEMPLATE) == "linux/arm64"
    assert platform({**TEMPLATE, "runtimePlatform": {"operatingSystemFamily": "LINUX"}}) == "linux/amd64"
    assert platform({name: said for name, said in TEMPLATE.items() if name != "runtimePlatform"}) == "linux/amd64"


def test_what_the_place_tells_reaches_the_app_and_what_it_does_not_is_refused() -> None:
    """Its address and its password as Terraform has them; a variable that is new in the file wants an apply."""
    takes = replace(WEB, env=(), told=("DB_HOST", "DB_PASSWORD"))
    require_told(TEMPLATE, "web", takes)
    made = defined(TEMPLATE, TAGS, replace(RELEASE, service=takes), {"TOKEN": SECRET}, "web")["containerDefinitions"][0]
    assert {"name": "DB_HOST", "value": "db.internal"} in made["environment"]
    assert {"name": "DB_PASSWORD", "valueFrom": "arn:rds"} in made["secrets"]
    with pytest.raises(WrongInputError, match="the place of shop@prod/web does not tell CACHE_HOST yet") as error:
        require_told(TEMPLATE, "web", replace(takes, told=("DB_HOST", "CACHE_HOST")))
    assert "infra apply -e prod" in error.value.way_out


def test_an_image_of_another_registry_is_pulled_with_its_secret() -> None:
    """By the secret's name; one of ECR needs none, and what an older definition had goes."""
    hers = replace(WEB, image="ghcr.io/acme/web:1", login="shop/prod/REGISTRY_LOGIN")
    elsewhere = replace(RELEASE, service=hers, digest=f"ghcr.io/acme/web@sha256:{64 * 'a'}")
    made = defined(TEMPLATE, TAGS, elsewhere, {}, "web")["containerDefinitions"][0]
    assert made["repositoryCredentials"] == {"credentialsParameter": "shop/prod/REGISTRY_LOGIN"}
    in_ecr = defined(TEMPLATE, TAGS, replace(RELEASE, service=hers), {}, "web")["containerDefinitions"][0]
    assert "repositoryCredentials" not in in_ecr
