"""A tag that was moved in its registry: noticed at the next deploy, or said not to be known."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence
from tests.contract import runtime_kits
from tests.contract.runtime_kits import DockerImages
from tests.support.registry import Registry, registry

from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.docker.runtime import DockerRuntime

pytestmark = pytest.mark.long  # containers take seconds each


@dataclass
class Shop:
    """A service whose tag is in a registry, and two images to put there."""

    registry: Registry
    runtime: DockerRuntime
    service: Service
    client: Any
    images: dict[str, str]

    def push(self, which: str) -> None:
        """Put one into the registry under the service's tag, as CI does elsewhere: nothing of it stays here."""
        repository, _, tag = self.service.image.rpartition(":")
        here = self.client.images.list(filters={"reference": self.service.image})
        self.client.images.get(self.images[which]).tag(repository, tag)
        self.client.images.push(repository, tag=tag)
        if here:
            here[0].tag(repository, tag)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    if why := runtime_kits.docker_is_missing():
        pytest.skip(why)
    import docker

    client, made = docker.from_env(), DockerImages()
    with registry() as server:
        service = Service(
            app=f"t{uuid.uuid4().hex[:8]}", name="web", runtime="docker", image=f"{server.name}/acme/shop:main", port=80
        )
        runtime = DockerRuntime(tmp_path / "state", TokenFence())
        yield Shop(server, runtime, service, client, {which: made.add(which) for which in ("one", "two")})
        await runtime.close()
        for found in client.api.images():
            for tag in found["RepoTags"] or ():
                if tag.startswith((f"{server.name}/", f"crossfade/{service.app}-")):
                    client.images.remove(tag, force=True)
        made.remove()
        client.close()


async def test_a_tag_that_moved_is_shipped_as_it_is_now(shop: Shop) -> None:
    """The image on this machine is asked about, and the new one is pulled; a word says so."""
    shop.push("one")
    first = await shop.runtime.build(shop.service)
    assert first.notes == ()
    shop.push("two")
    second = await shop.runtime.build(shop.service)
    assert second.digest != first.digest
    now = second.digest.rpartition(":")[2][:12]
    assert second.notes == (f"{shop.service.image} has moved: its registry has another image now, {now}",)
    assert (await shop.runtime.build(shop.service)) == replace(second, notes=())


async def test_a_tag_that_did_not_move_costs_a_question(shop: Shop) -> None:
    """Nothing is pulled, and nothing is said."""
    shop.push("one")
    first = await shop.runtime.build(shop.service)
    asked = shop.registry.asked
    assert await shop.runtime.build(shop.service) == first
    assert shop.registry.asked > asked


async def test_a_registry_that_does_not_answer_is_said_to_be_not_known(shop: Shop) -> None:
    """The image on this machine is shipped, and nobody is left to believe that it is the newest."""
    shop.push("one")
    first = await shop.runtime.build(shop.service)
    shop.registry.closed = True
    again = await shop.runtime.build(shop.service)
    assert again.digest == first.digest
    (note,) = again.notes
    assert note.startswith(f"whether {shop.service.image} has moved is not known, the one on this machine is taken: ")
    assert "\n" not in note


async def test_what_names_a_digest_or_was_built_here_is_not_asked_about(shop: Shop) -> None:
    """Neither can move."""
    shop.push("one")
    first = await shop.runtime.build(shop.service)
    asked = shop.registry.asked
    await shop.runtime.build(replace(shop.service, image=first.digest))
    await shop.runtime.build(replace(shop.service, image=shop.images["one"]))
    assert shop.registry.asked == asked


async def test_a_container_gets_no_new_privileges_and_not_endless_processes(shop: Shop) -> None:
    """A setuid program in the image makes nobody root, and a fork bomb stays in its container."""
    service = replace(shop.service, image=shop.images["two"], command="exec sleep 60")
    artifact = await shop.runtime.build(service)
    release = Release(number=1, service=service, version="v1", digest=artifact.digest, config_hash="")
    await shop.runtime.launch(f"{service.app}-1", release, {}, 1)
    try:
        (found,) = shop.client.containers.list(filters={"label": f"crossfade.service={service.key}"})
        limits = found.attrs["HostConfig"]
        assert limits["SecurityOpt"] == ["no-new-privileges"]
        assert 0 < limits["PidsLimit"] < 30_000
    finally:
        await shop.runtime.stop(f"{service.app}-1", 0, 1)
