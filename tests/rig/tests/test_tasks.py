"""Tasks by themselves: what they are started with, how they end, and what is said of it."""

import json
from collections.abc import Callable

import pytest
from tests.rig import Rig
from tests.rig.place import task_definition
from tests.rig.tests.site import Site
from tests.rig.wire import Json

pytestmark = pytest.mark.long


@pytest.fixture
def run(site: Site) -> Callable[..., Json]:
    """Run a task of the app with this environment; with a command, that instead of the app."""

    def run(image: str = "", command: list[str] | None = None, **environment: str) -> Json:
        said = task_definition(site.place.family, "web", image or site.place.image, **environment)
        if command:
            said["containerDefinitions"][0]["command"] = command
        return _run(site, said)

    return run


def _run(site: Site, said: Json, **more: object) -> Json:
    site.ecs.register_task_definition(**said)
    told = site.ecs.run_task(cluster=site.place.cluster, taskDefinition=said["family"], **more)
    found: Json = told["tasks"][0]
    return found


async def ended(site: Site, task: Json) -> Json:
    def now() -> Json:
        found: Json = site.ecs.describe_tasks(cluster=site.place.cluster, tasks=[task["taskArn"]])["tasks"][0]
        return found

    await site.until(lambda: now()["lastStatus"] == "STOPPED")
    return now()


async def test_a_task_that_ends_says_its_exit_code_and_leaves_its_last_words(
    site: Site, run: Callable[..., Json]
) -> None:
    task = await ended(site, run(command=["sh", "-c", "echo three migrations; exit 4"]))
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 4
    stream = f"web/web/{task['taskArn'].rsplit('/', 1)[-1]}"
    told = site.rig.client("logs").get_log_events(logGroupName=site.place.log_group, logStreamName=stream)
    assert [one["message"] for one in told["events"]] == ["three migrations"]


async def test_an_image_that_is_not_there_cannot_be_pulled(site: Site, run: Callable[..., Json]) -> None:
    task = await ended(site, run(image="tasks-dev-web:nowhere"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "tasks-dev-web:nowhere: not found" in task["stoppedReason"]


async def test_a_task_that_wants_too_much_memory_is_killed(site: Site, run: Callable[..., Json]) -> None:
    task = await ended(site, run(FAULT="hungry"))
    assert task["containers"][0]["exitCode"] == 137
    assert task["containers"][0]["reason"].startswith("OutOfMemoryError")
    assert task["stoppedReason"].startswith("OutOfMemoryError")


async def test_a_command_that_is_not_there_cannot_be_started(site: Site, run: Callable[..., Json]) -> None:
    task = await ended(site, run(command=["/no/such/program"]))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotStartContainerError")


async def test_secrets_come_in_the_version_that_is_named(site: Site) -> None:
    secrets = site.rig.client("secretsmanager")
    first = secrets.create_secret(Name="tasks/key", SecretString=json.dumps({"key": "old"}))
    secrets.put_secret_value(SecretId="tasks/key", SecretString=json.dumps({"key": "new"}))
    said = task_definition(site.place.family, "web", site.place.image)
    container = said["containerDefinitions"][0]
    container["command"] = ["sh", "-c", 'echo "$PINNED $NEWEST"']
    container["secrets"] = [
        {"name": "PINNED", "valueFrom": f"{first['ARN']}:key::{first['VersionId']}"},
        {"name": "NEWEST", "valueFrom": f"{first['ARN']}:key::"},
    ]
    await ended(site, _run(site, said))
    told = site.rig.client("logs").filter_log_events(logGroupName=site.place.log_group, filterPattern="old")
    assert [one["message"] for one in told["events"]] == ["old new"]


async def test_a_secret_that_is_not_there_keeps_the_task_from_starting(site: Site) -> None:
    said = task_definition(site.place.family, "web", site.place.image)
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:nowhere-abcdef"
    said["containerDefinitions"][0]["secrets"] = [{"name": "KEY", "valueFrom": arn}]
    task = await ended(site, _run(site, said))
    assert task["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")


async def test_a_log_group_that_is_not_there_keeps_the_task_from_starting(site: Site) -> None:
    said = task_definition(site.place.family, "web", site.place.image)
    said["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"] = "/ecs/nowhere"
    task = await ended(site, _run(site, said))
    assert "failed to create Cloudwatch log stream" in task["stoppedReason"]


async def test_who_does_not_hear_sigterm_is_killed_when_its_time_is_over(site: Site, run: Callable[..., Json]) -> None:
    task = run(FAULT="stubborn")
    await site.until(lambda: "starts" in _said(site, task))
    site.ecs.stop_task(cluster=site.place.cluster, task=task["taskArn"], reason="enough")
    task = await ended(site, task)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 137


def _said(site: Site, task: Json) -> str:
    logs = site.rig.client("logs")
    stream = f"web/web/{task['taskArn'].rsplit('/', 1)[-1]}"
    try:
        told = logs.get_log_events(logGroupName=site.place.log_group, logStreamName=stream)
    except logs.exceptions.ResourceNotFoundException:
        return ""
    return " ".join(one["message"] for one in told["events"])


async def test_a_run_may_say_another_command_and_other_variables(site: Site) -> None:
    said = task_definition(site.place.family, "web", site.place.image)
    instead = {"name": "web", "command": ["sh", "-c", "exit $CODE"], "environment": [{"name": "CODE", "value": "9"}]}
    task = _run(site, said, overrides={"containerOverrides": [instead]}, startedBy="crossfade")
    arns = site.ecs.list_tasks(cluster=site.place.cluster, startedBy="crossfade")["taskArns"]
    assert arns == [task["taskArn"]]
    assert (await ended(site, task))["containers"][0]["exitCode"] == 9


async def test_the_same_token_runs_a_task_once(site: Site, rig: Rig) -> None:
    said = task_definition(site.place.family, "web", site.place.image)
    said["containerDefinitions"][0]["command"] = ["true"]
    tasks = {_run(site, said, clientToken="once")["taskArn"] for _ in range(2)}
    assert len(tasks) == 1
    await ended(site, {"taskArn": tasks.pop()})
