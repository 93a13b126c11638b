"""From `infra apply` to a service that answers: what Terraform makes on the rig is a place that releases can go to."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infra.project import Project
from tests.rig import Rig
from tests.rig.place import APP
from tests.support.terraform import find_terraform

from crossfade.aws.places import Places

pytestmark = [pytest.mark.slow, pytest.mark.applies, pytest.mark.timeout(2400)]
EXAMPLES = Path(__file__).parents[3] / "examples"
REGION = "ap-northeast-2"
PLACES = Places("tiketi", "dev")


@pytest.fixture(scope="module")
def tiketi(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Its dev environment, applied."""
    home = tmp_path_factory.mktemp("tiketi")
    shutil.copy(EXAMPLES / "tiketi" / "crossfade.yaml", home)
    terraform = find_terraform(tmp_path_factory.mktemp("terraform"))
    found = {"TF_CLI_CONFIG_FILE": str(terraform.config), "TF_CLI_ARGS_apply": "-parallelism=60"}
    project = Project(home, env={**rig.environment, **found})
    project.ok("bootstrap")
    project.ok("init", "-e", "dev")
    made = project.ok("apply", "-e", "dev", "--yes", limit=900)
    assert made["add"] > 100
    yield project
    project.close()


def test_both_colours_are_found_by_their_tags(rig: Rig, tiketi: Project) -> None:
    client = rig.client("resourcegroupstaggingapi", REGION)
    for colour in ("blue", "green"):
        filters = [{"Key": key, "Values": [value]} for key, value in PLACES.tags("api", colour).items()]
        told = client.get_resources(TagFilters=filters)["ResourceTagMappingList"]
        kinds = {one["ResourceARN"].split(":")[2] for one in told}
        assert kinds >= {"ecs", "elasticloadbalancing"}, told


def test_the_service_answers_once_its_image_is_there(rig: Rig, tiketi: Project) -> None:
    """Until then its tasks say that it cannot be pulled, and the breaker has given up."""
    ecs, elb = rig.client("ecs", REGION), rig.client("elbv2", REGION)
    name = PLACES.coloured("api", "blue")

    def service() -> Any:
        return ecs.describe_services(cluster=PLACES.prefix, services=[name])["services"][0]

    _until(lambda: service()["deployments"][0]["rolloutState"] == "FAILED")
    arns = ecs.list_tasks(cluster=PLACES.prefix, serviceName=name, desiredStatus="STOPPED")["taskArns"]
    stopped = ecs.describe_tasks(cluster=PLACES.prefix, tasks=arns)["tasks"]
    assert "CannotPullContainerError" in {one["stoppedReason"].split(":")[0] for one in stopped}
    definition = ecs.describe_task_definition(taskDefinition=service()["taskDefinition"])["taskDefinition"]
    group = elb.describe_target_groups(Names=[name])["TargetGroups"][0]
    health = {"HEALTH": group["HealthCheckPath"]}
    container = definition["containerDefinitions"][0]
    rig.images.add(container["image"], [sys.executable, str(APP)], environment=health)
    _fill(rig, container.get("secrets", []))
    ecs.update_service(cluster=PLACES.prefix, service=name, forceNewDeployment=True)

    def states() -> list[Any]:
        found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        return [one["TargetHealth"]["State"] for one in found]

    _until(lambda: states() == ["healthy"])


def _fill(rig: Rig, secrets: list[dict[str, str]]) -> None:
    """Terraform makes them empty."""
    values: dict[str, dict[str, str]] = {}
    for one in secrets:
        parts = one["valueFrom"].split(":")
        values.setdefault(":".join(parts[:7]), {})[parts[7] if len(parts) > 7 else ""] = "filled"
    client = rig.client("secretsmanager", REGION)
    for arn, keys in values.items():
        client.put_secret_value(SecretId=arn, SecretString=keys.get("") or json.dumps(keys))


def _until(what: Any) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end, "this did not come true in two minutes"
        time.sleep(0.1)
