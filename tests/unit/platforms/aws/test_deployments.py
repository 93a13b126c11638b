"""A deployment of ECS that is to go no further."""

from contextlib import nullcontext
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence
from tests.support.places import NOWHERE

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.adapters import Adapters
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.ecs.deployments import stop_deployments
from crossfade.platforms.aws.ecs.runtime import EcsRuntime
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import Side


class Refusing(Clients):
    """One deployment is under way, which cannot be stopped; asked again, it is over or is not."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.ends, self.looks = ends, 0

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        if operation == "stop_service_deployment":
            raise AwsError("it cannot be stopped", code="ConflictException")
        self.looks += 1
        over = self.ends and self.looks > 1
        return {"serviceDeployments": [] if over else [{"serviceDeploymentArn": "arn:one"}]}


async def test_one_that_ended_meanwhile_needs_no_end() -> None:
    """Between the look and the call."""
    await stop_deployments(Refusing(ends=True), "shop-dev", "web-blue", unfenced)


async def test_one_that_goes_on_is_not_said_to_be_stopped() -> None:
    """Such as one without another before it that was ever complete."""
    with pytest.raises(AwsError, match="it cannot be stopped"):
        await stop_deployments(Refusing(ends=False), "shop-dev", "web-blue", unfenced)


class Stopping(Clients):
    """One deployment is under way, and `stopped` once it is told to."""

    def __init__(self) -> None:
        super().__init__("us-east-1")
        self.stopped = False

    async def call(self, service: str, operation: str, before: Check | None = None, /, **parameters: Any) -> Answer:
        self.stopped = self.stopped or operation == "stop_service_deployment"
        return {"serviceDeployments": [{"serviceDeploymentArn": "arn:one"}]}


@pytest.mark.parametrize(
    ("beside", "stopped", "said"),
    [
        ((), False, ""),  # a first deployment, or one whose restart is as good as over
        (("COMPLETED",), True, ""),
        (("IN_PROGRESS", "COMPLETED"), True, ""),
        (("IN_PROGRESS",), False, "would go back to an older release"),
    ],
)
async def test_a_restart_is_stopped_where_ecs_goes_back_to_the_same_release(
    beside: tuple[str, ...], stopped: bool, said: str
) -> None:
    """It goes back to the last deployment that it has called complete, and that may be of a release before."""
    clients = Stopping()
    runtime = Adapters(clients, Places("shop", "dev"), TokenFence(), SystemClock(), compute="fargate").runtime
    assert isinstance(runtime, EcsRuntime)
    side = Side(
        colour="blue",
        definition="arn:web:2",
        release=None,
        wanted=2,
        live=3,
        weight=1,
        failed=False,
        since=0.0,
        beside=beside,
    )
    with pytest.raises(PlatformError, match=said) if said else nullcontext():
        await runtime._stop_renewing(NOWHERE, side, unfenced)
    assert clients.stopped is stopped
    await clients.close()
