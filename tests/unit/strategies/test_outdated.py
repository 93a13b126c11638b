"""Instances that are outdated are replaced by others of their release, and capacity stays at its floor meanwhile."""

import pytest
from tests.unit.strategies.fleets import NEW, rollout, some
from tests.unit.strategies.fleets import OLD as BEFORE
from tests.unit.strategies.fleets import fleet as seen

from crossfade.core.actions import Launch, Shift, Stop
from crossfade.core.fleet import Fleet, Health, Instance
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Strategy
from crossfade.strategies.decide import decide
from crossfade.strategies.keep import keep


def instance(name: str, *, outdated: bool, health: Health = Health.HEALTHY) -> Instance:
    return Instance(id=name, release=1, health=health, healthy_since=0.0, outdated=outdated)


def fleet(*instances: Instance, serving: str) -> Fleet:
    names = tuple(serving.split())
    return Fleet(
        instances=instances, routing=Routing(groups=(TargetGroup(release=1, registered=names),), weights=((1, 100),))
    )


def step(now: Fleet, strategy: Strategy) -> list[object]:
    return list(keep(1, 2, strategy, now, 100.0, warm={}, drain=30.0))


OLD = (instance("a", outdated=True), instance("b", outdated=True))


def test_new_ones_come_first() -> None:
    """With room for twice as many, both at once; nobody leaves yet."""
    actions = step(fleet(*OLD, serving="a b"), Strategy())
    assert Launch(release=1, count=2) in actions
    assert not any(isinstance(action, Shift | Stop) for action in actions)


def test_old_ones_leave_when_new_ones_can_carry() -> None:
    """They drain like any other."""
    new = (instance("c", outdated=False), instance("d", outdated=False))
    (shift,) = [a for a in step(fleet(*OLD, *new, serving="a b c d"), Strategy()) if isinstance(a, Shift)]
    assert shift.routing.serving() == {"c", "d"}
    assert shift.routing.draining() == {"a", "b"}


@pytest.mark.parametrize(("min_healthy", "leaving"), [(50, 1), (100, 0)])
def test_without_room_only_as_many_leave_as_the_floor_allows(min_healthy: int, leaving: int) -> None:
    """One of two where half is enough; where all are needed there is room for one more instead."""
    strategy = Strategy(name="rolling", min_healthy=min_healthy, max_surge=0)
    actions = step(fleet(*OLD, serving="a b"), strategy)
    shifts = [a for a in actions if isinstance(a, Shift)]
    assert sum(len(shift.routing.draining()) for shift in shifts) == leaving
    assert any(isinstance(a, Launch) for a in actions) is (leaving == 0)


def test_the_last_of_a_release_that_shares_the_traffic_stays() -> None:
    """With one beside one there is no room for a third, and alone the new one had more than its step."""
    old, new = some(BEFORE, 1, outdated=True), some(NEW, 1)
    half = rollout("canary", replicas=1, step=1, steps=(50, 100), bake=60.0, holding_since=1000.0)
    actions = decide(half, seen(old, new, weights={BEFORE: 50, NEW: 50}, preview=NEW), 1001.0)
    assert not any(isinstance(action, Shift | Stop) for action in actions)
