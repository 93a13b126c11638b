"""The image of a release: found in its registry, and pinned by digest."""

import re

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.runtime import Artifact
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.refusals import AwsError

_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)")
_GONE = {"ImageNotFoundException", "RepositoryNotFoundException"}


class Images:
    """Finds images; they are built and pushed by others."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def pinned(self, service: Service) -> Artifact:
        """`repository@sha256:...` of the service's image. WrongInputError for one that is not there."""
        name, at, digest = service.image.partition("@")
        tag = name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
        bare = name.removesuffix(f":{tag}") if tag else name
        where = _ECR.match(bare)
        if where is None:
            if not at:
                raise WrongInputError(
                    f"image {service.image or 'of ' + service.key} is pinned to nothing: its tag may move",
                    f"name its digest (`{bare or 'repository'}@sha256:...`), or push it to the environment's ECR",
                )
            return Artifact(digest=service.image, version=tag or digest[7:19])
        asked = {"imageDigest": digest} if at else {"imageTag": tag or "latest"}
        found = await self._digest(where["account"], where["repository"], asked)
        if not found:
            raise WrongInputError(
                f"image {service.image} is not in ECR",
                f"push it, or look at `aws ecr list-images --repository-name {where['repository']}`",
            )
        return Artifact(digest=f"{bare}@{found}", version=tag or found[7:19])

    async def require(self, release: Release) -> None:
        """PlatformError when the image of a release is not in its repository any more."""
        bare, _, digest = release.digest.partition("@")
        where = _ECR.match(bare)
        if where and not await self._digest(where["account"], where["repository"], {"imageDigest": digest}):
            raise PlatformError(
                f"the image of release {release.label} is not in ECR any more: {release.digest}",
                "push it again, or choose another release",
            )

    async def _digest(self, account: str, repository: str, image: dict[str, str]) -> str:
        """Of an image that is there; empty for one that is not."""
        asked = {"registryId": account, "repositoryName": repository, "imageIds": [image]}
        try:
            answer = await self._clients.call("ecr", "describe_images", **asked)
        except AwsError as error:
            if error.code in _GONE:
                return ""
            raise
        return next((one["imageDigest"] for one in answer["imageDetails"]), "")
