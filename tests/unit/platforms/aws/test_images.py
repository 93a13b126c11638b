"""Images in ECR, pinned by digest."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.support.in_moto import InMoto, in_moto
from tests.support.moto import REGION

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.aws.ecs.images import Images

REPOSITORY = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/shop-dev/web"
WEB = Service(app="shop", name="web", environment="dev", runtime="ecs", image=f"{REPOSITORY}:v1")


@pytest.fixture
def aws() -> Iterator[InMoto]:
    with in_moto() as aws:
        yield aws


def pushed(aws: InMoto, tag: str = "v1") -> str:
    ecr = aws.aws("ecr")
    ecr.create_repository(repositoryName="shop-dev/web")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    manifest |= {"config": {"digest": f"sha256:{hashlib.sha256(b'x').hexdigest()}"}, "layers": []}
    made = ecr.put_image(repositoryName="shop-dev/web", imageManifest=json.dumps(manifest), imageTag=tag)
    return str(made["image"]["imageId"]["imageDigest"])


async def test_a_tag_becomes_a_digest(aws: InMoto) -> None:
    """What the tag means now is what the release has; the tag is its version."""
    digest = pushed(aws)
    made = await Images(aws.clients).pinned(WEB)
    assert (made.digest, made.version) == (f"{REPOSITORY}@{digest}", "v1")
    assert (await Images(aws.clients).pinned(replace(WEB, image=made.digest))).digest == made.digest


@pytest.mark.parametrize("image", [f"{REPOSITORY}:v2", f"{REPOSITORY}-other:v1"])
async def test_an_image_that_is_not_there_is_wrong_input(aws: InMoto, image: str) -> None:
    """No such tag, and no such repository."""
    pushed(aws)
    with pytest.raises(WrongInputError, match=f"image {image} is not in ECR"):
        await Images(aws.clients).pinned(replace(WEB, image=image))


async def test_another_registrys_image_is_taken_by_its_digest_only(aws: InMoto) -> None:
    """A tag that may move is no release."""
    pinned = f"docker.io/shop/web@sha256:{64 * 'a'}"
    assert (await Images(aws.clients).pinned(replace(WEB, image=pinned))).digest == pinned
    with pytest.raises(WrongInputError, match=r"docker\.io/shop/web:1 is pinned to nothing"):
        await Images(aws.clients).pinned(replace(WEB, image="docker.io/shop/web:1"))


async def test_an_image_that_went_is_missed_before_a_rollback(aws: InMoto) -> None:
    """ECR's own rules may have removed it."""
    digest = pushed(aws)
    release = Release(number=3, service=WEB, version="v1", digest=f"{REPOSITORY}@{digest}", config_hash="")
    await Images(aws.clients).require(release)
    aws.aws("ecr").batch_delete_image(repositoryName="shop-dev/web", imageIds=[{"imageDigest": digest}])
    with pytest.raises(PlatformError, match=r"the image of release 3 \(v1\) is not in ECR any more"):
        await Images(aws.clients).require(release)
