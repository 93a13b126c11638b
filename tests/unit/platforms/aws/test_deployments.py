"""A deployment of ECS that is to go no further."""

from typing import Any

import pytest

from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.ecs.deployments import stop_deployments
from crossfade.platforms.aws.refusals import AwsError


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
