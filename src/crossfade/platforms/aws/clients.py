"""AWS's API as the adapters call it: botocore in a few threads, tried again within bounds, its errors in our words."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from crossfade.aws.owner import require_owner
from crossfade.engine.clock import SystemClock
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.refusals import AwsError, worded

T = TypeVar("T")
Answer = dict[str, Any]
Check = Callable[[], Awaitable[None]]

THREADS = 4  # at most so many calls are under way
CONNECT, READ = 3.0, 10.0  # seconds: far below the lease, so that nobody acts on after it
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
_PAGES = {
    "cloudwatch": ("NextToken", "NextToken"),
    "elbv2": ("Marker", "NextMarker"),
    "ec2": ("NextToken", "NextToken"),
    "rds": ("Marker", "Marker"),
    "s3": ("ContinuationToken", "NextContinuationToken"),
    "ssm": ("NextToken", "NextToken"),
}  # asks for the next, and names it


async def unfenced() -> None: ...


class Clients:
    """Calls any operation of any service: `await clients.call("ecs", "describe_clusters", clusters=["shop-dev"])`.

    What is throttled, or gets no answer, is tried again for `patience` seconds, with pauses that double and are drawn
    from their upper half, so that many callers do not come back together. Every failure is an `AwsError`.
    `account` is whose the credentials have to be: of another one nothing is asked.
    """

    def __init__(
        self,
        region: str = "",
        *,
        account: str | None = None,
        endpoint: str = "",
        profile: str = "",
        clock: Clock | None = None,
        patience: float = 20.0,
    ) -> None:
        self.asked: Counter[str] = Counter()  # by `service operation`
        self.patience = patience
        self._region, self._endpoint, self._profile = region, endpoint, profile
        self._unproved, self._proving, self._owner = account, asyncio.Lock(), ""
        self._clock = clock or SystemClock()
        self._threads = ThreadPoolExecutor(THREADS, "aws")
        self._under_way: set[Future[Any]] = set()
        self._made: dict[str, Any] = {}
        self._making = Lock()
        self._session: Any = None

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        """One operation by botocore's names; `before` is asked each time before it is tried."""
        if self._unproved:
            await self._require(self._unproved)
        return await self._call(service, operation, before, parameters)

    async def _call(self, service: str, operation: str, before: Check, parameters: Answer) -> Answer:
        for pause in self._pauses():
            await before()
            self.asked[f"{service} {operation}"] += 1
            try:
                return await self._run(partial(self._ask, service, operation, parameters))
            except AwsError as error:
                if not error.again or pause is None:
                    raise
                await self._clock.sleep(pause)
        raise AssertionError  # the last pause is None

    async def all(self, service: str, operation: str, items: str, /, **parameters: Any) -> list[Any]:
        """What `items` holds on every page of the answer."""
        found: list[Any] = []
        asks, tells = _PAGES.get(service, ("nextToken", "nextToken"))
        token: dict[str, Any] = {}
        while True:
            page = await self.call(service, operation, **parameters, **token)
            found += page.get(items, [])
            if not page.get(tells):
                return found
            token = {asks: page[tells]}

    async def region(self) -> str:
        """Where all this is."""
        client = await self._run(partial(self._client, "sts"))
        return str(client.meta.region_name)

    async def still(self) -> None:
        """Wait for calls that nobody waits for any more: what was asked may be done all the same."""
        await asyncio.gather(*map(asyncio.wrap_future, tuple(self._under_way)), return_exceptions=True)

    async def whereabouts(self) -> str:
        """The region and, where AWS tells it, the account: as one says it of what is not there."""
        try:
            return f"{await self.region()} of account {await self._account()}"
        except AwsError:
            return await self.region()

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self._run(self._close)
        self._threads.shutdown(wait=False)

    async def _account(self) -> str:
        """Whose the credentials are, asked once; nobody needs a right to."""
        if not self._owner:
            self._owner = str((await self._call("sts", "get_caller_identity", unfenced, {}))["Account"])
        return self._owner

    async def _require(self, account: str) -> None:
        async with self._proving:
            if self._unproved:
                require_owner(await self._account(), account)
                self._unproved = None

    def _pauses(self) -> Iterator[float | None]:
        """Seconds to wait after each try; None after the last one."""
        waited, longest = 0.0, FIRST_PAUSE
        while waited < self.patience:
            pause = longest * random.uniform(0.5, 1.0)  # noqa: S311  nobody gains by guessing it
            yield pause
            waited, longest = waited + pause, min(2 * longest, LONGEST_PAUSE)
        yield None

    async def _run(self, work: Callable[[], T]) -> T:
        call = self._threads.submit(work)
        self._under_way.add(call)
        call.add_done_callback(self._under_way.discard)
        return await asyncio.wrap_future(call)

    def _ask(self, service: str, operation: str, parameters: Answer) -> Answer:
        try:
            from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415  takes a second
                BotoCoreError,
                ClientError,
                ParamValidationError,
            )
        except ImportError as missing:
            raise AwsError(
                "releases reach AWS through botocore, which is not installed", "pip install 'crossfade[aws]'"
            ) from missing
        try:
            answer: Answer = getattr(self._client(service), operation)(**parameters)
            if hasattr(answer.get("Body"), "read"):  # an object of S3: what breaks off on its way is asked for again
                answer["Body"] = answer["Body"].read()
        except ParamValidationError:
            raise  # ours, and nobody's trouble but ours
        except (BotoCoreError, ClientError) as error:
            raise worded(service, operation, error) from error
        return answer

    def _client(self, service: str) -> Any:
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from botocore.session import Session  # type: ignore[import-untyped]  # noqa: PLC0415

        with self._making:  # botocore's sessions are not made for several threads
            if service not in self._made:
                try:
                    self._session = self._session or Session(profile=self._profile or None)
                    self._made[service] = self._session.create_client(
                        service,
                        region_name=self._region or None,
                        endpoint_url=self._endpoint or None,
                        config=Config(
                            connect_timeout=CONNECT,
                            read_timeout=READ,
                            retries={"total_max_attempts": 1},
                            max_pool_connections=THREADS,
                        ),
                    )
                except BotoCoreError as error:
                    raise worded(service, "", error) from error
            return self._made[service]

    def _close(self) -> None:
        for client in list(self._made.values()):  # a call that is still on its way may make one
            client.close()
        self._made.clear()
