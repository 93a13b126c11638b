"""A task whose image Docker has is a real container."""

from collections.abc import Iterator

import pytest
from tests.contract.runtime_kits import DockerImages, docker_is_missing
from tests.rig.place import PREVIEW_HEADER, task_definition
from tests.rig.tests.site import Site
from tests.rig.wire import Json

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(docker_is_missing()), reason=docker_is_missing() or "Docker runs"),
]
# The first process of a container hears only the signals that it asks for.
SERVE = "trap 'exit 0' TERM; echo ok > /health; echo one > /index.html; httpd -p 8080 -h /; while :; do sleep 0.1; done"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    images = DockerImages()
    yield images.add("one")
    images.remove()


def definition(site: Site, image: str, *command: str) -> Json:
    said = task_definition(site.place.family, site.place.service, image)
    said["containerDefinitions"][0]["command"] = list(command)
    return said


async def test_a_container_serves_behind_the_balancer_and_ends_on_sigterm(site: Site, image: str) -> None:
    said = site.ecs.register_task_definition(**definition(site, image, "sh", "-c", SERVE))
    site.update("green", desiredCount=1, taskDefinition=said["taskDefinition"]["taskDefinitionArn"])
    await site.until_healthy("green", 1)
    preview = {PREVIEW_HEADER: site.place.preview_token}
    await site.until(lambda: site.answer(**preview) == "one\n")
    site.update("green", desiredCount=0)
    await site.until(lambda: [one["lastStatus"] for one in site.tasks("green", "STOPPED")] == ["STOPPED"])
    assert site.tasks("green", "STOPPED")[0]["containers"][0]["exitCode"] == 0


async def test_a_container_that_ends_says_its_exit_code(site: Site, image: str) -> None:
    said = definition(site, image, "sh", "-c", "echo gone; exit 6")
    site.ecs.register_task_definition(**said)
    [task] = site.ecs.run_task(cluster=site.place.cluster, taskDefinition=said["family"])["tasks"]

    def now() -> Json:
        found: Json = site.ecs.describe_tasks(cluster=site.place.cluster, tasks=[task["taskArn"]])["tasks"][0]
        return found

    await site.until(lambda: now()["lastStatus"] == "STOPPED")
    assert now()["containers"][0]["exitCode"] == 6
