"""One distribution at the edge: which behaviour a path has, where its origin is, and what is kept of its answers."""

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web
from tests.rig.edge.cache import ERRORS, Cache, Kept, Lifetimes
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.wire import Json

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
Policy = Callable[[str], Json | None]
Address = Callable[[str, str], str | None]  # where a load balancer's name is, by protocol


class Distribution:
    """`config` as CloudFront has it. `policy` finds a cache policy of one's own, `address` a load balancer."""

    def __init__(self, emulator: Emulator, knobs: Knobs, *, policy: Policy, headers: Policy, address: Address) -> None:
        self._emulator, self._knobs = emulator, knobs
        self._policy, self._headers, self._address = policy, headers, address
        self.config: Json = {}
        self.single_page = False
        self.cache = Cache(lambda: asyncio.get_running_loop().time() * knobs.pace)  # in AWS's seconds

    async def answer(self, request: web.Request, session: aiohttp.ClientSession) -> web.Response:
        path = unquote(request.path)
        behaviour = self._behaviour(path)
        if path == "/" and self.config.get("DefaultRootObject"):
            path = f"/{self.config['DefaultRootObject']}"
        elif (
            self.single_page and behaviour is self.config["DefaultCacheBehavior"] and "." not in path.rsplit("/", 1)[-1]
        ):
            path = "/index.html"
        lifetimes = self._lifetimes(behaviour)
        rest = request.query_string if lifetimes is None else ""
        kept = self.cache.find(path, rest) if request.method in ("GET", "HEAD") and lifetimes else None
        if kept is not None:
            told = {"X-Cache": "Hit from cloudfront", "Age": str(self.cache.age(kept))}
            return self._response(kept, behaviour, told)
        fetched = await self._fetch(behaviour, path, request, session)
        if lifetimes is not None and request.method == "GET":
            control = fetched.headers.get("Cache-Control", "")
            self.cache.keep(path, rest, fetched, lifetimes.of(control) if fetched.status < 400 else ERRORS)
        return self._response(fetched, behaviour, {"X-Cache": "Miss from cloudfront"})

    def _behaviour(self, path: str) -> Json:
        """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html"""
        for one in (self.config.get("CacheBehaviors") or {}).get("Items") or []:
            pattern = one["PathPattern"]
            if fnmatchcase(path, pattern if pattern.startswith(("/", "*")) else f"/{pattern}"):
                found: Json = one
                return found
        default: Json = self.config["DefaultCacheBehavior"]
        return default

    def _lifetimes(self, behaviour: Json) -> Lifetimes | None:
        """None: nothing is kept."""
        id_ = behaviour.get("CachePolicyId")
        if id_ == _DISABLED:
            return None
        said = self._policy(id_) if id_ else behaviour
        usual = Lifetimes()
        said = said or {}
        return Lifetimes(
            float(said.get("MinTTL", usual.least)),
            float(said.get("DefaultTTL", usual.usual)),
            float(said.get("MaxTTL", usual.most)),
        )

    async def _fetch(self, behaviour: Json, path: str, request: web.Request, session: aiohttp.ClientSession) -> Kept:
        origins = {one["Id"]: one for one in self.config["Origins"]["Items"]}
        origin = origins[behaviour["TargetOriginId"]]
        bucket, is_bucket, after = origin["DomainName"].partition(".s3.")
        if is_bucket:
            key = f"{origin.get('OriginPath') or ''}{path}".lstrip("/")
            region = after.split(".")[0] if not after.startswith("amazonaws") else "us-east-1"
            return await self._emulator.use("s3", region, lambda client: _object(client, bucket, key))
        return await self._forward(origin, request, session)

    async def _forward(self, origin: Json, request: web.Request, session: aiohttp.ClientSession) -> Kept:
        protocol = (origin.get("CustomOriginConfig") or {}).get("OriginProtocolPolicy", "http-only").split("-")[0]
        address = self._address(origin["DomainName"], protocol)
        if address is None:
            return Kept(502, {}, b"CloudFront wasn't able to resolve the origin domain name.")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"{protocol}://{address}{request.raw_path}"
        try:
            async with session.request(
                request.method, url, headers=headers, data=await request.read(), allow_redirects=False, ssl=False
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
                return Kept(answer.status, kept, await answer.read())
        except aiohttp.ClientError:
            return Kept(502, {}, b"CloudFront wasn't able to connect to the origin.")

    def _response(self, kept: Kept, behaviour: Json, told: dict[str, str]) -> web.Response:
        policy = self._headers(behaviour.get("ResponseHeadersPolicyId") or "") or {}
        custom = (policy.get("CustomHeadersConfig") or {}).get("Items") or []
        own = {
            one["Header"]: one["Value"] for one in custom if one.get("Override") or one["Header"] not in kept.headers
        }
        return web.Response(status=kept.status, body=kept.body, headers={**kept.headers, **own, **told})


def _object(client: Any, bucket: str, key: str) -> Kept:
    """An edge may read objects and not list them: what is missing is denied.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    try:
        found = client.get_object(Bucket=bucket, Key=key)
    except client.exceptions.ClientError:
        return Kept(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
    names = {"ContentType": "Content-Type", "CacheControl": "Cache-Control", "ETag": "ETag"}
    headers = {shown: str(found[name]) for name, shown in names.items() if found.get(name)}
    return Kept(200, headers, found["Body"].read())
