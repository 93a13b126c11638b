"""Schedules of EventBridge by which AWS begins the jobs of what serves, and how a run that ended is known."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.adapters.token_fence import TokenFence
from tests.support.in_moto import KEY, InMoto, in_moto

from crossfade.core.job import Job
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.clock import SystemClock
from crossfade.platforms.aws.ecs.jobs import JobSchedules
from crossfade.platforms.aws.ecs.past_runs import LATE, PastRuns
from crossfade.platforms.aws.sight import Lookout, Sight

TIDY = Job(name="tidy", schedule="0 3 * * MON", command="rm -rf /tmp/*", timezone="Asia/Seoul", timeout=3600.0)
WEB = Service(app="shop", name="web", environment="dev", runtime="ecs", image="web:2", jobs=(TIDY,))
ENDS = "/aws/events/shop-dev-jobs"
FIRST = Release(number=1, service=WEB, version="", digest="web@sha256:1", config_hash="")


@pytest.fixture
def aws() -> Iterator[InMoto]:
    with in_moto() as aws:
        aws.lay_out()
        aws.aws("scheduler").create_schedule_group(Name="shop-dev")
        yield aws


class Rests(Lookout):
    """Nothing runs, and where it would is known: moto has no tasks."""

    async def _look(self, key: str) -> Sight:
        return Sight(place=await self._finder.place(key), at=0.0, born=0.0, sides={})


def jobs_of(aws: InMoto) -> JobSchedules:
    clock, finder, definitions = SystemClock(), aws.finder, aws.definitions
    lookout = Rests(aws.clients, finder, clock)
    return JobSchedules(aws.clients, aws.places, finder, lookout, definitions, TokenFence(), clock)


async def free() -> None: ...


def there(aws: InMoto) -> dict[str, Any]:
    client = aws.aws("scheduler")
    listed = client.list_schedules(GroupName="shop-dev")["Schedules"]
    return {one["Name"]: client.get_schedule(GroupName="shop-dev", Name=one["Name"]) for one in listed}


def ended(aws: InMoto, stream: str, task: dict[str, Any], at: float) -> None:
    """EventBridge puts the end of a task into the log."""
    logs = aws.aws("logs")
    logs.create_log_stream(logGroupName=ENDS, logStreamName=stream)
    event = {"timestamp": int(at * 1000), "message": json.dumps({"detail": task})}
    logs.put_log_events(logGroupName=ENDS, logStreamName=stream, logEvents=[event])


async def test_a_schedule_begins_a_task_of_the_release_that_serves(aws: InMoto) -> None:
    """With its definition, where its tasks go, below a timeout; said again it is the same."""
    registered = await aws.definitions.register(FIRST, {}, "web", free)
    jobs = jobs_of(aws)
    await jobs.keep(FIRST, 1)
    put = there(aws)
    await jobs.keep(FIRST, 1)
    assert there(aws).keys() == put.keys() == {"web.tidy"}
    one = put["web.tidy"]
    assert (one["ScheduleExpression"], one["ScheduleExpressionTimezone"]) == ("cron(0 3 ? * 2 *)", "Asia/Seoul")
    target = one["Target"]
    assert target["RoleArn"] == "arn:aws:iam::123456789012:role/shop-dev-jobs"
    assert target["EcsParameters"]["TaskDefinitionArn"] == registered.arn
    assert target["EcsParameters"]["Group"] == "job:tidy"
    assert len(target["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]["Subnets"]) == 2
    (over,) = json.loads(target["Input"])["containerOverrides"]
    assert over["command"] == ["timeout", "-k", "10", "3600", "/bin/sh", "-c", "rm -rf /tmp/*"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86_400


async def test_what_nobody_was_there_for_is_left_out_where_the_file_says_so(aws: InMoto) -> None:
    """A minute late is not missed."""
    await aws.definitions.register(FIRST, {}, "web", free)
    skips = replace(FIRST, service=replace(WEB, jobs=(replace(TIDY, missed="skip"),)))
    await jobs_of(aws).keep(skips, 1)
    assert there(aws)["web.tidy"]["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 60


async def test_jobs_that_a_release_does_not_have_go(aws: InMoto) -> None:
    """Those of its service, and of no other."""
    await aws.definitions.register(FIRST, {}, "web", free)
    jobs = jobs_of(aws)
    await jobs.keep(FIRST, 1)
    other = {name: there(aws)["web.tidy"][name] for name in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    aws.aws("scheduler").create_schedule(GroupName="shop-dev", Name="web-api.tidy", **other)
    await jobs.keep(replace(FIRST, service=replace(WEB, jobs=())), 1)
    assert there(aws).keys() == {"web-api.tidy"}
    await jobs.keep(FIRST, 1)
    await jobs.end(KEY, 1)
    assert there(aws).keys() == {"web-api.tidy"}


async def test_what_was_read_of_how_runs_ended_is_not_read_again(aws: InMoto) -> None:
    """A minutely job leaves thousands of ends a day. One that comes into the log minutes late is found all the same."""
    logs, now, past = aws.aws("logs"), datetime.now(UTC).timestamp(), PastRuns(aws.clients, aws.places)
    logs.create_log_group(logGroupName=ENDS)
    ended(aws, "early", {"group": "job:tidy", "taskArn": "early"}, now - 1000)
    assert {g: task["taskArn"] for g, task in (await past.newest(now - 2000, now)).items()} == {"job:tidy": "early"}
    logs.delete_log_stream(logGroupName=ENDS, logStreamName="early")
    ended(aws, "late", {"group": "job:mail", "taskArn": "late"}, now - LATE / 2)
    known = await past.newest(now - 2000, now + 60)
    assert {group: task["taskArn"] for group, task in known.items()} == {"job:tidy": "early", "job:mail": "late"}
    assert (await past.newest(now - 500, now + 60)).keys() == {"job:mail"}


async def test_how_a_run_ended_is_read_from_what_aws_kept(aws: InMoto) -> None:
    """The newest one, with its release, its code and why; before any there is none, be there a log or not."""
    registered = await aws.definitions.register(FIRST, {}, "web", free)
    jobs = jobs_of(aws)
    assert await jobs.runs(FIRST) == []
    aws.aws("logs").create_log_group(logGroupName=ENDS)
    for number, code in enumerate((0, 124)):
        at = datetime.now(UTC).timestamp() - 60 + 10 * number
        said = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        task = {
            "taskArn": f"arn:aws:ecs:us-east-1:123456789012:task/shop-dev/run{number}",
            "taskDefinitionArn": registered.arn,
            "group": "job:tidy",
            "createdAt": said,
            "stoppedAt": said,
            "stopCode": "EssentialContainerExited",
            "containers": [{"name": "web", "exitCode": code}],
        }
        ended(aws, str(number), task, at)
    (run,) = await jobs.runs(FIRST)
    assert (run.id, run.job, run.release, run.code, run.failed) == ("run1", "tidy", 1, 124, True)
    assert run.detail == "timed out after 3600 s"
