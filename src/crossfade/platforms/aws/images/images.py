"""The image of a release: made, or found in its registry, and pinned by digest; and the tags that follow releases."""

import asyncio
import re
from collections.abc import Mapping

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Build, Service
from crossfade.engine.ports.runtime import Artifact
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.images.blobs import Blobs
from crossfade.platforms.aws.images.ecr import Ecr, Repository, named
from crossfade.platforms.aws.images.workshop import Workshop, tag_of, wrong_platform
from crossfade.platforms.local.runtimes.docker import build as dockerfile
from crossfade.platforms.local.runtimes.docker import registry
from crossfade.platforms.local.runtimes.docker.image import Reference, parse

LATEST, PREVIOUS = "latest", "previous"
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SHORT = 7  # characters of a commit, as in `crossfade rollback --to sha-3f9a1c2`


class Images:
    """Pins the images of one environment. `platform` is what a service's tasks run on: linux/amd64, linux/arm64."""

    def __init__(
        self, clients: Clients, places: Places, workshop: Workshop | None = None, blobs: Blobs | None = None
    ) -> None:
        self._ecr, self._places = Ecr(clients, places, blobs), places
        self._workshop = workshop or Workshop()

    async def pinned(self, service: Service, env: Mapping[str, str], platform: str) -> Artifact:
        """`repository@sha256:...` of the service's image, which is made first where the file says so.

        WrongInputError for one that is not there, cannot be built or is for other processors.
        """
        if service.container.build is not None:
            return await self._made(service, service.container.build, env, platform)
        if not service.image:
            raise WrongInputError(f"{service.key} has no image", "name one, or build it: `image: {build: .}`")
        reference = parse(service.image)
        digest = service.image.partition("@")[2]
        where = named(reference.repository)
        if where is not None:
            return await self._in_ecr(service, where, reference, digest, platform)
        if digest:
            return Artifact(digest=service.image, version=reference.tag or digest[7:19])
        if not reference.registry:
            image = await self._local_or_own(service, reference, platform)
            if image is not None:
                return image
        return await self._elsewhere(service, reference, env, platform)

    async def require(self, release: Release) -> None:
        """PlatformError when the image of a release is not in its repository any more."""
        bare, _, digest = release.digest.partition("@")
        where = named(bare)
        if where and not await self._ecr.digest(where, digest=digest):
            raise PlatformError(
                f"the image of release {release.label} is not in ECR any more: {release.digest}",
                "push it again, or choose another release",
            )

    async def follow(self, release: Release, previous: Release | None, before: Check) -> None:
        """Have the tags of the environment's own repository say which release serves, and which good one is before it.

        A release that was taken back never had them, so that whoever deploys by `previous` gets a good one.
        """
        own = await self._ecr.own(release.service.name)
        for one, tags in ((release, [*_marks(release), LATEST]), (previous, [PREVIOUS])):
            bare, _, digest = one.digest.partition("@") if one else ("", "", "")
            if bare == own.uri:
                stay = [tag for tag in tags if own.moves or tag not in {LATEST, PREVIOUS}]
                await self._ecr.name(own, digest, stay, before)

    async def close(self) -> None:
        await self._workshop.close()

    async def _made(self, service: Service, build: Build, env: Mapping[str, str], platform: str) -> Artifact:
        own = await self._ecr.own(service.name)  # before the minutes that a build may take
        image = await self._workshop.make(service, build, env, platform)
        commit = await asyncio.to_thread(dockerfile.commit, build)
        digest = await self._pushed(service, image, own)
        version, sha = (commit.version, commit.sha) if commit else (digest[7:19], "")
        return Artifact(digest=f"{own.uri}@{digest}", version=version, git_sha=sha)

    async def _pushed(self, service: Service, image: str, own: Repository) -> str:
        """Pushed once: the same image again is there under the same tag."""
        there = await self._ecr.digest(own, tag=tag_of(image))
        return there or await self._workshop.push(service, image, own, await self._ecr.login())

    async def _in_ecr(
        self, service: Service, where: Repository, reference: Reference, digest: str, platform: str
    ) -> Artifact:
        found = await self._ecr.digest(where, tag=reference.tag or LATEST, digest=digest)
        if not found:
            raise WrongInputError(
                f"image {service.image} is not in ECR",
                f"push it, or look at `aws ecr list-images --repository-name {where.name}`",
            )
        _require(service, await self._ecr.platforms(where, found), platform)
        return Artifact(digest=f"{where.uri}@{found}", version=reference.tag or found[7:19])

    async def _local_or_own(self, service: Service, reference: Reference, platform: str) -> Artifact | None:
        """Of a name without a registry: what was made by it on this machine, or was pushed by others for it."""
        own = await self._ecr.own(service.name)
        tag = reference.tag or LATEST
        try:
            image = await self._workshop.local(service, platform)
        except PlatformError:  # no Docker here: then nothing was made here
            image = ""
        digest = await self._pushed(service, image, own) if image else await self._ecr.digest(own, tag=tag)
        if not digest:
            return None
        if not image:
            _require(service, await self._ecr.platforms(own, digest), platform)
        return Artifact(digest=f"{own.uri}@{digest}", version=reference.tag if tag != LATEST else digest[7:19])

    async def _elsewhere(
        self, service: Service, reference: Reference, env: Mapping[str, str], platform: str
    ) -> Artifact:
        """In another registry, which Docker is let in by the login of who deploys."""
        bare = reference.repository
        try:
            told = await asyncio.to_thread(registry.told, service.image, env)
        except PlatformError as error:
            nowhere = f" and {self._places.repository(service.name)} of ECR" if not reference.registry else ""
            raise WrongInputError(
                f"image {service.image} cannot be pinned: its registry{nowhere} did not say what it is now: "
                f"{' '.join(error.cause.split())}",
                f"`docker login {reference.registry}`, name its digest (`{bare}@sha256:...`), or build it: "
                "`image: {build: .}`",
            ) from error
        _require(service, told.platforms, platform)
        return Artifact(digest=f"{bare}@{told.digest}", version=reference.tag or told.digest[7:19])


def _require(service: Service, platforms: frozenset[str], platform: str) -> None:
    """WrongInputError for an image that says what it runs on, and not on this."""
    if platforms and platform not in platforms:
        raise wrong_platform(service, ", ".join(sorted(platforms)), platform)


def _marks(release: Release) -> list[str]:
    """The tags that a release keeps: its commit, and its version where that is a tag at all."""
    sha = [f"sha-{release.git_sha[:_SHORT]}"] if release.git_sha else []
    named_by = release.version
    usable = _TAG.fullmatch(named_by) is not None and named_by not in {LATEST, PREVIOUS, *sha}
    return [*sha, *([named_by] if usable else [])]
