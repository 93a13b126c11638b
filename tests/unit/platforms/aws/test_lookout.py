"""What is said of a task of ECS that is on its way out."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.places import NOWHERE

from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.ecs.definitions import Definition
from crossfade.platforms.aws.ecs.lookout import TaskLookout
from crossfade.platforms.aws.sight import Task

DEFINITION = Definition(arn="web:1", release=None)
REPLACED = {
    "stopCode": "ServiceSchedulerInitiated",
    "stoppedReason": "Task failed ELB health checks in (target-group x)",
}
BY_HAND = {"stopCode": "UserInitiated", "stoppedReason": "by hand"}
CRASHED = {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}


class Silent:
    """Nothing was written."""

    async def last_line(self, *_: object) -> str:
        return ""


async def seen(last: str, container: str, ends: dict[str, str]) -> Task | None:
    said: Answer = {
        "taskArn": "arn:task/1",
        "group": "service:web-blue",
        "taskDefinitionArn": DEFINITION.arn,
        "createdAt": datetime(2026, 3, 1, tzinfo=UTC),
        "lastStatus": last,
        "desiredStatus": "STOPPED",
        "containers": [{"name": NOWHERE.container, "lastStatus": container}],
        **ends,
    }
    silent: Any = Silent()
    lookout = TaskLookout(Clients(), silent, silent, SystemClock())
    return await lookout._task("shop@dev/web", NOWHERE, said, {DEFINITION.arn: DEFINITION}, {})


@pytest.mark.parametrize("ends", [REPLACED, BY_HAND], ids=["replaced", "by hand"])
@pytest.mark.parametrize("last", ["RUNNING", "DEACTIVATING", "STOPPING"])
async def test_a_task_that_failed_is_there_until_its_container_has_ended(last: str, ends: dict[str, str]) -> None:
    """Why it goes is told at once; drained, and after SIGTERM, it answers its last requests."""
    task = await seen(last, "RUNNING", ends)
    assert task is not None
    assert (task.exited, task.stopping, task.gone, bool(task.detail)) == (True, True, False, True)
    task = await seen("STOPPED", "STOPPED", ends)
    assert task is not None
    assert (task.exited, task.stopping, task.gone) == (True, False, True)


async def test_a_task_whose_container_ended_answers_nothing_any_more() -> None:
    """Although ECS takes it out of the load balancer yet."""
    task = await seen("DEACTIVATING", "STOPPED", CRASHED)
    assert task is not None
    assert task.gone
