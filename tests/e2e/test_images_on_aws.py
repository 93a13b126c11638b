"""Images that a deploy to AWS makes: built by Docker, pushed to ECR, run as containers, and named once they serve."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.runtime_kits import DockerImages, docker_is_missing
from tests.rig import Rig
from tests.rig.place import make
from tests.support.shipped import PACE, Ran, Shipped

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(docker_is_missing()), reason=docker_is_missing() or "Docker runs"),
]
FILE = """
app: {app}
services:
  web:
    image: {image}
    port: 8080
    replicas: 1
    command: "{command}"
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    deploy: {{strategy: blue-green, keep_previous: 0s, timeout: 120s, rollback_on: {{min_requests: 0}}}}
environments:
  dev: {{platform: aws}}
"""
DOCKERFILE = """
FROM {base} AS base
ARG WHO
RUN echo ok > /health && echo "$WHO" > /index.html
FROM base AS production
CMD trap 'exit 0' TERM; httpd -p 8080 -h /; while :; do sleep 0.1; done
"""


class Shop(Shipped):
    """A folder with a Dockerfile, and where it is shipped to."""

    def __init__(self, rig: Rig, folder: Path, app: str, base: str) -> None:
        super().__init__(rig, folder)
        self.app, self.base = app, base
        self.place = make(self.rig, self.app, desired=0)
        self.repository = f"{self.app}-dev/web"
        self.rig.client("ecr").create_repository(repositoryName=self.repository)
        self.dockerfile(DOCKERFILE)

    def dockerfile(self, text: str) -> None:
        (self.folder / "Dockerfile").write_text(text.format(base=self.base))

    def deploy(self, image: str, version: str, command: str = "") -> Ran:
        said = FILE.format(app=self.app, image=image, command=command)
        self.file(said if command else said.replace('    command: ""\n', ""))
        return self.run("deploy", "-e", "dev", "--json", "--version", version)

    def tags(self) -> dict[str, str]:
        """Digests by tag, without the names that images are pushed by."""
        found = self.rig.client("ecr").describe_images(repositoryName=self.repository)["imageDetails"]
        named = {tag: one["imageDigest"] for one in found for tag in one.get("imageTags", ())}
        return {tag: digest for tag, digest in named.items() if not tag.startswith("build-")}

    def on_record(self) -> list[Any]:
        """Lines of the journal by which releases came to be."""
        table = self.rig.client("dynamodb").scan(TableName=self.place.journal)["Items"]
        return [one for one in table if "release added" in json.dumps(one)]


def built(who: str) -> str:
    return f"{{build: {{context: ., target: production, args: {{WHO: {who}}}}}}}"


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    images = DockerImages()
    yield images.add("base")
    images.remove()


@pytest.fixture(scope="module")
def rig(base: str) -> Iterator[Rig]:
    """Ends before the image goes that its containers are made of."""
    assert base
    with Rig(pace=PACE, lag=2, containers=True) as rig:
        yield rig


@pytest.fixture
def shop(rig: Rig, base: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(rig, tmp_path, f"made{request.module.SHOPS.pop()}", base)
    yield shop
    for service in shop.place.services.values():
        rig.client("ecs").update_service(cluster=shop.place.cluster, service=service, desiredCount=0)
    _forget(shop.repository)


SHOPS = list("hgfedcba")


def _forget(repository: str) -> None:
    """What was built and pushed here."""
    import docker

    client = docker.from_env()
    for image in client.images.list():
        for tag in [tag for tag in image.tags if f"/{repository}:" in tag]:
            client.images.remove(tag, force=True)
    client.close()


def test_an_image_is_built_pushed_and_named_once_it_serves(shop: Shop) -> None:
    """A bad one gets no name; `previous` is the last good one; the same source again is no new release."""
    assert shop.deploy(built("one"), "v1").code == 0
    first = shop.tags()
    assert first.keys() == {"latest", "v1"}
    assert "already runs exactly this" in shop.deploy(built("one"), "v1").out
    bad = shop.deploy(built("bad"), "v2", command="echo no database; exit 1")
    assert bad.code == 1
    assert "no database" in bad.out
    assert shop.tags() == first
    good = shop.deploy(built("three"), "v3")
    assert good.code == 0, good.out
    tags = shop.tags()
    assert tags.keys() == {"latest", "previous", "v1", "v3"}
    assert (tags["previous"], tags["latest"]) == (first["v1"], tags["v3"])
    assert "rig-us-east-1" not in good.out + good.err + json.dumps(shop.on_record())


def test_a_build_that_fails_changes_nothing(shop: Shop) -> None:
    """Exit code 2 with the last lines; the same for an image that is nowhere."""
    shop.dockerfile("FROM {base}\nRUN echo the disk is full; exit 7\n")
    failed = shop.deploy("{build: .}", "v1")
    assert (failed.code, "the disk is full" in failed.err) == (2, True)
    nowhere = shop.deploy("nowhere.invalid/acme/web:1", "v1")
    assert (nowhere.code, "cannot be pinned" in nowhere.err) == (2, True)
    assert shop.on_record() == []


def test_an_image_for_other_processors_is_not_pushed(shop: Shop) -> None:
    """Tasks that run on ARM do not get what was made for x86."""
    ecs = shop.rig.client("ecs")
    known = ecs.describe_task_definition(taskDefinition=shop.place.definition)["taskDefinition"]
    kept = ("family", "containerDefinitions", "cpu", "memory", "networkMode", "requiresCompatibilities")
    ecs.register_task_definition(
        **{name: known[name] for name in kept},
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    )
    refused = shop.deploy(shop.base, "v1")
    assert (refused.code, "is for linux/amd64, and its tasks run on linux/arm64" in refused.err) == (2, True)
    assert shop.tags() == {}
