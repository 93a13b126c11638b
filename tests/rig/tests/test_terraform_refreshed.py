"""From `infra apply` to an Auto Scaling group that is refreshed host by host: feedback's, as its file has it."""

import sys

import pytest
from tests.rig import Rig
from tests.rig.ec2.machine import missing
from tests.rig.place import APP
from tests.support.applied import applied, asked, visited
from tests.support.shipped import Ran, Shipped

from crossfade.aws.places import Places

pytestmark = [
    *(pytest.mark.slow, pytest.mark.applies, pytest.mark.walks, pytest.mark.timeout(3600)),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
REGION = "ap-northeast-2"
PLACES = Places("feedback", "dev")
# No Docker builds the image, no Flyway is in it, so that each release has the schema of the one before, and what the
# team waits for is as much shorter as the rig is faster.
HERE = {
    "image: feedback/web": "image: feedback/web:v1",
    "migrate: flyway migrate": "migrate: echo CROSSFADE_SCHEMA=1",
    "warmup: 300s}": "warmup: 15s}",
    "warmup: 300s\n": "warmup: 15s\n          timeout: 90s\n",
}


def test_feedback_is_refreshed_in_the_group_that_its_terraform_made(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Under load: nothing is lost, a sick version ends with the old hosts, and the way back builds nothing."""
    home, scratch = tmp_path_factory.mktemp("feedback"), tmp_path_factory.mktemp("terraform")
    with applied(rig, "feedback", HERE, home, scratch) as project:
        shipped, file, elb = Shipped(rig, project.home), project.file.read_text(), rig.client("elbv2", REGION)
        balancer = elb.describe_load_balancers(Names=[PLACES.prefix])["LoadBalancers"][0]["LoadBalancerArn"]
        (listener,) = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        url = f"http://{rig.address_of(listener['ListenerArn'])}"
        ran = shipped.run("secrets", "set", "DATABASE_URL", "-e", "dev", "--command", "echo mysql://db")
        assert ran.code == 0, ran.out + ran.err

        def deploy(release: str, fault: str = "") -> Ran:
            image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{PLACES.repository('web')}:{release}"
            told = {"RELEASE": release, "FAULT": fault, "HEALTH": "/actuator/health"}
            rig.images.add(image, [sys.executable, str(APP)], environment=told)
            project.file.write_text(file.replace(":v1", f":{release}"))
            return shipped.run("deploy", "-e", "dev", "--version", release)

        with visited(url):  # by whom the first one is judged
            first = deploy("v1")
        assert (first.code, asked(url)) == (0, "v1"), first.out + first.err
        with visited(url) as seen:
            second = deploy("v2")
            assert (second.code, asked(url)) == (0, "v2"), second.out + second.err
            sick = deploy("v3", "sick")
            assert (sick.code, asked(url)) == (1, "v2"), sick.out + sick.err
            back = shipped.run("rollback", "-e", "dev")
            assert back.code == 0, back.out + back.err
        assert asked(url) == "v1"
        (report,) = seen
        assert (report.failed, report.requests > 100) == (0, True), report.losses
        # Who goes back from a release by hand has found it bad.
        assert shipped.releases("web") == [("v3", "bad"), ("v2", "bad"), ("v1", "good")]
