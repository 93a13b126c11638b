"""Docker on this machine, where images are made and from where they are pushed."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Build, Service
from crossfade.platforms.aws.images.ecr import RegistryLogin, Repository
from crossfade.platforms.local.runtimes.docker import build as dockerfile
from crossfade.platforms.local.runtimes.docker.daemon import Daemon
from crossfade.platforms.local.runtimes.docker.image import parse

if TYPE_CHECKING:
    from docker import DockerClient

T = TypeVar("T")
MADE = "build-"  # what tags of images begin with that were pushed from here


class Workshop:
    """Makes images of one environment and pushes them. The password of a registry is told to the daemon alone."""

    def __init__(self, daemon: Daemon | None = None) -> None:
        self._daemon = daemon or Daemon()

    async def make(self, service: Service, build: Build, env: Mapping[str, str], platform: str) -> str:
        """Build an image for `platform`, such as linux/arm64; its id. WrongInputError for a build that fails."""
        here = await self._ask(service, lambda client: _platform(client.version()))
        handle, name = tempfile.mkstemp(prefix="crossfade-build-", suffix=".log")
        os.close(handle)
        log = Path(name)
        made = await dockerfile.image_id(service, build, env, log, platform="" if here == platform else platform)
        await asyncio.to_thread(log.unlink)
        await self._require(service, made, platform)
        return made

    async def local(self, service: Service, platform: str) -> str:
        """The id of the service's image that was made on this machine; empty where it came from a registry, or is not
        here.
        """
        name = service.image

        def look(client: "DockerClient") -> str:
            import docker.errors  # noqa: PLC0415  the SDK costs 150 ms

            try:
                image = client.images.get(name)
            except docker.errors.ImageNotFound:
                return ""
            known: list[str] = image.attrs.get("RepoDigests") or []
            pulled = any(one.startswith(f"{parse(name).repository}@") for one in known)
            return "" if pulled else str(image.id)

        found = await self._ask(service, look)
        if found:
            await self._require(service, found, platform)
        return found

    async def push(self, service: Service, image: str, repository: Repository, login: RegistryLogin) -> str:
        """Push an image by its id; its digest. The newest stays here by that name, for the next build goes by it."""
        tag = tag_of(image)
        said = await self._ask(service, lambda client: _push(client, image, repository, login, tag))
        if said.startswith("sha256:"):
            return said
        raise PlatformError(
            f"the image of {service.key} could not be pushed to {repository.name}: {' '.join(said.split())}",
            "nothing was changed; deploy again",
        )

    async def close(self) -> None:
        await self._daemon.close()

    async def _require(self, service: Service, image: str, platform: str) -> None:
        found = await self._ask(service, lambda client: _platform(client.images.get(image).attrs))
        if found != platform:
            raise wrong_platform(service, found, platform)

    async def _ask(self, service: Service, question: Callable[["DockerClient"], T]) -> T:
        try:
            return await self._daemon.ask(question)
        except PlatformError as error:
            raise PlatformError(
                f"the image of {service.key} is made with Docker on this machine, and {error.cause}",
                "start it or mend that, or name an image that is in a registry",
            ) from error


def tag_of(image: str) -> str:
    """The tag that an image is pushed by, of its id: the same content has the same."""
    return f"{MADE}{image.removeprefix('sha256:')[:12]}"


def wrong_platform(service: Service, found: str, wanted: str) -> WrongInputError:
    kind = "arm" if found.endswith("/arm64") else "x86"
    return WrongInputError(
        f"the image of {service.key} is for {found}, and its tasks run on {wanted}",
        f"build it for {wanted}, or have tasks of its kind: `cloud: {{compute: {{architecture: {kind}}}}}`",
    )


def _platform(said: Mapping[str, str]) -> str:
    """Of what Docker says of itself, or of an image."""
    return f"{said['Os']}/{said.get('Architecture') or said.get('Arch')}"


def _push(client: "DockerClient", image: str, repository: Repository, login: RegistryLogin, tag: str) -> str:
    """The digest that the registry knows it by, or what went wrong."""
    there = f"{login.host}/{repository.name}"
    client.images.get(image).tag(there, tag)
    entry = {"username": login.user, "password": login.password}
    digest, complaint = "", "the registry said no digest"
    for line in client.api.push(there, tag=tag, auth_config=entry, stream=True, decode=True):
        digest = (line.get("aux") or {}).get("Digest", digest)
        complaint = line.get("error", complaint)
    if digest:
        _clear(client, there, tag)
    return digest or complaint


def _clear(client: "DockerClient", there: str, newest: str) -> None:
    """Take away the names of what was pushed earlier; layers that are in use stay."""
    import docker.errors  # noqa: PLC0415  the SDK costs 150 ms

    for image in client.api.images(there):  # `images.list` asks for each again, and one of them may be gone by then
        for name in image["RepoTags"] or ():
            if name.startswith(f"{there}:{MADE}") and name != f"{there}:{newest}":
                with suppress(docker.errors.APIError):
                    client.images.remove(name, noprune=True)
