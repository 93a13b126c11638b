"""Verdicts, and the sentences they say."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.strategies.fleets import NEW, OLD, exits, fleet, rollout

from crossfade.core.counters import Counters
from crossfade.core.rollout import Hook
from crossfade.strategies.verdict import judge

SLOW = ((100.0, 10), (1000.0, 100))
FAST = ((10.0, 95), (20.0, 100))


def counted(requests: int, errors: int = 0, latency: tuple[tuple[float, int], ...] = ()) -> Counters:
    return Counters(requests=requests, errors=errors, latency=latency)


@pytest.mark.parametrize(
    ("rules", "new", "old", "ruling", "why"),
    [
        ({}, counted(19), counted(0), "inconclusive", "only 19 of the 20 requests a verdict needs came"),
        ({}, counted(20), counted(0), "good", ""),
        ({"min_requests": 0}, counted(0), counted(0), "good", ""),
        (
            {"error_rate": 0.01, "min_requests": 200},
            counted(200, 3),
            counted(0),
            "bad",
            "release 2 failed 3 of 200 requests (1.5%, allowed 1.0%)",
        ),
        ({"error_rate": 0.01, "min_requests": 200}, counted(200, 2), counted(0), "good", ""),
        # 190 good ones could not make it good again: the third of at most 200 * 1 % = 2 errors decides at once.
        (
            {"error_rate": 0.01, "min_requests": 200},
            counted(10, 3),
            counted(0),
            "bad",
            "release 2 failed 3 of 10 requests (30.0%, allowed 1.0%)",
        ),
        (
            {"error_rate": 0.01, "min_requests": 200},
            counted(10, 2),
            counted(0),
            "inconclusive",
            "only 10 of the 200 requests a verdict needs came",
        ),
        (
            {"error_rate": 0.0, "min_requests": 0},
            counted(1, 1),
            counted(0),
            "bad",
            "release 2 failed 1 of 1 request (100.0%, allowed 0.0%)",
        ),
        (
            {"error_rate": 0.05},
            counted(100, 10),
            counted(100, 9),
            "inconclusive",
            "release 2 failed 10 of 100 requests (10.0%, allowed 5.0%), and release 1 does no better",
        ),
        (
            {"error_rate": 0.05},
            counted(100, 10),
            counted(100, 7),
            "bad",
            "release 2 failed 10 of 100 requests (10.0%, allowed 5.0%)",
        ),
        (
            {"error_rate": 0.05},
            counted(100, 10),
            counted(10, 9),  # too few to be compared with
            "bad",
            "release 2 failed 10 of 100 requests (10.0%, allowed 5.0%)",
        ),
        (
            {"p95_ms": 500.0},
            counted(100, latency=SLOW),
            counted(100, latency=FAST),
            "bad",
            "release 2 answers 95 % of requests within 950 ms, allowed 500 ms",
        ),
        (
            {"p95_ms": 500.0},
            counted(100, latency=SLOW),
            counted(100, latency=SLOW),
            "inconclusive",
            "release 2 answers 95 % of requests within 950 ms, allowed 500 ms, and release 1 does no better",
        ),
        # The old release's errors excuse no latency.
        (
            {"p95_ms": 500.0},
            counted(100, latency=SLOW),
            counted(100, 90, FAST),
            "bad",
            "release 2 answers 95 % of requests within 950 ms, allowed 500 ms",
        ),
        (
            {"error_rate": None, "worse_than_previous": 2.0},
            counted(100, 5),
            counted(100, 2),
            "bad",
            "release 2 fails 5.0% of requests, more than 2 times the old release's 2.0%",
        ),
        ({"error_rate": None, "worse_than_previous": 2.0}, counted(100, 4), counted(100, 2), "good", ""),
        (
            {"worse_than_previous": 2.0},
            counted(100, latency=SLOW),
            counted(100, latency=FAST),
            "bad",
            "release 2 answers 95 % of requests within 950 ms, more than 2 times the old release's 10 ms",
        ),
        ({"worse_than_previous": 2.0}, counted(100, latency=SLOW), counted(5, latency=FAST), "good", ""),
    ],
)
def test_traffic_is_judged(rules: dict[str, Any], new: Counters, old: Counters, ruling: str, why: str) -> None:
    """Error rate and latency against what is allowed, and against the old release at the same time."""
    verdict = judge(rollout(**rules), fleet(counters={NEW: new, OLD: old}))
    assert (verdict.ruling, verdict.why) == (ruling, why)


@pytest.mark.parametrize(
    ("rules", "usual", "new", "ruling", "why"),
    [
        # 2 % always: 2 of 20 are 10 %, and no more than chance.
        ({}, counted(1000, 20), counted(20, 2), "good", ""),
        ({"error_rate": 0.01}, counted(1000, 20), counted(1000, 22), "good", ""),
        (
            {"error_rate": 0.01},
            counted(1000, 20),
            counted(1000, 60),
            "bad",
            "release 2 failed 60 of 1000 requests (6.0%, allowed 1.0%, release 1 before 2.0%)",
        ),
        (
            {},
            counted(1000, 80),
            counted(100, 30),
            "bad",
            "release 2 failed 30 of 100 requests (30.0%, allowed 5.0%, release 1 before 8.0%)",
        ),
        ({}, counted(1000, 80), counted(100, 10), "good", ""),
        # Too few before to know what is usual, nobody asked for it, or nothing worked at all.
        ({}, counted(19, 2), counted(100, 10), "bad", "release 2 failed 10 of 100 requests (10.0%, allowed 5.0%)"),
        (
            {"min_requests": 0},
            counted(2, 1),
            counted(100, 10),
            "bad",
            "release 2 failed 10 of 100 requests (10.0%, allowed 5.0%)",
        ),
        (
            {"judged_alone": True},
            counted(1000, 80),
            counted(100, 10),
            "bad",
            "release 2 failed 10 of 100 requests (10.0%, allowed 5.0%)",
        ),
        ({}, counted(100, 51), counted(100, 51), "bad", "release 2 failed 51 of 100 requests (51.0%, allowed 5.0%)"),
        ({"p95_ms": 500.0}, counted(100, latency=SLOW), counted(100, latency=SLOW), "good", ""),
        (
            {"p95_ms": 500.0},
            counted(100, latency=FAST),
            counted(100, latency=SLOW),
            "bad",
            "release 2 answers 95 % of requests within 950 ms, allowed 500 ms",
        ),
    ],
)
def test_what_the_old_release_always_did_is_no_fault_of_the_new_one(
    rules: dict[str, Any], usual: Counters, new: Counters, ruling: str, why: str
) -> None:
    """An app that always has some errors is held against its own, where enough requests tell of them."""
    verdict = judge(rollout(usual=usual, **rules), fleet(counters={NEW: new}))
    assert (verdict.ruling, verdict.why) == (ruling, why)


@given(st.integers(20, 5000), st.floats(0, 0.5), st.integers(20, 2000), st.data())
def test_usual_errors_excuse_no_more_than_what_is_usual(
    before: int, rate: float, requests: int, data: st.DataObject
) -> None:
    """With a past no release is judged harder; as many errors as always are good, far more of them are bad."""
    usual, errors = counted(before, int(before * rate)), data.draw(st.integers(0, requests))
    seen = fleet(counters={NEW: counted(requests, errors)})
    alone, beside = (judge(rollout(usual=usual, judged_alone=a), seen).ruling for a in (True, False))
    expected = 1.25 * usual.error_rate * requests
    assert (alone, beside) != ("good", "bad")
    if errors <= expected:
        assert beside == "good"
    if errors > max(expected + 3 * expected**0.5, 0.05 * requests):
        assert beside == "bad"


def test_only_what_came_in_this_step_counts() -> None:
    """Errors before the step began are not held against it."""
    before = ((NEW, counted(1000, 900)), (OLD, counted(1000)))
    seen = fleet(counters={NEW: counted(1100, 900), OLD: counted(1100)})
    assert judge(rollout(baseline=before), seen).ruling == "good"


def test_a_first_deploy_has_nobody_to_be_compared_with() -> None:
    """Without an old release only the thresholds hold."""
    verdict = judge(rollout(source=None, worse_than_previous=2.0), fleet(counters={NEW: counted(50, 10)}))
    assert verdict.ruling == "bad"


def test_an_instance_that_lost_its_health_is_enough() -> None:
    """By default the first one that had been healthy and no longer is makes the release bad, and is named."""
    verdict = judge(rollout(), fleet(exits=exits(NEW, 1005.0, was_healthy=True)))
    assert verdict.ruling == "bad"
    assert verdict.why == "release 2 lost 1 instance that had been healthy: 2-0 exited with code 1"


def test_a_crash_loop_is_a_verdict() -> None:
    """Three exits of instances that never were healthy are enough, two are not."""
    assert judge(rollout(), fleet(exits=exits(NEW, 1001.0, 1002.0))).ruling == "inconclusive"
    verdict = judge(rollout(), fleet(exits=exits(NEW, 1001.0, 1002.0, 1004.0)))
    assert verdict.why == "release 2 exited 3 times while starting: 2-2 exited with code 1"


@pytest.mark.parametrize("blamed", [True, False])
def test_one_exit_that_all_others_would_repeat_is_enough(blamed: bool) -> None:
    """Whether the release is to blame for it is another question."""
    (last,) = exits(NEW, 1001.0)
    verdict = judge(rollout(), fleet(exits=[replace(last, final=True, blamed=blamed)]))
    assert (verdict.ruling, verdict.blamed) == ("bad", blamed)
    assert verdict.why == "release 2 failed: 2-0 exited with code 1"


def test_exits_of_others_and_of_before_do_not_count() -> None:
    """What the old release does, or what this one did in an earlier rollout, is not this rollout's fault."""
    earlier = exits(NEW, 100.0, 200.0, 300.0, was_healthy=True)
    assert (
        judge(rollout(min_requests=0), fleet(exits=[*earlier, *exits(OLD, 1001.0, was_healthy=True)])).ruling == "good"
    )


def test_a_smoke_tests_own_requests_are_no_sample() -> None:
    """While the smoke hook is to run, only health speaks."""
    assert judge(rollout(hooks=(Hook.SMOKE,)), fleet(counters={NEW: counted(5, 5)})).ruling == "good"
