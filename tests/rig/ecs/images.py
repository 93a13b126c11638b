"""Images that tasks can be started from: each is a program of this machine."""

import contextlib
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

# An image without a program of its own: what runs is the command of the container definition.
HOST = "rig/host:latest"


ECR = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com/(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?")


class NotFoundError(Exception):
    """No such image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A command, the folder it runs in and its own variables; a container definition overrides both."""

    command: tuple[str, ...] = ()
    folder: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.manifest.encode()).hexdigest()

    @property
    def manifest(self) -> str:
        """What ECR is given for it."""
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {"rig": asdict(self)}, "layers": []})


class Images:
    """Images by reference: `repository:tag` and `repository@digest`."""

    def __init__(self) -> None:
        self._images: dict[str, Image] = {HOST: Image()}

    def add(self, reference: str, image: Image, digest: str) -> None:
        """Under its tag, which may have been another image's, and for good under its digest."""
        host, slash, name = reference.rpartition("/")
        self._images[reference] = image
        self._images[f"{host}{slash}{name.partition(':')[0]}@{digest}"] = image

    def pull(self, reference: str) -> Image:
        found = self._images.get(reference) or self._images.get(f"{reference}:latest")
        if found is None:
            raise NotFoundError(
                # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                f"failed to resolve ref {reference}: not found"
            )
        return found


def push(client: Any, where: re.Match[str], image: Image) -> None:
    """Into ECR, where it is found by its tag and its digest; a repository that is not there is made."""
    with contextlib.suppress(client.exceptions.RepositoryAlreadyExistsException):
        client.create_repository(repositoryName=where["repository"])
    with contextlib.suppress(client.exceptions.ImageAlreadyExistsException):  # the same, under the same tag
        client.put_image(
            repositoryName=where["repository"],
            imageManifest=image.manifest,
            imageTag=where["tag"] or "latest",
            imageDigest=image.digest,
        )
