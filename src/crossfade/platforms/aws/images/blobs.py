"""An image's own words in ECR: the configuration that its manifest names, a few kilobytes of JSON."""

import asyncio
import urllib.request
from typing import Protocol

from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.refusals import AwsError

_PATIENCE = 10.0  # seconds
_MOST = 1 << 20  # bytes: a layer that somebody calls a configuration is not fetched
# It is in no repository that we may read, or it is no layer to ECR.
_GONE = {"LayersNotFoundException", "LayerInaccessibleException", "InvalidParameterException", "AccessDeniedException"}


class Blobs(Protocol):
    """Where the content of digests comes from."""

    async def read(self, account: str, repository: str, digest: str) -> bytes:
        """Empty where it is not to be had."""
        ...


class EcrBlobs:
    """ECR names an address for a while, of a configuration as of any layer."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def read(self, account: str, repository: str, digest: str) -> bytes:
        asked = {"registryId": account, "repositoryName": repository, "layerDigest": digest}
        try:
            answer = await self._clients.call("ecr", "get_download_url_for_layer", **asked)
        except AwsError as error:
            if error.code in _GONE:
                return b""
            raise
        return await asyncio.to_thread(_fetched, answer["downloadUrl"])


def _fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310  as ECR gave it
            content: bytes = answer.read(_MOST)
            return content
    except (OSError, ValueError):
        return b""
