"""A service in the words of `status`."""

from typing import Any

import pytest

from crossfade.cli.look.status import described, kept, only
from crossfade.core.errors import WrongInputError


def found(release: int | None, *weights: float) -> dict[str, Any]:
    instance = {"state": "healthy", "release": 1, "address": "127.0.0.1:1", "in_flight": 0, "streams": 0, "detail": ""}
    return {
        "app": "shop",
        "name": "web",
        "release": release,
        "version": "v1" if release else None,
        "replicas": len(weights),
        "instances": [{**instance, "id": f"web-{n}", "weight": weight} for n, weight in enumerate(weights)],
        "rollout": None,
        "warm": {},
        "locked": None,
        "trouble": None,
    }


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (found(1, 50, 50), "shop/web: release 1 (v1), 2 of 2 instances serving"),
        (found(None), "shop/web: no release serves"),
        (found(None, 0), "shop/web: no release serves"),
        (found(None, 100), "shop/web: its first release has 1 instance serving"),
    ],
)
def test_the_first_line_says_what_serves(service: dict[str, Any], said: str) -> None:
    """Before a first release is good there is none to be named."""
    assert described(service).splitlines()[0] == said


def test_a_release_that_stands_in_is_named_and_not_counted() -> None:
    """What another release answers is no work of the one that is at work."""
    instead = {**found(2, 50, 50), "version": "v2", "stands_in": {"release": 1, "version": "v1"}}
    first = described(instead).splitlines()[0]
    assert first == "shop/web: release 2 (v2), 0 of 2 instances serving; release 1 (v1) stands in for it"


def test_one_service_or_store_is_shown_alone() -> None:
    """What is about no service stays; a name that nothing has is answered with those that there are."""
    db = {"app": "shop", "name": "db"}
    everything = {"services": [found(1, 100), {**found(1, 100), "name": "api"}], "stores": [db], "trouble": ["Docker"]}
    alone = {"building": [], "trouble": ["Docker"]}
    assert only(everything, "web") == {"services": [found(1, 100)], "stores": [], **alone}
    assert only(everything, "db") == {"services": [], "stores": [db], **alone}
    with pytest.raises(WrongInputError, match="no service or store is called wep here") as refused:
        only(everything, "wep")
    assert refused.value.way_out == "known here: api, db, web"
    with pytest.raises(WrongInputError, match="called wep here") as refused:
        only({"services": [found(1, 100), {**found(1, 100), "app": "blog"}]}, "wep")
    assert refused.value.way_out == "known here: blog/web, shop/web"
    with pytest.raises(WrongInputError, match="called shop here") as refused:
        only(everything, "shop")
    assert refused.value.way_out == "shop is an app: `crossfade status --app shop`"


def test_a_worker_is_at_work_and_has_no_traffic() -> None:
    """Where there is nothing to count a dash stands, not a 0."""
    worker = {**found(1, 0, 0), "kind": "worker"}
    nothing = {"address": None, "weight": None, "in_flight": None, "streams": None}
    worker["instances"] = [{**one, **nothing} for one in worker["instances"]]
    first, _, row, *_ = described(worker).splitlines()
    assert first == "shop/web: release 1 (v1), 2 of 2 instances at work"
    assert row.split() == ["web-0", "1", "healthy", "-", "-", "-"]


SEEN = {"requests": 1204, "failed": 25, "error_rate": 0.02076, "p95_ms": 13.4}
NOTHING: dict[str, Any] = {"requests": 0, "failed": 0, "error_rate": None, "p95_ms": None}


@pytest.mark.parametrize(
    ("lately", "said"),
    [
        ({"seconds": 60.0, **SEEN}, "last 1 min: 1,204 requests, 2.1 % failed, 95 % within 13 ms"),
        ({"seconds": 34.2, **SEEN, "p95_ms": None}, "last 34 s: 1,204 requests, 2.1 % failed, p95 is not known"),
        ({"seconds": 60.0, **NOTHING}, "last 1 min: no requests, so neither error rate nor p95 is known"),
    ],
)
def test_what_clients_got_lately_is_told(lately: dict[str, Any], said: str) -> None:
    """With the time it is known of; what cannot be known is said and not 0."""
    assert f"  {said}" in described({**found(1, 100), "lately": lately}).splitlines()


def test_a_rollout_shows_what_it_is_judged_by() -> None:
    """Both releases since the step began, and the old one before; who got nothing is no line."""
    rollout = {
        "id": 4, "to": 2, "to_version": "v2", "strategy": "canary", "seconds": 8.0, "state": "running", "step": 2,
        "steps": ["0 %", "10 %"], "waiting_for": [], "traffic": None,
        "judged": [{"release": 2, **SEEN}, {"release": 1, **NOTHING}], "before": {"release": 1, **SEEN},
    }  # fmt: skip
    assert described({**found(1, 100), "rollout": rollout}).splitlines()[-2:] == [
        "  release 2 since step 2 began: 1,204 requests, 2.1 % failed, 95 % within 13 ms",
        "  release 1 in the minutes before: 1,204 requests, 2.1 % failed, 95 % within 13 ms",
    ]


def job(**changes: Any) -> dict[str, Any]:
    known = {"name": "digest", "schedule": "0 3 * * *", "timezone": "UTC", "next": None, "run": None, "skipped": None}
    return {**known, **changes}


def run(state: str, **changes: Any) -> dict[str, Any]:
    return {"id": "job-digest-1-a1", "state": state, "started_at": 0.0, "ended_at": 60.0, "detail": "", **changes}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (job(), "has not run yet"),
        (job(run=run("running")), "has been running since "),
        (job(run=run("done")), "done at "),
        (
            job(run=run("failed", detail="failed with code 3: no such table")),
            "(failed with code 3: no such table; `crossfade logs shop/web --instance job-digest-1-a1`)",
        ),
        (job(skipped={"due": 0.0, "why": "no controller ran at its time"}), "no controller ran at its time"),
    ],
)
def test_a_job_is_shown_with_its_newest_run(told: dict[str, Any], said: str) -> None:
    """How it went, where its output is when it failed, and what was left out."""
    line = described({**found(1, 100), "jobs": [told]}).splitlines()[-1]
    assert line.startswith("  job digest (0 3 * * * UTC): ")
    assert said in line


def test_a_store_is_told_with_its_backups() -> None:
    """How the newest one went, and where the newest whole one lies."""
    backup = {"schedule": "0 3 * * *", "timezone": "UTC", "next": None, "file": "/b/old", "run": None}
    store = {"app": "shop", "name": "db", "image": "postgres:16", "state": "running", "changed": True}
    failed = {"state": "failed", "ended_at": 0.0, "detail": "no space"}
    text = kept([{**store, "backup": {**backup, "run": failed}, "trouble": None}]).splitlines()
    assert text[0] == "shop/db: store, postgres:16, running"
    assert text[1].startswith("  the file says something else of it: `crossfade plan`")
    assert text[2].endswith("failed: no space; the newest is /b/old")
    assert kept([{**store, "changed": False, "backup": backup, "trouble": "x"}]).splitlines()[1:] == [
        "  no backup yet",
        "  trouble: x",
    ]
