from hypothesis import given
from hypothesis import strategies as st

from crossfade.load.latency import BUCKETS, LONGEST, Latency, bucket, highest

MICROSECONDS = st.integers(0, LONGEST)


@given(MICROSECONDS)
def test_a_bucket_overstates_a_latency_by_at_most_three_percent(microseconds: int) -> None:
    """A bucket overstates a latency by at most 1/32, and never understates it."""
    assert microseconds <= highest(bucket(microseconds)) <= microseconds * (1 + 1 / 32)


@given(MICROSECONDS, MICROSECONDS)
def test_a_longer_latency_is_never_in_an_earlier_bucket(one: int, other: int) -> None:
    """A longer latency is never in an earlier bucket."""
    assert (bucket(one) <= bucket(other)) or one > other


def test_every_latency_has_a_bucket() -> None:
    """Latencies beyond the scale, or below zero when a clock is odd, are counted at its ends."""
    assert bucket(-5) == 0
    assert bucket(LONGEST * 100) == bucket(LONGEST) < BUCKETS


def test_percentiles_are_those_of_the_sorted_latencies() -> None:
    """Of latencies from 1 to 60 us, half stay within 30."""
    latency = Latency({bucket(microseconds): 1 for microseconds in range(1, 61)})
    assert (latency.percentile_ms(50), latency.percentile_ms(100)) == (0.03, 0.06)


def test_nothing_has_no_percentile() -> None:
    """Without requests there is no latency, rather than a latency of zero."""
    assert Latency().percentile_ms(99) is None


def test_two_histograms_add_up() -> None:
    """The histogram of two processes is the one that a single process would have made."""
    assert Latency({1: 2, 5: 1}) + Latency({5: 3, 9: 1}) == Latency({1: 2, 5: 4, 9: 1})
