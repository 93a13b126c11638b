"""Values as people read them."""

from typing import Any

import pytest

from crossfade.telling.text import outcome, percent, seconds, sentence, table, traffic


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (10, "10 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_seconds_are_as_fine_as_it_matters(value: float, shown: str) -> None:
    """As fine as it matters."""
    assert seconds(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (0.000123, "0.012 %"), (0.021, "2.1 %"), (0.97, "97 %"), (0.9972, "99.72 %"), (1.0, "100 %")],
)
def test_a_share_has_no_exponent(share: float, shown: str) -> None:
    """Of an app that answers nothing `status` said "1e+02 % failed"."""
    assert percent(share) == shown


def test_a_table_has_straight_columns() -> None:
    """And no spaces at the ends of its lines."""
    assert table([("A", "B"), ("long", "x"), ("s", "")]) == "  A     B\n  long  x\n  s"


@pytest.mark.parametrize("words", ["no room on the disk", "no room on the disk.", "no room on the disk..."])
def test_a_sentence_has_one_full_stop(words: str) -> None:
    """Also when the reason is the last line of a log that ends with one."""
    assert sentence(words) == "no room on the disk."


def test_a_sentence_that_ends_with_what_was_taken_out_says_so() -> None:
    """A secret at the end of a program's last line leaves three dots."""
    assert sentence("login failed for ...") == "login failed for ..."


def proof(**more: Any) -> dict[str, Any]:
    return {"requests": 1200, "failed": 0, "retried": 1, "drained": 2, "p50_ms": 1.24, "p99_ms": 8.0, **more}


def result(state: str, before: int | None = 1, **more: Any) -> dict[str, Any]:
    rollout = {
        "id": 2,
        "service": "shop/web",
        "from": before,
        "to": 2,
        "from_version": "v1" if before else None,
        "to_version": "v2",
        "strategy": "canary",
        "state": state,
        "reason": "release 2 failed 3 of 50 requests",
        "seconds": 6.2,
        "switch_ms": 1.5,
    }
    return {"rollout": rollout | more, "traffic": proof()}


def test_success_is_one_sentence_with_its_proof() -> None:
    """What runs now, how long it took, and what clients got."""
    assert outcome(result("succeeded")) == [
        "shop/web runs release 2 (v2): canary in 6.2 s, switched in 1.5 ms.",
        "While it happened: 1,200 requests, 0 failed, 1 retried, 2 drained; p50 1.2 ms, p99 8.0 ms.",
    ]


def test_where_nobody_asked_nothing_took_time() -> None:
    """Without requests there are no latencies."""
    assert traffic(proof(requests=0, retried=0, drained=0, p50_ms=0.0, p99_ms=0.0)) == (
        "0 requests, 0 failed, 0 retried, 0 drained"
    )


def test_a_rollback_says_why_first() -> None:
    """And then what runs."""
    assert outcome(result("rolled_back"))[0] == (
        "Release 2 (v2) was taken back: release 2 failed 3 of 50 requests. shop/web runs release 1 (v1) as before."
    )


def test_a_first_release_that_fails_leaves_nothing() -> None:
    """There is nothing to go back to, and that is said."""
    assert outcome(result("failed", before=None))[0].endswith(
        "Nothing of shop/web runs: there was no release before it."
    )


def test_failures_are_told_by_cause() -> None:
    """A number alone helps nobody."""
    shown = traffic(proof(failed=3, causes={"500": 2, "connection reset by instance": 1}, cut=1, streams_closed=4))
    assert "3 failed (500: 2, connection reset by instance: 1)" in shown
    assert "1 cut when the drain time was over" in shown
    assert "4 streams told to close" in shown


def test_what_nobody_counted_is_said() -> None:
    """A dead balancer's "0 failed" is not the whole truth."""
    assert "balancer" not in traffic(proof())
    assert "without what the balancer held when it died (2 times)" in traffic(proof(balancer_deaths=2))


def test_a_worker_has_no_traffic_to_be_counted() -> None:
    """It says so, and what became of the old instances; never a 0 that nobody counted."""
    told: dict[str, Any] = {**result("succeeded", switch_ms=None), "traffic": None}
    told["ended"] = {"stopped": 3, "ending": 0, "killed": 0}
    quiet = "While it happened: no traffic, for a worker; 3 instances stopped within the grace."
    assert outcome(told)[1] == quiet
    told["ended"] = {"stopped": 3, "ending": 2, "killed": 1}
    assert outcome(told)[1] == (
        "While it happened: no traffic, for a worker; "
        "3 instances stopped, 1 of them by SIGKILL after the grace, 2 still in the grace."
    )
    told["ended"] = {"stopped": 3, "ending": 0, "killed": 0, "uncounted": ["killed"]}
    assert outcome(told)[1] == (
        "While it happened: no traffic, for a worker; 3 instances stopped; not counted: instances that were killed."
    )


def test_what_nobody_counted_is_said_instead_of_a_nought() -> None:
    """A balancer that knows nothing of retries has not counted none."""
    proof = {"requests": 9, "failed": 0, "retried": 0, "drained": 0, "p50_ms": 1.0, "p99_ms": 2.0}
    said = traffic({**proof, "uncounted": ["client_closed", "drained", "retried"]})
    assert said == (
        "9 requests, 0 failed; p50 1.0 ms, p99 2.0 ms; not counted: retries, requests that drained, clients that left"
    )
