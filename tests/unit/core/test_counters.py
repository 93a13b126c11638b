"""Counters: totals that only grow, and what can be read from two of them."""

import math

import pytest

from crossfade.core.counters import Counters


def test_what_came_since_is_the_difference() -> None:
    """Between 100 requests with 2 errors and 150 with 5 lie 50 requests with 3 errors, in each bucket too."""
    start = Counters(requests=100, errors=2, retried=1, latency=((10.0, 80), (20.0, 100)))
    end = Counters(requests=150, errors=5, retried=4, latency=((10.0, 110), (20.0, 150)))
    assert end.since(start) == Counters(requests=50, errors=3, retried=3, latency=((10.0, 30), (20.0, 50)))


def test_a_counter_that_went_back_was_restarted() -> None:
    """After a balancer's restart everything it counted is new."""
    end = Counters(requests=7, errors=1)
    assert end.since(Counters(requests=1000, errors=30)) == end


def test_counters_of_two_releases_add_up() -> None:
    """Sums go bucket by bucket, and a bucket that only one has is kept."""
    total = Counters(requests=2, latency=((10.0, 2),)) + Counters(requests=3, errors=1, latency=((10.0, 1), (50.0, 3)))
    assert total == Counters(requests=5, errors=1, latency=((10.0, 3), (50.0, 3)))


def test_the_error_rate_of_nothing_is_nothing() -> None:
    """Without requests no share of them failed."""
    assert Counters().error_rate == 0.0
    assert Counters(requests=200, errors=3).error_rate == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0.5, 50 / 9), (0.9, 10.0), (0.95, 15.0), (1.0, 20.0)],
)
def test_a_quantile_is_interpolated_in_its_bucket(q: float, expected: float) -> None:
    """90 of 100 within 10 ms and all within 20 ms: the 95th lies half way through the second bucket, at 15 ms."""
    counters = Counters(requests=100, latency=((10.0, 90), (20.0, 100)))
    assert counters.quantile_ms(q) == pytest.approx(expected)


def test_a_quantile_skips_empty_buckets() -> None:
    """A bucket that nothing fell into does not bend the interpolation of the next one."""
    assert Counters(requests=10, latency=((5.0, 0), (10.0, 0), (20.0, 10))).quantile_ms(0.5) == pytest.approx(15.0)


def test_a_bucket_without_an_end_gives_its_beginning() -> None:
    """Of what took longer than the last bound it is known only that it did."""
    assert Counters(requests=10, latency=((100.0, 5), (math.inf, 10))).quantile_ms(0.95) == 100.0


def test_nothing_timed_is_zero() -> None:
    """Without a histogram there is no latency to speak of."""
    assert Counters(requests=10).quantile_ms(0.95) == 0.0
