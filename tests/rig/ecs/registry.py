"""ECR as Docker sees it: a registry on loopback, whose manifests are in the emulator's ECR as well."""

import asyncio
import base64
import contextlib
import hashlib
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.rig.ecs.images import ECR
from tests.rig.emulator import Emulator
from tests.rig.rig import ACCOUNT
from tests.rig.wire import AwsError, Call, Json
from tests.support.registry import SIGNED, Pushed, Registry

_PASSWORD = "rig-"  # and the region that it is for: ECR's registries are regional
_LASTS = timedelta(hours=12)  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
_LIMIT = 60.0


class Ecr:
    """The registry of all regions. It lets in who has a token."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._registry = Registry()
        self._registry.lets_in = lambda who: _region(who) != ""
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._registry.heard = self._heard
        threading.Thread(target=self._registry.serve_forever, daemon=True).start()

    async def close(self) -> None:
        await asyncio.to_thread(self._registry.shutdown)
        self._registry.server_close()

    async def get_authorization_token(self, call: Call) -> Json:
        token = base64.b64encode(f"AWS:{_PASSWORD}{call.region}".encode()).decode()
        endpoint = f"http://{self._registry.name}"
        expires = datetime.now(UTC) + _LASTS
        return {"authorizationData": [{"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": endpoint}]}

    async def get_download_url_for_layer(self, call: Call) -> Json:
        """An address with its right in it, of a layer as of an image's configuration.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html
        """
        repository, digest = call.params["repositoryName"], call.params["layerDigest"]
        if digest not in self._registry.blobs:
            raise AwsError("LayersNotFoundException", f"The layer {digest} does not exist in {repository}")
        url = f"http://{self._registry.name}/v2/{repository}/blobs/{digest}?{SIGNED}=rig"
        return {"downloadUrl": url, "layerDigest": digest}

    def here(self, reference: str) -> str:
        """What Docker on this machine calls an image that ECR's name is for."""
        host, _, rest = reference.partition("/")
        return f"{self._registry.name}/{rest}" if ECR.match(reference) and host.startswith(ACCOUNT) else reference

    def _heard(self, pushed: Pushed) -> None:
        """Of a thread of the registry: Docker waits until ECR has it."""
        assert self._loop is not None
        work = self._emulator.use("ecr", _region(pushed.by), partial(_put, pushed=pushed))
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_LIMIT)


def _region(who: str) -> str:
    """Of what Basic sends; empty for who has no token of ours."""
    user, _, password = base64.b64decode(who).decode().partition(":")
    return password.removeprefix(_PASSWORD) if user == "AWS" and password.startswith(_PASSWORD) else ""


def _put(client: Any, pushed: Pushed) -> None:
    with contextlib.suppress(client.exceptions.ImageAlreadyExistsException):
        client.put_image(
            repositoryName=pushed.repository,
            imageManifest=pushed.text.decode(),
            imageManifestMediaType=pushed.media,
            imageTag=pushed.name,
            imageDigest=f"sha256:{hashlib.sha256(pushed.text).hexdigest()}",
        )
