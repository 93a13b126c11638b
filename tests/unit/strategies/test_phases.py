"""The phases of each strategy and their bounds, with worked numbers."""

from typing import Any

import pytest
from tests.unit.strategies.fleets import rollout

from crossfade.core.service import Strategy, StrategyName
from crossfade.strategies.phases import Bounds, Phase, bounds, limits, phases


def outline(strategy: Strategy, replicas: int, before: int | None = None) -> list[tuple[int, int, int | None]]:
    """New, old and share of each phase."""
    return [(phase.new, phase.old, phase.share) for phase in phases(strategy, replicas, before)]


def test_blue_green_brings_everything_before_it_switches() -> None:
    """Three beside three without traffic, then all of it at once."""
    assert outline(Strategy(name="blue-green"), 3) == [(3, 3, 0), (3, 3, 100)]


@pytest.mark.parametrize("name", ["canary", "linear"])
def test_canary_and_linear_move_traffic_in_steps(name: StrategyName) -> None:
    """The same full capacity from the start, and one phase a share."""
    plan = Strategy(name=name, steps=(10, 50, 100))
    assert outline(plan, 2) == [(2, 2, 0), (2, 2, 10), (2, 2, 50), (2, 2, 100)]


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        (1, [(1, 0, None), (1, 0, None)]),
        (2, [(1, 1, None), (2, 0, None)]),
        (3, [(2, 1, None), (3, 0, None)]),
        (10, [(5, 5, None), (10, 0, None)]),
    ],
)
def test_rolling_stops_at_its_checkpoints(replicas: int, expected: list[tuple[int, int, None]]) -> None:
    """Half of 3 is ceil(1.5) = 2 new and 1 old."""
    assert outline(Strategy(name="rolling", checkpoints=(50, 100)), replicas) == expected


def test_recreate_takes_the_old_away_first() -> None:
    """Nothing of either, then all of the new."""
    assert outline(Strategy(name="recreate"), 2) == [(0, 0, None), (2, 0, None)]


def test_a_rollback_is_one_step() -> None:
    """All traffic at once, as soon as the old release is whole."""
    assert outline(Strategy(name="rollback"), 2) == [(2, 2, 100)]


def test_the_old_fleet_keeps_its_own_size() -> None:
    """From 4 to 2 replicas nobody of the old goes early; from 2 to 4 nobody is added to it."""
    assert outline(Strategy(name="blue-green"), 2, 4) == [(2, 4, 0), (2, 4, 100)]
    assert outline(Strategy(name="blue-green"), 4, 2) == [(4, 2, 0), (4, 2, 100)]
    assert outline(Strategy(name="rolling", checkpoints=(50, 100)), 2, 5) == [(1, 2, None), (2, 0, None)]


def test_only_steps_with_traffic_bake() -> None:
    """Before the first request there is nothing to watch; a person may be asked even so."""
    plan = Strategy(name="canary", steps=(10, 100), bake=300.0, approve=(0, 10))
    assert [(phase.bake, phase.approve) for phase in phases(plan, 1)] == [(0.0, True), (300.0, True), (300.0, False)]
    again = Strategy(name="recreate", bake=5.0, approve=(100,))
    assert [(phase.bake, phase.approve) for phase in phases(again, 1)] == [(0.0, False), (5.0, True)]


def test_a_phase_is_named_by_what_people_see() -> None:
    """A share of traffic, or numbers of instances where traffic follows them."""
    assert Phase(new=2, old=2, share=10).label == "10 %"
    assert Phase(new=2, old=1, share=None).label == "2 new, 1 old"


@pytest.mark.parametrize(
    ("replicas", "min_healthy", "max_surge", "floor", "ceiling"),
    [
        (3, 50, 50, 2, 5),  # ceil(1.5) = 2, 3 + ceil(1.5) = 5
        (4, 100, 25, 4, 5),
        (4, 75, 0, 3, 4),
        (10, 90, 1, 9, 11),  # a tenth of an instance more is one more
        (1, 50, 0, 1, 2),  # ceil(0.5) = 1 of 1: one more is allowed, or nothing could move
        (1, 0, 0, 0, 1),
        (2, 51, 0, 2, 3),
        (0, 100, 100, 0, 1),
    ],
)
def test_rolling_rounds_to_the_safe_side(
    replicas: int, min_healthy: int, max_surge: int, floor: int, ceiling: int
) -> None:
    """The floor is rounded up, the surge too, and between them there is always room for one."""
    plan = Strategy(name="rolling", min_healthy=min_healthy, max_surge=max_surge)
    assert bounds(plan, replicas) == Bounds(floor=floor, ceiling=ceiling)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blue-green", Bounds(floor=3, ceiling=6)),
        ("canary", Bounds(floor=3, ceiling=6)),
        ("linear", Bounds(floor=3, ceiling=6)),
        ("rollback", Bounds(floor=3, ceiling=6)),
        ("recreate", Bounds(floor=0, ceiling=3)),
    ],
)
def test_the_others_have_fixed_bounds(name: StrategyName, expected: Bounds) -> None:
    """Two whole fleets beside each other, or, with recreate, one at a time."""
    assert bounds(Strategy(name=name), 3) == expected


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"replicas": 2, "source_replicas": 4}, Bounds(floor=2, ceiling=8)),
        ({"replicas": 4, "source_replicas": 2}, Bounds(floor=2, ceiling=8)),
        ({"replicas": 4, "source": None}, Bounds(floor=0, ceiling=8)),
        ({"replicas": 4}, Bounds(floor=4, ceiling=8)),
    ],
)
def test_between_two_sizes_both_are_safe(traits: dict[str, Any], expected: Bounds) -> None:
    """The floor is that of the smaller fleet and the ceiling that of the larger; over nothing there is no floor."""
    assert limits(rollout(**traits)) == expected
