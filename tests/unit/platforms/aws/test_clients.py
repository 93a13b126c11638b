"""Calls to AWS: tried again within bounds, fenced each time, and refused in our words."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from crossfade.core.errors import PlatformError, StaleTokenError
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.refusals import AwsError, worded

pytest.importorskip("botocore")

Said = tuple[int, dict[str, Any]]
BUSY: Said = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})


class Hasty:
    """A clock whose waits take no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@asynccontextmanager
async def aws(answers: Callable[[int, dict[str, Any]], Said], **more: Any) -> AsyncIterator[tuple[Clients, Hasty]]:
    """Clients of a server that says what `answers` makes of the number of a request and of its body."""
    heard = 0

    async def handle(request: web.Request) -> web.Response:
        nonlocal heard
        heard += 1
        status, said = answers(heard, json.loads(await request.text()))
        return web.Response(status=status, text=json.dumps(said), content_type="application/x-amz-json-1.1")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = Hasty()
    clients = Clients("eu-west-1", endpoint=f"http://127.0.0.1:{runner.addresses[0][1]}", clock=clock, **more)
    try:
        yield clients, clock
    finally:
        await clients.close()
        await runner.cleanup()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


async def test_what_is_throttled_is_tried_again_and_fenced_each_time() -> None:
    """The lease is looked at before each try, and who lost it meanwhile does not try again."""
    looked: list[int] = []

    async def look() -> None:
        looked.append(len(looked))
        if len(looked) == 4:
            raise StaleTokenError("it is somebody else's")

    async with aws(lambda n, _: BUSY if n < 3 else (200, {"clusters": []})) as (clients, clock):
        assert (await clients.call("ecs", "describe_clusters", look, clusters=["one"]))["clusters"] == []
        assert looked == [0, 1, 2]
        assert len(clock.slept) == 2
        with pytest.raises(StaleTokenError):
            await clients.call("ecs", "describe_clusters", look)
        assert clients.asked == {"ecs describe_clusters": 3}


async def test_throttling_for_long_ends_in_a_sentence() -> None:
    """The pauses double up to a bound, and together are not much longer than the patience."""
    async with aws(lambda *_: BUSY, patience=20.0) as (clients, clock):
        with pytest.raises(PlatformError, match="too many calls from this account at once and refuses ecs ListTasks"):
            await clients.call("ecs", "list_tasks", cluster="one")
        assert 20 <= sum(clock.slept) <= 28
        assert max(clock.slept) <= 8


async def test_every_page_is_read() -> None:
    """The token of each page asks for the next one."""
    pages = {None: ["a"], "2": ["b", "c"], "3": []}

    def answers(_: int, asked: dict[str, Any]) -> Said:
        token = asked.get("nextToken")
        after = {None: "2", "2": "3"}.get(token)
        return 200, {"taskArns": pages[token], **({"nextToken": after} if after else {})}

    async with aws(answers) as (clients, _):
        assert await clients.all("ecs", "list_tasks", "taskArns", cluster="one") == ["a", "b", "c"]


def refused(code: str, message: str = "", status: int = 400) -> AwsError:
    from botocore.exceptions import ClientError

    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return worded("ecs", "update_service", ClientError(said, "UpdateService"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "message", "cause", "again"),
    [
        (
            "AccessDeniedException",
            (
                "User: arn:aws:sts::1:assumed-role/ci is not authorized to perform: ecs:UpdateService on resource: "
                "arn:aws:ecs:eu-west-1:1:service/shop/shop-blue because no identity-based policy allows it"
            ),
            "these credentials may not ecs:UpdateService on arn:aws:ecs:eu-west-1:1:service/shop/shop-blue",
            False,
        ),
        ("ExpiredTokenException", "The security token is expired", "the credentials for AWS have expired", False),
        ("UnrecognizedClientException", "Invalid.", "AWS does not know these credentials: Invalid", False),
        (
            "LimitExceededException",
            "No more of them.",
            "a quota of this account is reached with ecs UpdateService: No more of them",
            False,
        ),
        ("ServerException", "Sorry.", "AWS is in trouble with ecs UpdateService: Sorry", True),
        (
            "TransactionConflictException",
            "Transaction is ongoing for the item",
            "AWS is still busy with another call about the same thing and refuses ecs UpdateService",
            True,
        ),
        ("SomethingNew", "It is new.", "ecs UpdateService: It is new", False),
    ],
)
def test_refusals_are_worded(code: str, message: str, cause: str, again: bool) -> None:
    """The action and the resource are named, and what may pass by itself is known from what will not."""
    error = refused(code, message)
    assert (error.cause, error.again, error.code) == (cause, again, code)
    assert error.lasting == (not again and code != "SomethingNew")  # who knows what a new word means


def test_a_right_is_named_as_policies_name_it() -> None:
    """Where AWS says no without saying to what."""
    from botocore.exceptions import ClientError

    said = {"Error": {"Code": "AccessDenied", "Message": "Access Denied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    error = worded("elbv2", "modify_rule", ClientError(said, "ModifyRule"))  # type: ignore[arg-type]
    assert error.cause == "these credentials may not elasticloadbalancing:ModifyRule"


def test_trouble_of_aws_is_known_by_its_status() -> None:
    """Whatever word it uses."""
    assert refused("WhoKnows", "Hm.", 503).again


async def test_nobody_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is asked; where nobody answers that is said after the patience."""
    clients = Clients("eu-west-1", endpoint="http://127.0.0.1:9", clock=Hasty(), patience=1.0)
    with pytest.raises(PlatformError, match="AWS gave no answer to ecs ListClusters"):
        await clients.call("ecs", "list_clusters")
    await clients.close()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    bare = Clients("eu-west-1", clock=Hasty())
    with pytest.raises(PlatformError, match="there are no credentials for AWS"):
        await bare.call("ecs", "list_clusters")
    await bare.close()


class BrokenOff(Clients):
    """S3, the first of whose answers breaks off on its way."""

    def __init__(self) -> None:
        super().__init__("eu-west-1", clock=Hasty())
        self.asks = 0

    def _client(self, service: str) -> Any:
        return self

    def get_object(self, **_: str) -> dict[str, Any]:
        self.asks += 1
        return {"Body": self}

    def read(self) -> bytes:
        from botocore.exceptions import ReadTimeoutError

        if self.asks == 1:
            raise ReadTimeoutError(endpoint_url="https://s3.amazonaws.com", error="cut")
        return b"whole"


async def test_an_object_that_breaks_off_on_its_way_is_asked_for_again() -> None:
    """As a call that gets no answer is."""
    clients = BrokenOff()
    assert (await clients.call("s3", "get_object", Bucket="site", Key="site.json"))["Body"] == b"whole"
    assert clients.asks == 2
    await clients.close()
