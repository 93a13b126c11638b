"""Images in ECR, pinned by digest, and the tags that say which release serves."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.support.in_moto import InMoto, in_moto
from tests.support.moto import REGION

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.aws.images.images import Images

REPOSITORY = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/shop-dev/web"
WEB = Service(app="shop", name="web", environment="dev", runtime="ecs", image=f"{REPOSITORY}:v1")
X86, ARM = "linux/amd64", "linux/arm64"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
ENV = {"DOCKER_HOST": "unix:///nonexistent"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMoto]:
    """With no Docker beside it."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    with in_moto() as aws:
        yield aws


def repository(aws: InMoto, mutability: str = "MUTABLE") -> None:
    aws.aws("ecr").create_repository(repositoryName="shop-dev/web", imageTagMutability=mutability)


def pushed(aws: InMoto, tag: str = "v1", **manifest: Any) -> str:
    config = {"digest": f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}"}
    said = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [], **manifest}
    put = {"imageManifest": json.dumps(said), "imageTag": tag}
    put["imageDigest"] = f"sha256:{hashlib.sha256(put['imageManifest'].encode()).hexdigest()}"
    made = aws.aws("ecr").put_image(repositoryName="shop-dev/web", **put)
    return str(made["image"]["imageId"]["imageDigest"])


class Layers:
    """Configurations by digest, which moto has not."""

    def __init__(self, **content: bytes) -> None:
        self.content = {name.replace("_", ":"): text for name, text in content.items()}

    async def read(self, account: str, repository: str, digest: str) -> bytes:
        assert (account, repository) == ("123456789012", "shop-dev/web")
        return self.content.get(digest, b"")


def images(aws: InMoto, layers: Layers | None = None) -> Images:
    return Images(aws.clients, aws.places, blobs=layers or Layers())


def release(number: int, digest: str, **known: str) -> Release:
    said = {"version": f"v{number}", "config_hash": "", "digest": f"{REPOSITORY}@{digest}", **known}
    return Release(number=number, service=WEB, **said)


def tags(aws: InMoto) -> dict[str, str]:
    """Digests by tag."""
    found = aws.aws("ecr").describe_images(repositoryName="shop-dev/web")["imageDetails"]
    return {tag: one["imageDigest"] for one in found for tag in one.get("imageTags", ())}


async def free() -> None: ...


async def test_a_tag_becomes_a_digest(aws: InMoto) -> None:
    """What the tag means now is what the release has; the tag is its version."""
    repository(aws)
    digest = pushed(aws)
    made = await images(aws).pinned(WEB, ENV, X86)
    assert (made.digest, made.version) == (f"{REPOSITORY}@{digest}", "v1")
    assert (await images(aws).pinned(replace(WEB, image=made.digest), ENV, X86)).digest == made.digest


@pytest.mark.parametrize("image", [f"{REPOSITORY}:v2", f"{REPOSITORY}-other:v1"])
async def test_an_image_that_is_not_there_is_wrong_input(aws: InMoto, image: str) -> None:
    """No such tag, and no such repository."""
    repository(aws)
    pushed(aws)
    with pytest.raises(WrongInputError, match=f"image {image} is not in ECR"):
        await images(aws).pinned(replace(WEB, image=image), ENV, X86)


async def test_a_name_without_a_registry_is_found_in_the_environments_own(aws: InMoto) -> None:
    """Where a pipeline pushed it under that tag; else it is asked for where it may be, and that is said."""
    repository(aws)
    digest = pushed(aws)
    made = await images(aws).pinned(replace(WEB, image="acme/web:v1"), ENV, X86)
    assert (made.digest, made.version) == (f"{REPOSITORY}@{digest}", "v1")
    with pytest.raises(WrongInputError, match=r"image acme/web:v2 cannot be pinned: its registry and shop-dev/web of"):
        await images(aws).pinned(replace(WEB, image="acme/web:v2"), ENV, X86)


async def test_another_registrys_image_is_taken_by_its_digest_without_asking(aws: InMoto) -> None:
    """Of a tag Docker asks what it is now; where that cannot be, the way out is to name the digest."""
    pinned = f"docker.io/shop/web@sha256:{64 * 'a'}"
    assert (await images(aws).pinned(replace(WEB, image=pinned), ENV, X86)).digest == pinned
    with pytest.raises(WrongInputError, match=r"image docker\.io/shop/web:1 cannot be pinned") as error:
        await images(aws).pinned(replace(WEB, image="docker.io/shop/web:1"), ENV, X86)
    assert "docker.io/shop/web@sha256:" in error.value.way_out


async def test_an_image_for_other_processors_is_wrong_input(aws: InMoto) -> None:
    """Of several images together the manifest says what each is for; what is no image at all is left out."""
    repository(aws)
    kinds = [{"os": "linux", "architecture": "arm64"}, {"os": "unknown", "architecture": "unknown"}]
    several = [{"digest": f"sha256:{64 * 'b'}", "platform": one} for one in kinds]
    pushed(aws, mediaType=INDEX, manifests=several)
    assert (await images(aws).pinned(WEB, ENV, ARM)).version == "v1"
    with pytest.raises(WrongInputError, match="is for linux/arm64, and its tasks run on linux/amd64") as error:
        await images(aws).pinned(WEB, ENV, X86)
    assert "architecture: arm" in error.value.way_out


@pytest.mark.parametrize("name", [f"{REPOSITORY}:v1", "acme/web:v1"])
async def test_a_single_image_says_in_its_configuration_what_it_is_for(aws: InMoto, name: str) -> None:
    """Also where the environment's own repository has it; what says nothing of it is left to the tasks."""
    repository(aws)
    pushed(aws)
    service, config = replace(WEB, image=name), hashlib.sha256(b"v1").hexdigest()
    arm = Layers(**{f"sha256_{config}": b'{"os": "linux", "architecture": "arm64", "rootfs": {}}'})
    assert (await images(aws, arm).pinned(service, ENV, ARM)).version == "v1"
    with pytest.raises(WrongInputError, match="is for linux/arm64, and its tasks run on linux/amd64"):
        await images(aws, arm).pinned(service, ENV, X86)
    for said in (b"", b"{}", b"no JSON", b"[]"):
        silent = Layers(**{f"sha256_{config}": said})
        assert (await images(aws, silent).pinned(service, ENV, X86)).version == "v1"


async def test_a_repository_that_is_not_there_is_terraforms_to_make(aws: InMoto) -> None:
    """Said before anything is built."""
    with pytest.raises(PlatformError, match="there is no ECR repository shop-dev/web in ") as error:
        await images(aws).pinned(replace(WEB, image="acme/web:v1"), ENV, X86)
    assert "infra apply -e dev" in error.value.way_out


async def test_an_image_that_went_is_missed_before_a_rollback(aws: InMoto) -> None:
    """ECR's own rules may have removed it."""
    repository(aws)
    digest = pushed(aws)
    await images(aws).require(release(3, digest))
    aws.aws("ecr").batch_delete_image(repositoryName="shop-dev/web", imageIds=[{"imageDigest": digest}])
    with pytest.raises(PlatformError, match=r"the image of release 3 \(v3\) is not in ECR any more"):
        await images(aws).require(release(3, digest))


async def test_tags_follow_the_release_that_serves(aws: InMoto) -> None:
    """Its commit, its version and `latest`; `previous` is the good one before it, told twice without harm."""
    repository(aws)
    one, two, bad = pushed(aws, "build-1"), pushed(aws, "build-2"), pushed(aws, "build-3")
    first, second = release(1, one, git_sha="a" * 40), release(2, two, git_sha="b" * 40)
    await images(aws).follow(first, None, free)
    assert tags(aws).keys() - {"build-1", "build-2", "build-3"} == {"latest", "v1", "sha-aaaaaaa"}
    for _ in range(2):
        await images(aws).follow(second, first, free)
    said = tags(aws)
    assert (said["latest"], said["previous"]) == (two, one)
    assert (said["v2"], said["sha-bbbbbbb"], said["sha-aaaaaaa"]) == (two, two, one)
    assert [tag for tag, digest in said.items() if digest == bad] == ["build-3"]


async def test_tags_that_do_not_move_are_not_begun(aws: InMoto) -> None:
    """In an immutable repository `latest` would be the first release for ever; commits and versions stay true."""
    repository(aws, "IMMUTABLE")
    one, two = pushed(aws, "build-1"), pushed(aws, "build-2")
    await images(aws).follow(release(1, one), None, free)
    await images(aws).follow(release(2, two, version="v1"), release(1, one), free)
    assert {tag: digest for tag, digest in tags(aws).items() if tag in {"latest", "previous", "v1"}} == {"v1": one}


@pytest.mark.parametrize(("version", "kept"), [("main/12", set()), ("latest", set()), ("v2.1", {"v2.1"})])
async def test_a_version_is_a_tag_where_it_can_be(aws: InMoto, version: str, kept: set[str]) -> None:
    """Not with a slash in it, and not in the place of one that moves."""
    repository(aws)
    digest = pushed(aws, "build-1")
    await images(aws).follow(release(1, digest, version=version), None, free)
    assert tags(aws).keys() - {"build-1", "latest"} == kept


async def test_an_image_of_another_registry_gets_no_tags(aws: InMoto) -> None:
    """It is not ours to name."""
    repository(aws)
    other = replace(release(1, ""), digest=f"ghcr.io/acme/web@sha256:{64 * 'c'}")
    await images(aws).follow(other, None, free)
    assert aws.aws("ecr").describe_images(repositoryName="shop-dev/web")["imageDetails"] == []


async def test_who_lost_the_lease_moves_no_tag(aws: InMoto) -> None:
    """It is looked at before each."""
    repository(aws)
    digest = pushed(aws, "build-1")

    async def stale() -> None:
        raise PlatformError("it is another's")

    with pytest.raises(PlatformError, match="another's"):
        await images(aws).follow(release(1, digest), None, stale)
    assert tags(aws).keys() == {"build-1"}
