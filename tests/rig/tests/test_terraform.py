"""From `infra apply` to a release that answers: what Terraform makes on the rig is a place that a deploy finds."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.infra.project import Project
from tests.rig import Rig
from tests.rig.place import APP
from tests.support.applied import applied, asked, door, until
from tests.support.shipped import Shipped

from crossfade.aws.places import Places

pytestmark = [pytest.mark.slow, pytest.mark.applies, pytest.mark.timeout(2400)]
REGION = "ap-northeast-2"
PLACES = Places("tiketi", "dev")
# No Node.js is needed, an image that is there is taken, and nobody comes by whom a bake could judge.
HERE = {
    "build: npm ci && npm run build": "build: mkdir -p build && echo seats > build/index.html",
    "image: tiketi/api": "image: tiketi/api:v1",
    "rollback_on: {p95: 150ms}": "bake: 0s, rollback_on: {p95: 150ms, min_requests: 0}",
}


@pytest.fixture(scope="module")
def tiketi(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Its dev environment, applied."""
    home, scratch = tmp_path_factory.mktemp("tiketi"), tmp_path_factory.mktemp("terraform")
    with applied(rig, "tiketi", HERE, home, scratch) as project:
        yield project


def test_both_colours_are_found_by_their_tags(rig: Rig, tiketi: Project) -> None:
    client = rig.client("resourcegroupstaggingapi", REGION)
    for colour in ("blue", "green"):
        filters = [{"Key": key, "Values": [value]} for key, value in PLACES.tags("api", colour).items()]
        told = client.get_resources(TagFilters=filters)["ResourceTagMappingList"]
        kinds = {one["ResourceARN"].split(":")[2] for one in told}
        assert kinds >= {"ecs", "elasticloadbalancing"}, told


def test_a_deploy_finds_what_was_made(rig: Rig, tiketi: Project) -> None:
    """Until then the first tasks say that their image cannot be pulled; API and site go out by the verbs alone."""
    ecs = rig.client("ecs", REGION)
    name = PLACES.coloured("api", "blue")

    def service() -> Any:
        return ecs.describe_services(cluster=PLACES.prefix, services=[name])["services"][0]

    until(lambda: service()["deployments"][0]["rolloutState"] == "FAILED")
    arns = ecs.list_tasks(cluster=PLACES.prefix, serviceName=name, desiredStatus="STOPPED")["taskArns"]
    stopped = ecs.describe_tasks(cluster=PLACES.prefix, tasks=arns)["tasks"]
    assert "CannotPullContainerError" in {one["stoppedReason"].split(":")[0] for one in stopped}
    image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{PLACES.repository('api')}:v1"
    rig.images.add(image, [sys.executable, str(APP)], environment={"RELEASE": "v1"})
    shipped = Shipped(rig, tiketi.home)
    for secret in ("DB_PASSWORD", "JWT_SECRET", "REDIS_PASSWORD"):
        ran = shipped.run("secrets", "set", secret, "-e", "dev", "--command", "echo correct horse")
        assert ran.code == 0, ran.err
    ran = shipped.run("deploy", "-e", "dev", "--version", "v1", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert {one["state"] for one in ran.last["rollouts"]} == {"succeeded"}
    assert asked(door(rig, REGION, PLACES.prefix)) == "v1"
