"""When tasks that stop are asked for."""

from typing import Any

from crossfade.platforms.aws.ecs.quiet import Quiet

TASKS = ["a", "b"]


def services(*, running: int = 2, failed: int = 0, deployment: str = "one") -> dict[str, Any]:
    made = {"id": deployment, "status": "PRIMARY", "failedTasks": failed}
    return {"blue": {"pendingCount": 0, "runningCount": running, "desiredCount": 2, "deployments": [made]}}


def steady() -> Quiet:
    """After looks at which nothing happened."""
    quiet = Quiet()
    assert [quiet.moves(services(), TASKS) for _ in range(4)] == [True, True, False, False]
    return quiet


def test_a_task_that_was_replaced_is_asked_for() -> None:
    """As many run as before, and one of them is another one; the look after it asks once more, for lists are late."""
    quiet = steady()
    assert [quiet.moves(services(), ["a", "c"]) for _ in range(4)] == [True, True, False, False]


def test_a_task_that_came_and_went_between_two_looks_is_asked_for() -> None:
    """The same run as before; the deployment has counted it."""
    assert steady().moves(services(failed=1), TASKS)


def test_nothing_is_steady_while_fewer_run_than_shall() -> None:
    """However often one looks."""
    quiet = steady()
    assert all(quiet.moves(services(running=1), ["a"]) for _ in range(5))


def test_tasks_on_their_way_out_are_asked_for_when_they_begin_to_leave() -> None:
    """A drain may take minutes, in which they count as running still; none of them is a new one."""
    quiet = steady()
    assert [quiet.moves(services(running=4), ["a"]) for _ in range(4)] == [True, True, False, False]


def test_another_deployment_is_a_change() -> None:
    """Its tasks may not have come yet."""
    assert steady().moves(services(deployment="two"), TASKS)
