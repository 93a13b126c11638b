"""From `infra apply` to a release that answers: what Terraform makes on the rig is a place that a deploy finds."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.infra.project import Project
from tests.rig import Rig
from tests.rig.place import APP
from tests.support.applied import applied, asked, door, until, visited
from tests.support.shipped import Shipped

from crossfade.aws.places import COLOURS, Places
from crossfade.core.errors import RefusedError

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
    ecs = rig.client("ecs", REGION)  # tests of other files go on beside what would run
    for colour in COLOURS:
        ecs.update_service(cluster=PLACES.prefix, service=PLACES.coloured("api", colour), desiredCount=0)


def test_both_colours_are_found_by_their_tags(rig: Rig, tiketi: Project) -> None:
    client = rig.client("resourcegroupstaggingapi", REGION)
    for colour in ("blue", "green"):
        filters = [{"Key": key, "Values": [value]} for key, value in PLACES.tags("api", colour).items()]
        told = client.get_resources(TagFilters=filters)["ResourceTagMappingList"]
        kinds = {one["ResourceARN"].split(":")[2] for one in told}
        assert kinds >= {"ecs", "elasticloadbalancing"}, told


def test_the_first_tasks_say_that_their_image_cannot_be_pulled(rig: Rig, tiketi: Project) -> None:
    """Nobody has pushed one yet."""
    ecs = rig.client("ecs", REGION)
    name = PLACES.coloured("api", "blue")

    def service() -> Any:
        return ecs.describe_services(cluster=PLACES.prefix, services=[name])["services"][0]

    until(lambda: service()["deployments"][0]["rolloutState"] == "FAILED")
    arns = ecs.list_tasks(cluster=PLACES.prefix, serviceName=name, desiredStatus="STOPPED")["taskArns"]
    stopped = ecs.describe_tasks(cluster=PLACES.prefix, tasks=arns)["tasks"]
    assert "CannotPullContainerError" in {one["stoppedReason"].split(":")[0] for one in stopped}


@pytest.fixture(scope="module")
def served(rig: Rig, tiketi: Project) -> Shipped:
    """A first release of the API and the site, by the verbs alone."""
    image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{PLACES.repository('api')}:v1"
    rig.images.add(image, [sys.executable, str(APP)], environment={"RELEASE": "v1"})
    shipped = Shipped(rig, tiketi.home)
    for secret in ("DB_PASSWORD", "JWT_SECRET", "REDIS_PASSWORD"):
        ran = shipped.run("secrets", "set", secret, "-e", "dev", "--command", "echo correct horse")
        assert ran.code == 0, ran.err
    ran = shipped.run("deploy", "-e", "dev", "--version", "v1", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert {one["state"] for one in ran.last["rollouts"]} == {"succeeded"}
    return shipped


def test_a_deploy_finds_what_was_made(rig: Rig, served: Shipped) -> None:
    """Nothing of what Terraform wrote is needed for it."""
    assert asked(door(rig, REGION, PLACES.prefix)) == "v1"
    assert served.releases("api") == [("v1", "good")]


@pytest.mark.walks
@pytest.mark.usefixtures("served")
def test_an_apply_that_would_end_what_visitors_are_led_to_is_refused(rig: Rig, tiketi: Project) -> None:
    """Another port replaces both target groups, of which AWS would delete neither: nobody notices a thing."""
    elb, text, url = rig.client("elbv2", REGION), tiketi.file.read_text(), door(rig, REGION, PLACES.prefix)
    before = groups(elb)
    assert text.count("port: 3001") == 1
    try:
        tiketi.file.write_text(text.replace("port: 3001", "port: 3002"))
        tiketi.ok("init", "-e", "dev")
        with visited(url) as seen:
            ran = tiketi.run("apply", "-e", "dev", "--yes", limit=1800)
    finally:
        tiketi.file.write_text(text)
        tiketi.ok("init", "-e", "dev")
    assert ran.code == RefusedError.exit_code, ran.out + ran.err
    for colour in ("blue", "green"):
        assert f'aws_lb_target_group.this["api-{colour}"]' in ran.err
    assert "nothing was changed" in ran.err
    assert groups(elb) == before
    (report,) = seen
    assert (report.failed, report.requests > 100, asked(url)) == (0, True, "v1"), report.losses
    assert tiketi.ok("plan", "-e", "dev", limit=1800)["in_use"] == []


def groups(elb: Any) -> dict[str, tuple[str, int]]:
    """By name what each target group is, and the weight by which visitors are led to it."""
    found = {}
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        rules = [
            rule
            for one in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
            for rule in elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]
        ]
        led = {
            to["TargetGroupArn"]: to["Weight"]
            for rule in rules
            for action in rule["Actions"]
            for to in action.get("ForwardConfig", {}).get("TargetGroups", ())
        }
        for one in elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]:
            found[one["TargetGroupName"]] = one["TargetGroupArn"], led.get(one["TargetGroupArn"], 0)
    return found
