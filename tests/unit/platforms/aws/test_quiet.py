"""When ECS is asked which tasks there are."""

from typing import Any

import pytest

from crossfade.core.errors import PlatformError
from crossfade.platforms.aws.ecs.quiet import Quiet, primary_of

LOOK = 9.0  # seconds between two


def services(
    *, running: int = 2, pending: int = 0, failed: int = 0, deployment: str = "one", event: str = "steady"
) -> dict[str, Any]:
    made = {"id": deployment, "status": "PRIMARY", "failedTasks": failed}
    counts = {"pendingCount": pending, "runningCount": running, "desiredCount": 2}
    return {"blue": {**counts, "deployments": [made], "events": [{"id": event}]}}


class Looks:
    """At a service whose lists may be 4 s late; `at` is when the last look was."""

    def __init__(self) -> None:
        self.quiet, self.at = Quiet(4.0), 1000.0

    def moves(self, *times: dict[str, Any], after: float = LOOK) -> list[bool]:
        found = []
        for told in times:
            self.at += after
            found.append(self.quiet.moves(told, self.at))
        return found


def steady() -> Looks:
    """After looks at which nothing happened."""
    looks = Looks()
    assert looks.moves(*[services()] * 4) == [True, True, False, False]
    return looks


def test_a_task_that_was_replaced_is_asked_for() -> None:
    """As many run as before, and an event tells of another; the look after it asks once more, for lists are late."""
    assert steady().moves(*[services(event="has started 1 tasks")] * 4) == [True, True, False, False]


def test_a_task_that_came_and_went_between_two_looks_is_asked_for() -> None:
    """The same run as before; the deployment has counted it."""
    assert steady().moves(services(failed=1)) == [True]


def test_tasks_that_boot_are_asked_for_when_they_come_and_when_they_run() -> None:
    """A boot takes a minute, in which they are looked at one by one; none comes that no event tells of."""
    looks = steady()
    boots, runs = services(running=1, pending=1, event="has started"), services(event="has started")
    assert looks.moves(boots, boots, boots, boots) == [True, True, False, False]
    assert looks.moves(runs, runs, runs) == [True, True, False]


def test_looks_in_a_row_do_not_make_a_late_list_a_true_one() -> None:
    """Two within a second of a change may both be older than it: once its time is over they are asked for again."""
    looks = steady()
    assert looks.moves(*[services(running=1)] * 3, after=0.3) == [True, True, True]
    assert looks.moves(services(running=1), services(running=1)) == [True, False]


def test_tasks_on_their_way_out_are_asked_for_when_they_begin_to_leave() -> None:
    """A drain may take minutes, in which they count as running still; none of them is a new one."""
    assert steady().moves(*[services(running=4)] * 4) == [True, True, False, False]


def test_another_deployment_is_a_change() -> None:
    """Its tasks may not have come yet."""
    assert steady().moves(services(deployment="two")) == [True]


def test_a_task_that_nobody_told_of_is_found_in_a_minute() -> None:
    """Once in a while all are listed, whatever ECS says of the service."""
    assert steady().moves(*[services()] * 12).count(True) == 2


def test_a_service_that_another_tool_deploys_is_named() -> None:
    """With CODE_DEPLOY or EXTERNAL as its controller it has task sets, and AWS tells of no deployments."""
    with pytest.raises(PlatformError, match="service shop-dev-web-blue has no deployment"):
        primary_of({"serviceName": "shop-dev-web-blue", "taskSets": []})
