"""Latencies in buckets."""

import pytest

from crossfade.platforms.local.balancers.counted.buckets import BUCKETS, bound, cumulative


@pytest.mark.parametrize(("ms", "upper"), [(0, 0.5), (0.5, 0.5), (0.51, 1), (10, 10), (11, 13), (1e9, 60_000)])
def test_a_latency_counts_in_the_first_bucket_that_holds_it(ms: float, upper: float) -> None:
    """What is longer than all counts in the last."""
    assert bound(ms) == upper


def test_each_bucket_holds_those_below_it() -> None:
    """The last has all; nothing counted is nothing."""
    found = dict(cumulative({1.0: 2, 10.0: 3}))
    assert (found[0.5], found[1.0], found[5], found[10.0], found[BUCKETS[-1]]) == (0, 2, 2, 5, 5)
    assert cumulative({}) == ()
