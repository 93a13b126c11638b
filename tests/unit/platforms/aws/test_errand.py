"""A command that is run once as a task of ECS, whoever goes on with it."""

from dataclasses import replace
from typing import Any

from tests.support.places import NOWHERE

from crossfade.aws.places import Places
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.ecs.definitions import Definition, Definitions
from crossfade.platforms.aws.ecs.errand import LATE, Errands
from crossfade.platforms.aws.refusals import worded

TASK = "arn:aws:ecs:us-east-1:1:task/shop-dev/1f3a"
ENDED = {"taskArn": TASK, "lastStatus": "STOPPED", "containers": [{"name": "web", "exitCode": 4}]}
PLACE = replace(NOWHERE, cluster="shop-dev", container="web")


class Ecs(Clients):
    """A task was begun by a process before us under the same token; `known` is what ECS still knows of it."""

    def __init__(self, *known: Answer) -> None:
        super().__init__()
        self._known = known

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        from botocore.exceptions import ClientError

        if operation == "describe_tasks":
            assert parameters["tasks"] == [TASK]
            return {"tasks": list(self._known)}
        assert operation == "run_task"
        said: Any = {"Error": {"Code": "ConflictException", "Message": "in use"}, "resourceIds": [TASK]}
        error = ClientError(said, "RunTask")
        raise worded(service, operation, error) from error


async def run(clients: Clients) -> tuple[int | None, str]:
    errands = Errands(clients, Definitions(clients, Places("shop", "dev")), SystemClock(), 0.01)
    ended = await errands.run(PLACE, Definition(arn="web:6", release=None), "rake", {}, 60.0)
    return ended.code, ended.output


async def test_the_task_of_a_process_before_us_is_gone_on_with() -> None:
    """Its definition of the release is another one than ours, which AWS takes for another request by the same token."""
    assert await run(Ecs(ENDED)) == (4, "")


async def test_a_task_that_ecs_has_forgotten_is_not_waited_for() -> None:
    """It ended more than an hour ago, and nobody knows how: that is held against nobody."""
    code, said = await run(Ecs())
    assert (code, said) == (None, "ECS does not know its task any more, nor how it ended")
    assert LATE > 1  # one that was begun a moment ago is not known either
