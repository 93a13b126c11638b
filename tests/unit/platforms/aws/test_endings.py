"""Why tasks of ECS end, in our words."""

from typing import Any

import pytest

from crossfade.platforms.aws.ecs.endings import LEFT, ending, unplaced

EXITED = {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}


def exited(code: int | None, reason: str = "") -> dict[str, Any]:
    return {
        **EXITED,
        "containers": [{"name": "xray", "exitCode": 0}, {"name": "web", "exitCode": code, "reason": reason}],
    }


def failed(reason: str) -> dict[str, Any]:
    return {"stopCode": "TaskFailedToStart", "stoppedReason": reason, "containers": [{"name": "web"}]}


@pytest.mark.parametrize(
    ("task", "line", "detail"),
    [
        (exited(3), "no database", "exited with code 3: no database"),
        (exited(0), "", "exited with code 0"),
        (
            exited(137, "OutOfMemoryError: Container killed due to memory usage"),
            "",
            "was killed: it took more memory than `resources.memory` allows",
        ),
        (exited(137), "", "exited with code 137"),
        (
            exited(1),
            "exec /usr/local/bin/app: exec format error",
            "its image is for a different architecture from `cloud.compute.architecture`",
        ),
        (
            failed(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not "
                "contain descriptor matching platform 'linux/arm64'"
            ),
            "",
            "never started: its image has no version for linux/arm64",
        ),
        (
            failed("CannotPullContainerError: shop/web:9: not found"),
            "",
            "never started: its image was not found: shop/web:9: not found",
        ),
        (
            failed("ResourceInitializationError: unable to pull secrets: access denied to secret/db"),
            "",
            "never started: a secret of it could not be read: unable to pull secrets: access denied to secret/db",
        ),
    ],
)
def test_what_a_release_did_is_held_against_it(task: dict[str, Any], line: str, detail: str) -> None:
    """By exit code and last line; what its image or its secrets lack in a sentence."""
    found = ending(task, "web", line)
    assert (found.died, found.blamed, found.detail) == (True, True, detail)


@pytest.mark.parametrize(
    "task",
    [
        {"stopCode": "UserInitiated", "stoppedReason": "Task stopped by user"},
        {"stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."},
        failed("Capacity is unavailable at this time. Please try again later or in a different availability zone"),
        failed("CannotPullContainerError: Get https://registry-1.docker.io/v2/: net/http: i/o timeout"),
        failed("Timeout waiting for network interface provisioning to complete."),
    ],
)
def test_what_the_platform_did_is_not(task: dict[str, Any]) -> None:
    """Spare capacity that is taken away, a network that is slow, a person: no release made that."""
    found = ending(task, "web")
    assert (found.died, found.blamed) == (True, False)
    assert found.detail


def test_who_goes_because_fewer_are_wanted_did_not_die() -> None:
    """ECS's own words for a smaller count and for a new deployment."""
    for reason in (
        "Scaling activity initiated by (deployment ecs-svc/9223370530612345678)",
        "Task stopped by (deployment ecs-svc/1)",
    ):
        assert ending({"stopCode": "ServiceSchedulerInitiated", "stoppedReason": reason}, "web") == LEFT


def test_failed_checks_say_what_the_load_balancer_heard() -> None:
    """The task was killed for what it answered."""
    task = {
        "stopCode": "ServiceSchedulerInitiated",
        "stoppedReason": "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:...)",
    }
    found = ending(task, "web", "", "answered 503")
    assert (found.died, found.blamed) == (True, True)
    assert found.detail == "was replaced: the load balancer's checks failed: answered 503"


MORE = ". For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (f". Reason: You've reached the limit on tasks{MORE}", "You've reached the limit on tasks"),
        (". Reason: Capacity is unavailable at this time.", "Capacity is unavailable at this time"),
        (f" because no container instance has enough memory{MORE}", "no container instance has enough memory"),
    ],
)
def test_a_task_that_could_not_be_begun_is_told_by_an_event(event: str, why: str) -> None:
    """There is no task to ask: a quota, or no capacity."""
    assert unplaced(f"(service web-blue) was unable to place a task{event}") == f"ECS could not place a task: {why}"
    assert not unplaced("(service web-blue) has reached a steady state.")
