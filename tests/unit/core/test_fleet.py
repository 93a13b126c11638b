"""What counts as capacity."""

import pytest

from crossfade.core.counters import Counters
from crossfade.core.fleet import Fleet, Health, Instance


def healthy(since: float = 100.0, **traits: bool) -> Instance:
    return Instance(id="a", release=1, health=Health.HEALTHY, healthy_since=since, **traits)


@pytest.mark.parametrize(("now", "ready"), [(100.0, False), (399.0, False), (400.0, True)])
def test_an_instance_counts_after_its_warmup(now: float, ready: bool) -> None:
    """Healthy since 100 s with 300 s of warmup it counts from 400 s on."""
    assert healthy().ready(now, 300.0) is ready


def test_without_warmup_the_clock_is_not_asked() -> None:
    """A clock that was set back makes nobody unready."""
    assert healthy(since=5000.0).ready(10.0, 0.0)


@pytest.mark.parametrize("health", [Health.STARTING, Health.UNHEALTHY, Health.EXITED])
def test_only_the_healthy_are_usable(health: Health) -> None:
    """One that starts, lost its health or is gone gets no requests."""
    assert not Instance(id="a", release=1, health=health, healthy_since=0.0).ready(10.0, 0.0)


def test_one_that_was_told_to_go_does_not_count() -> None:
    """In its grace an instance is neither up nor usable."""
    assert not healthy(stopping=True).up
    assert not healthy(stopping=True).usable


def test_a_release_that_was_not_counted_has_no_requests() -> None:
    """A fleet answers for every release, also for one it never saw."""
    assert Fleet().counted(7) == Counters()
    assert Fleet().of(7) == ()
