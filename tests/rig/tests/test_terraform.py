"""From `infra apply` to a release that answers: what Terraform makes on the rig is a place that a deploy finds."""

import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tests.infra.project import Project
from tests.rig import Rig
from tests.rig.place import APP
from tests.support.shipped import Shipped
from tests.support.terraform import find_terraform

from crossfade.aws.places import Places

pytestmark = [pytest.mark.slow, pytest.mark.applies, pytest.mark.timeout(2400)]
EXAMPLES = Path(__file__).parents[3] / "examples"
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
    home = tmp_path_factory.mktemp("tiketi")
    text = (EXAMPLES / "tiketi" / "crossfade.yaml").read_text()
    for said, instead in HERE.items():
        assert text.count(said) == 1, said
        text = text.replace(said, instead)
    (home / "crossfade.yaml").write_text(text)
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


def test_a_deploy_finds_what_was_made(rig: Rig, tiketi: Project) -> None:
    """Until then the first tasks say that their image cannot be pulled; API and site go out by the verbs alone."""
    ecs = rig.client("ecs", REGION)
    name = PLACES.coloured("api", "blue")

    def service() -> Any:
        return ecs.describe_services(cluster=PLACES.prefix, services=[name])["services"][0]

    _until(lambda: service()["deployments"][0]["rolloutState"] == "FAILED")
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
    assert _asked(rig) == b"v1"


def _asked(rig: Rig) -> bytes:
    """Where visitors come in: the listener of HTTPS, whose certificate here is of nobody's name."""
    elb = rig.client("elbv2", REGION)
    balancer = elb.describe_load_balancers(Names=[PLACES.prefix])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    address = rig.address_of(next(one["ListenerArn"] for one in listeners if one["Protocol"] == "HTTPS"))
    with urlopen(f"https://{address}/", context=ssl._create_unverified_context(), timeout=30) as said:
        return bytes(said.read())


def _until(what: Any) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end, "this did not come true in two minutes"
        time.sleep(0.1)
