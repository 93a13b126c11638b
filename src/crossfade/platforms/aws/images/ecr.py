"""ECR as images need it: which digest a tag means, what it runs on, tags that move, and the login to push with."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.images.blobs import Blobs, EcrBlobs
from crossfade.platforms.aws.refusals import AwsError, absent

_NAME = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)")
_GONE = {"ImageNotFoundException", "RepositoryNotFoundException"}
# The tag is there: of this image already, or for good of another one's.
_KEPT = {"ImageAlreadyExistsException", "ImageTagAlreadyExistsException"}
_MUTABLE = "MUTABLE"
# Manifests are given back as they were pushed: one of another kind would have another digest.
_MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


@dataclass(frozen=True, slots=True)
class Repository:
    """Where images are kept. `uri` is what they are called by without a tag; `moves`: a tag may get another image."""

    account: str
    name: str
    uri: str
    moves: bool = True


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """How Docker gets in for some hours; `host` is the registry's. The password is in no repr."""

    host: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.host!r}, {self.user!r})"


def named(bare: str) -> Repository | None:
    """The repository that a name without tag and digest says, whoever's it is; None for one that is not of ECR."""
    found = _NAME.fullmatch(bare)
    return Repository(found["account"], found["repository"], bare) if found else None


class Ecr:
    """Registries of ECR, of this account and of others that let us in."""

    def __init__(self, clients: Clients, places: Places, blobs: Blobs | None = None) -> None:
        self._clients, self._places = clients, places
        self._blobs = blobs or EcrBlobs(clients)

    async def own(self, service: str) -> Repository:
        """The environment's own, of a service. PlatformError where there is none yet."""
        name = self._places.repository(service)
        try:
            answer = await self._clients.call("ecr", "describe_repositories", repositoryNames=[name])
        except AwsError as error:
            if error.code not in _GONE:
                raise
            command = f"infra apply -e {self._places.environment}"
            raise PlatformError(
                *absent(f"ECR repository {name}", await self._clients.whereabouts(), command)
            ) from error
        found = answer["repositories"][0]
        moves = found.get("imageTagMutability", _MUTABLE) == _MUTABLE
        return Repository(found["registryId"], name, found["repositoryUri"], moves)

    async def digest(self, repository: Repository, *, tag: str = "", digest: str = "") -> str:
        """Of an image that is there; empty for one that is not."""
        image = {"imageDigest": digest} if digest else {"imageTag": tag}
        asked = {"registryId": repository.account, "repositoryName": repository.name, "imageIds": [image]}
        try:
            answer = await self._clients.call("ecr", "describe_images", **asked)
        except AwsError as error:
            if error.code in _GONE:
                return ""
            raise
        return next((one["imageDigest"] for one in answer["imageDetails"]), "")

    async def platforms(self, repository: Repository, digest: str) -> frozenset[str]:
        """What an image runs on, as `linux/arm64`: the manifest of several images together says it, and of one its
        configuration does. Nothing where neither is as it should be.
        """
        manifest, _ = await self._manifest(repository, digest)
        try:
            told = json.loads(manifest) if manifest else {}
            said = [one["platform"] for one in told.get("manifests", ()) if "platform" in one]
            config = told.get("config", {}).get("digest", "")
            if config and "manifests" not in told:
                said = [json.loads(await self._blobs.read(repository.account, repository.name, config) or "null")]
            return frozenset(f"{one['os']}/{one['architecture']}" for one in said) - {"unknown/unknown"}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return frozenset()

    async def name(self, repository: Repository, digest: str, tags: list[str], before: Check) -> None:
        """Give an image these tags; from the one that had them they are taken. Nothing for an image that is gone."""
        manifest, kind = await self._manifest(repository, digest)
        for tag in tags if manifest else ():
            try:
                await self._clients.call(
                    "ecr",
                    "put_image",
                    before,
                    registryId=repository.account,
                    repositoryName=repository.name,
                    imageManifest=manifest,
                    imageManifestMediaType=kind,
                    imageTag=tag,
                    imageDigest=digest,
                )
            except AwsError as error:
                if error.code not in _KEPT:
                    raise

    async def login(self) -> RegistryLogin:
        """To this account's registry: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"""
        answer = await self._clients.call("ecr", "get_authorization_token")
        given = answer["authorizationData"][0]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        return RegistryLogin(urlsplit(given["proxyEndpoint"]).netloc, user, password)

    async def _manifest(self, repository: Repository, digest: str) -> tuple[str, str]:
        """Of an image, with its media type; empty for one that is not there."""
        answer = await self._clients.call(
            "ecr",
            "batch_get_image",
            registryId=repository.account,
            repositoryName=repository.name,
            imageIds=[{"imageDigest": digest}],
            acceptedMediaTypes=_MANIFESTS,
        )
        found: dict[str, Any] = next(iter(answer["images"]), {})
        text = found.get("imageManifest", "")
        return text, found.get("imageManifestMediaType") or (json.loads(text).get("mediaType", "") if text else "")
