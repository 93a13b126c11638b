"""What `plan` says: the steps of the real loop, at the times of the file."""

from dataclasses import replace
from typing import Any

import pytest

from crossfade.core.job import Job
from crossfade.core.release import Outcome, Release
from crossfade.core.service import HealthCheck, Hooks, Service, Strategy
from crossfade.engine.ledger import Ledger
from crossfade.engine.plan import plan


def steps(**changes: Any) -> list[tuple[float, str]]:
    service = Service(app="shop", name="web", replicas=2, **changes)
    return [(step["at"], step["do"]) for step in plan(service, None)]


def test_a_first_deploy_is_launched_previewed_and_switched() -> None:
    """Two seconds after the launch both are healthy, and have all traffic at once."""
    assert steps() == [
        (0.0, "launch 2 of release 1, wait until / is healthy"),
        (2.0, "traffic: nobody; release 1 by preview"),
        (2.0, "go on to step 2: 100 %"),
        (2.0, "traffic: release 1 100 %"),
        (2.0, "done: release 1 has all traffic"),
    ]


def test_a_bake_takes_its_time() -> None:
    """An hour of watching is planned as an hour."""
    told = steps(strategy=Strategy(bake=3600.0))
    assert told[-2:] == [(2.0, "watch step 2 (100 %) for 3600 s"), (3602.0, "done: release 1 has all traffic")]


@pytest.mark.parametrize("strategy", [Strategy(name="rolling", max_surge=100), Strategy(keep_previous=0.0)])
def test_a_deploy_that_keeps_no_fleet_says_for_how_long_pages_are_read(strategy: Strategy) -> None:
    """The old release is asked for what only it has, and the deploy does not wait for that."""
    service = Service(app="shop", name="web", replicas=1, strategy=replace(strategy, keep_assets=10.0))
    old = Release(number=1, service=service, version="", digest="", config_hash="", outcome=Outcome.GOOD)
    told = plan(service, Ledger(service="shop/web", releases=(old,), current=1))
    assert told[-2:] == [
        {"at": 2.0, "do": "traffic: release 2 100 %; release 1 for 10 s more for pages that it sent"},
        {"at": 2.0, "do": "done: release 2 has all traffic"},
    ]


def test_hooks_come_where_they_run() -> None:
    """The migration before anything is launched, the smoke test before anybody has traffic."""
    told = [do for _, do in steps(hooks=Hooks(migrate="./migrate", smoke="./smoke"))]
    assert told[0] == "run the migrate hook: ./migrate"
    assert told.index("run the smoke hook: ./smoke") < told.index("traffic: release 1 100 %")


def test_a_service_that_becomes_a_container_is_planned_as_any_other() -> None:
    """Its earlier releases are processes: each instance is there once, whoever runs it."""
    before = Service(app="shop", name="web", replicas=2)
    made = [Release(number=1, service=before, version="", digest="d", config_hash="", outcome=Outcome.GOOD)]
    ledger = Ledger(service="shop/web", releases=tuple(made), current=1)
    told = [step["do"] for step in plan(replace(before, runtime="docker", image="acme/web"), ledger)]
    assert told[0] == "launch 2 of release 2, wait until / is healthy"
    assert told[-1] == "done: release 2 has all traffic"
    assert len(told) < 12


def test_a_worker_is_planned_without_traffic() -> None:
    """Its bake is while old and new are at work, and it is healthy by its own time."""
    told = steps(kind="worker", health=HealthCheck(after=20.0), strategy=Strategy(bake=60.0))
    assert [do for _, do in told] == [
        "launch 2 of release 1, wait until it has run for 20 s",
        "watch step 1 (2 new, 0 old) for 60 s",
        "go on to step 2: 2 new, 0 old",
        "done: release 1 does all the work",
    ]
    assert [round(at) for at, _ in told] == [0, 20, 80, 80]


def test_a_worker_with_a_command_is_planned_to_pass_it() -> None:
    """The command is named, and not run."""
    told = [do for _, do in steps(kind="worker", health=HealthCheck(command="is it well?"))]
    assert told[0] == "launch 2 of release 1, wait until `is it well?` passes"
    assert told[-1] == "done: release 1 does all the work"


def test_jobs_are_planned_from_the_end_of_the_rollout() -> None:
    """Until then those of the release before it run."""
    job = Job(name="digest", schedule="0 7 * * *", command="./digest", timezone="Asia/Seoul")
    assert steps(jobs=(job,))[-1] == (2.0, "job digest runs by 0 7 * * * Asia/Seoul: ./digest")
