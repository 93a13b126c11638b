"""All distributions: each on a port of its own, changed and invalidated as CloudFront's API says."""

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web
from tests.rig.edge.distribution import Address, Distribution
from tests.rig.edge.policies import Policies
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.wire import AwsError, Call, Json

from crossfade.aws.terraform import modules

# The only function that crossfade writes; others are not run, for the rig has no JavaScript.
_SINGLE_PAGE = Path(modules.__file__).parent / "delivery" / "cloudfront" / "single-page.js"


class Edges:
    """CloudFront's data plane, and its invalidations, policies and functions' publication."""

    def __init__(self, emulator: Emulator, knobs: Knobs, address: Address) -> None:
        self._emulator, self._knobs, self._address = emulator, knobs, address
        self._policies, self._headers = Policies("CachePolicy"), Policies("ResponseHeadersPolicy")
        self._requests = Policies("OriginRequestPolicy")
        self._distributions: dict[str, Distribution] = {}
        self._invalidations: dict[str, dict[str, Json]] = {}
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None
        self._work: set[asyncio.Task[None]] = set()
        self.ports: dict[str, int] = {}  # by the distribution's ARN

    def operations(self) -> dict[tuple[str, str], Any]:
        return {
            **self._policies.operations(),
            **self._headers.operations(),
            **self._requests.operations(),
            ("cloudfront", "CreateInvalidation"): self.invalidate,
            ("cloudfront", "GetInvalidation"): self.get_invalidation,
            ("cloudfront", "ListInvalidations"): self.list_invalidations,
            ("cloudfront", "PublishFunction"): self.publish_function,
        }

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def close(self) -> None:
        for task in self._work:
            task.cancel()
        for runner in self._runners:
            await runner.cleanup()
        if self._session:
            await self._session.close()

    async def follow(self, call: Call) -> None:
        """A distribution was made or changed: edges do it a while later."""
        found = await self._emulator.use("cloudfront", call.region, _read)
        for arn, (id_, config, single_page) in found.items():
            if id_ not in self._distributions:
                self._distributions[id_] = self._make()
                self._distributions[id_].config = config
                self.ports[arn] = await self._listen(self._distributions[id_])
            self._later(self._change(self._distributions[id_], config, single_page=single_page), self._knobs.lag)

    async def invalidate(self, call: Call) -> Json:
        """Edges forget some time later; until then the invalidation is in progress.

        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation_Requests.html
        """
        id_ = call.params["DistributionId"]
        distribution = self._distributions.get(id_)
        if distribution is None:
            raise AwsError("NoSuchDistribution", "The specified distribution does not exist.", 404)
        batch = call.params["InvalidationBatch"]
        made = self._invalidations.setdefault(id_, {})
        for (
            one
        ) in made.values():  # https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html
            if one["InvalidationBatch"]["CallerReference"] == batch["CallerReference"]:
                return {"Invalidation": one, "Location": ""}
        invalidation = {
            "Id": f"I{uuid.uuid4().hex[:13].upper()}",
            "Status": "InProgress",
            "CreateTime": datetime.now(UTC),
            "InvalidationBatch": batch,
        }
        made[invalidation["Id"]] = invalidation
        self._later(self._forget(distribution, invalidation), self._knobs.invalidation)
        return {"Invalidation": invalidation, "Location": ""}

    async def get_invalidation(self, call: Call) -> Json:
        found = self._invalidations.get(call.params["DistributionId"], {}).get(call.params["Id"])
        if found is None:
            raise AwsError("NoSuchInvalidation", "The specified invalidation does not exist.", 404)
        return {"Invalidation": found}

    async def list_invalidations(self, call: Call) -> Json:
        found = list(self._invalidations.get(call.params["DistributionId"], {}).values())
        items = [{name: one[name] for name in ("Id", "CreateTime", "Status")} for one in reversed(found)]
        listed = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(items), "Items": items}
        return {"InvalidationList": listed}

    async def publish_function(self, call: Call) -> Json:
        def read(client: Any) -> Json:
            told = client.describe_function(Name=call.params["Name"])
            return {"FunctionSummary": told["FunctionSummary"]}

        return await self._emulator.use("cloudfront", call.region, read)

    def _make(self) -> Distribution:
        return Distribution(
            self._emulator,
            self._knobs,
            policy=self._policies.config,
            headers=self._headers.config,
            address=self._address,
        )

    async def _listen(self, distribution: Distribution) -> int:
        async def answer(request: web.Request) -> web.Response:
            assert self._session is not None
            return await distribution.answer(request, self._session)

        application = web.Application(client_max_size=2**30)
        application.router.add_route("*", "/{rest:.*}", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    def _later(self, work: Any, seconds: float) -> None:
        """In so many of AWS's seconds."""

        async def wait() -> None:
            await asyncio.sleep(self._knobs.real(seconds))
            await work

        task = asyncio.create_task(wait())
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _change(self, distribution: Distribution, config: Json, *, single_page: bool) -> None:
        distribution.config, distribution.single_page = config, single_page

    async def _forget(self, distribution: Distribution, invalidation: Json) -> None:
        distribution.cache.forget(
            [unquote(path) for path in invalidation["InvalidationBatch"]["Paths"].get("Items") or []]
        )
        invalidation["Status"] = "Completed"


def _read(client: Any) -> dict[str, tuple[str, Json, bool]]:
    """By ARN: id, configuration, and whether a path without a file name is a page of the app."""
    found = {}
    for one in client.list_distributions()["DistributionList"].get("Items") or []:
        config = client.get_distribution_config(Id=one["Id"])["DistributionConfig"]
        used = (config["DefaultCacheBehavior"].get("FunctionAssociations") or {}).get("Items") or []
        names = [function["FunctionARN"].rsplit("/", 1)[-1] for function in used]
        found[one["ARN"]] = one["Id"], config, any(_is_single_page(client, name) for name in names)
    return found


def _is_single_page(client: Any, name: str) -> bool:
    try:
        code = client.get_function(Name=name)["FunctionCode"].read()
    except client.exceptions.NoSuchFunctionExists:
        return False
    ours = _SINGLE_PAGE.read_bytes()
    return hashlib.sha256(code.strip()).digest() == hashlib.sha256(ours.strip()).digest()
