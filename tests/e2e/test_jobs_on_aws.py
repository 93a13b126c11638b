"""Jobs by the clock as tasks that AWS begins: of the release that serves, whoever is there."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rig import Rig
from tests.rig.place import make, make_jobs
from tests.support.shipped import LIMIT, PACE, Shipped
from tests.support.shop_on_aws import visited

pytestmark = pytest.mark.long
FILE = """
app: {app}
services:
  web:
    image: {image}
    port: 8080
    resources: {{cpu: 0.25, memory: 512M}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    env: {{RELEASE: "{release}"{more}}}
    deploy: {{keep_previous: 0s, timeout: 60s, rollback_on: {{min_requests: 0}}}}
{jobs}
environments:
  dev: {{platform: aws, cloud: {{region: us-east-1}}}}
"""
JOBS = """
jobs:
  tidy:
    command: echo tidied by $RELEASE; {command}
    schedule: "0 3 * * *"
    timezone: Asia/Seoul
    timeout: {timeout}
"""


class Tidied(Shipped):
    """A web service whose job is run at three in the morning in Seoul."""

    def __init__(self, rig: Rig, app: str, folder: Path) -> None:
        super().__init__(rig, folder)
        self.app, self.place = app, make(rig, app)
        self.warnings = make_jobs(rig, self.place)

    def deploy(self, release: int, *, jobs: str = "", more: str = "", good: bool = True) -> None:
        self.file(FILE.format(app=self.app, image=self.place.image, release=release, jobs=jobs, more=more))
        ran = self.run("deploy", "-e", "dev", "--version", f"v{release}")
        assert (ran.code == 0) is good, ran.out + ran.err

    def job(self) -> Any:
        """As `status` has it."""
        return json.loads(self.run("status", "-e", "dev", "--json").out)["services"][0]["jobs"][0]

    def ended(self, number: int) -> Any:
        """The newest run as `status` has it, once AWS has told of so many ends."""
        logs, group = self.rig.client("logs"), f"/aws/events/{self.app}-dev-jobs"
        self.until(lambda: len(logs.filter_log_events(logGroupName=group)["events"]) >= number)
        return self.job()["run"]

    def told(self) -> list[str]:
        """Of failed runs, to those who are warned, since somebody asked last."""
        sqs, queue = self.rig.client("sqs"), {"QueueUrl": self.warnings}
        heard = sqs.receive_message(**queue, MaxNumberOfMessages=10).get("Messages", [])
        for one in heard:
            sqs.delete_message(**queue, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"])["Message"] for one in heard]

    def until(self, what: Callable[[], Any]) -> Any:
        end = time.monotonic() + LIMIT
        while not (found := what()):
            assert time.monotonic() < end, "it never came"
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=0.5) as rig:
        yield rig


def schedules(rig: Rig, app: str) -> list[str]:
    return [one["Name"] for one in rig.client("scheduler").list_schedules(GroupName=f"{app}-dev")["Schedules"]]


def test_a_job_runs_at_its_time_in_the_release_that_serves_and_goes_back_with_it(rig: Rig, tmp_path: Path) -> None:
    """Nobody of ours is there then. A bad release never has it, a rollback brings the old one back, `down` ends it.

    Schedules are put whole, so that calls that are refused for a while, or whose answers get lost, change nothing.
    """
    shop = Tidied(rig, "jobs", tmp_path)
    jobs = JOBS.format(command="true", timeout="1h")
    rig.knobs.lose_answer("scheduler", "CreateSchedule", times=1)
    shop.deploy(1, jobs=jobs)
    assert schedules(rig, "jobs") == ["web.tidy"]
    assert shop.job()["run"] is None
    rig.it_is("2027-02-01T03:00+09:00")
    first = shop.ended(1)
    assert (first["state"], first["release"], first["code"]) == ("done", 1, 0)
    said = shop.run("logs", "-e", "dev", "--jobs").out
    assert f"{first['id']} | tidied by 1" in said

    shop.deploy(2, jobs=jobs, more=", FAULT: broken", good=False)
    rig.it_is("2027-02-02T03:00+09:00")
    assert shop.ended(2)["release"] == 1

    rig.knobs.throttle("scheduler", times=2)
    with visited(rig.address_of(shop.place.load_balancer)) as visitors:
        shop.deploy(3, jobs=jobs)
    assert (set(visitors.answers), dict(visitors.lost)) == ({"1", "3"}, {})
    rig.it_is("2027-02-02T03:01+09:00")  # a minute too late
    rig.it_is("2027-02-03T03:00+09:00")
    third = shop.ended(3)
    assert third["release"] == 3
    assert shop.told() == []
    assert "tidied by 3" in shop.run("logs", "-e", "dev", "--instance", third["id"]).out
    assert "job tidy is scheduled: 0 3 * * * Asia/Seoul" in shop.run("events", "-e", "dev").out

    assert shop.run("rollback", "-e", "dev").code == 0
    rig.it_is("2027-02-04T03:00+09:00")
    assert shop.ended(4)["release"] == 1

    assert shop.run("down", "-e", "dev", "--yes").code == 0
    assert schedules(rig, "jobs") == []


def test_a_job_that_fails_or_takes_too_long_is_told_of(rig: Rig, tmp_path: Path) -> None:
    """With its exit code and last line, and to those who are warned; one that hangs is ended.

    A release without jobs takes the schedules away.
    """
    shop = Tidied(rig, "jobsick", tmp_path)
    shop.deploy(1, jobs=JOBS.format(command="exit 3", timeout="1h"))
    rig.it_is("2027-03-01T03:00+09:00")
    failed = shop.ended(1)
    assert (failed["state"], failed["code"]) == ("failed", 3)
    assert failed["detail"] == "exited with code 3: tidied by 1"
    (warning,) = shop.until(shop.told)
    assert warning.startswith('"jobsick-dev: job:tidy failed: ')
    assert failed["id"] in warning
    assert "job tidy (0 3 * * * Asia/Seoul): failed at" in shop.run("status", "-e", "dev").out
    shop.deploy(2, jobs=JOBS.format(command="sleep 600", timeout="1s"))
    rig.it_is("2027-03-02T03:00+09:00")
    hung = shop.ended(2)
    assert (hung["state"], hung["code"], hung["detail"]) == ("failed", 124, "timed out after 1 s")
    (warning,) = shop.until(shop.told)
    assert hung["id"] in warning
    shop.deploy(3)
    assert schedules(rig, "jobsick") == []
