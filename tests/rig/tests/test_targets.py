"""States of targets, without a balancer."""

import pytest
from tests.rig.balancer.check import matches
from tests.rig.balancer.targets import CHECKING, DRAINING, HEALTHY, Group, Health, State, Target

SICK = Health(State.UNHEALTHY, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
ARN = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/0123456789abcdef"


def judged(target: Target, *passes: bool) -> list[bool]:
    """Which of these checks changed its state, with thresholds of three passes and two failures."""
    return [target.judge(None if passed else SICK, healthy=3, unhealthy=2) for passed in passes]


def test_a_new_target_is_healthy_at_its_first_pass() -> None:
    target = Target("10.0.0.4", 8080)
    assert judged(target, True) == [True]
    assert target.health is HEALTHY


def test_a_new_target_that_fails_is_still_initial_until_it_fails_often_enough() -> None:
    target = Target("10.0.0.4", 8080)
    assert judged(target, False) == [False]
    assert target.health is CHECKING
    assert judged(target, False) == [True]
    assert target.health is SICK


def test_an_unhealthy_target_has_to_pass_several_times_in_a_row() -> None:
    target = Target("10.0.0.4", 8080)
    judged(target, False, False)
    assert judged(target, True, True, False, True, True, True) == [False, False, False, False, False, True]


def test_a_healthy_target_survives_one_failure() -> None:
    target = Target("10.0.0.4", 8080)
    judged(target, True)
    assert judged(target, False, True, False, False) == [False, False, False, True]


def group(*healths: Health, used: bool = True) -> Group:
    made = Group(ARN, {"Port": 80}, {}, used=used)
    for number, health in enumerate(healths):
        target = Target(f"10.0.0.{number}", 80, health)
        made.targets[target.key] = target
    return made


def test_only_healthy_targets_serve() -> None:
    assert [one.id for one in group(HEALTHY, SICK, CHECKING, DRAINING).serving()] == ["10.0.0.0"]


def test_all_unhealthy_targets_serve_where_there_is_no_healthy_one() -> None:
    """AWS fails open; those that are initial or drain do not count."""
    assert [one.id for one in group(SICK, CHECKING, SICK, DRAINING).serving()] == ["10.0.0.0", "10.0.0.2"]


def test_a_group_that_nobody_uses_has_unused_targets_and_those_that_drain() -> None:
    shown = list(group(HEALTHY, DRAINING, used=False).shown([]))
    assert [one["TargetHealth"]["State"] for one in shown] == ["unused", "draining"]


def test_a_group_waits_five_minutes_where_nobody_says_otherwise() -> None:
    assert group().deregistration_delay == 300


@pytest.mark.parametrize(
    ("codes", "status", "fits"),
    [("200", 200, True), ("200", 204, False), ("200,302", 302, True), ("200-299", 204, True), ("200-299", 302, False)],
)
def test_a_matcher_is_of_codes_and_ranges(codes: str, status: int, *, fits: bool) -> None:
    assert matches(codes, status) is fits
