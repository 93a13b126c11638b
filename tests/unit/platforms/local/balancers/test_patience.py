"""How long it is waited until Envoy confirms what it is to run."""

import pytest

from crossfade.platforms.local.balancers.envoy.xds.publisher import Patience


@pytest.mark.parametrize(("working", "seconds"), [((), 10.5), ((False, True), 21.0), ((True,), 60.5)])
def test_one_that_works_is_given_more_time(working: tuple[bool, ...], seconds: float) -> None:
    """Asked every half second: 10 s in which it does nothing end it, and a minute whatever it does."""
    now = 0.0
    turns = iter(working * 1000)
    patience = Patience(lambda: next(turns, False), lambda: now)
    while not patience.is_over():
        now += 0.5
    assert now == seconds
