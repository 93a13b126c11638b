"""The bucket of revisions, which Terraform made: each lies under the name of its content."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.runtime import Artifact
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.autoscaling.user_data import IN_BUCKET
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.codedeploy.revision import packed
from crossfade.platforms.aws.refusals import AwsError

_GONE = {"404", "NoSuchKey", "NotFound", "403"}  # without ListBucket S3 says 403 of what is not there


class Revisions:
    """`Artifacts` of one environment. `beside` is what goes with every source: appspec and hooks, texts by path."""

    def __init__(self, clients: Clients, templates: Templates, environment: str, beside: Mapping[str, str]) -> None:
        self._clients, self._templates, self._environment, self._beside = clients, templates, environment, beside

    async def pinned(self, service: Service, env: Mapping[str, str], platform: str) -> Artifact:  # noqa: ARG002
        """It is built where it runs, by a hook, and needs neither variables nor processors."""
        made = await asyncio.to_thread(packed, Path(service.source), self._beside)
        bucket, key = await self._templates.bucket(), f"{self._environment}/{service.name}/{made.name}.zip"
        if not await self._there(bucket, key):
            await self._clients.call("s3", "put_object", Bucket=bucket, Key=key, Body=made.content)
        return Artifact(digest=f"{IN_BUCKET}{bucket}/{key}", version=made.version, git_sha=made.git_sha)

    async def require(self, release: Release) -> None:
        bucket, key = located(release.digest)
        if not await self._there(bucket, key):
            raise PlatformError(
                f"the revision of release {release.label} is not in S3 any more: {release.digest}",
                "choose another release, or deploy its commit again",
            )

    async def follow(self, release: Release, previous: Release | None, before: Check) -> None:
        """Nothing: nobody finds a revision by a name that moves."""

    async def close(self) -> None:
        """Nothing of its own is open."""

    async def _there(self, bucket: str, key: str) -> bool:
        try:
            await self._clients.call("s3", "head_object", Bucket=bucket, Key=key)
        except AwsError as error:
            if error.code in _GONE:
                return False
            raise
        return True


def located(digest: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = digest.removeprefix(IN_BUCKET).partition("/")
    return bucket, key
