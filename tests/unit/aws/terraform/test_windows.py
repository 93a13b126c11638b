from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.terraform.windows import daily, weekly

ZONES = ("Asia/Seoul", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "Pacific/Kiritimati", "UTC")
TIMES = st.times().map(lambda time: f"{time:%H:%M}")


@pytest.mark.parametrize(
    ("window", "zone", "utc"),
    [
        ("03:00-04:00", "Asia/Seoul", "18:00-19:00"),
        ("03:00-04:00", "UTC", "03:00-04:00"),
        ("23:30-00:30", "Asia/Kolkata", "18:00-19:00"),
        ("20:00-21:00", "America/New_York", "01:00-02:00"),
    ],
)
def test_a_time_of_day_becomes_utc(window: str, zone: str, utc: str) -> None:
    """A window of the file's time zone is the same window in UTC, in standard time all year."""
    assert daily(window, zone) == utc


@pytest.mark.parametrize(
    ("window", "zone", "utc"),
    [
        ("mon 04:00-05:00", "Asia/Seoul", "sun:19:00-sun:20:00"),
        ("mon 08:30-09:30", "Asia/Seoul", "sun:23:30-mon:00:30"),
        ("sun 22:00-23:00", "America/New_York", "mon:03:00-mon:04:00"),
        ("sat 23:30-00:30", "UTC", "sat:23:30-sun:00:30"),
    ],
)
def test_a_time_of_the_week_keeps_its_day(window: str, zone: str, utc: str) -> None:
    """A weekly window moves to the day that it is in UTC, also when it goes over midnight or the end of the week."""
    assert weekly(window, zone) == utc


@given(TIMES, TIMES, st.sampled_from(ZONES))
def test_a_window_keeps_its_length(begin: str, end: str, zone: str) -> None:
    """Whatever the time zone, a window is as long in UTC as in the file."""

    def minutes(window: str) -> int:
        first, last = (int(time[:2]) * 60 + int(time[3:]) for time in window.split("-"))
        return (last - first) % 1440

    window = f"{begin}-{end}"
    assert minutes(daily(window, zone)) == minutes(window)


@given(st.sampled_from(ZONES), TIMES)
def test_winter_time_counts(zone: str, begin: str) -> None:
    """Back in the time zone, in its own winter, the window begins when the file says."""
    utc = daily(f"{begin}-{begin}", zone)[:5]
    winter = max(
        (datetime(2026, month, 5, int(utc[:2]), int(utc[3:]), tzinfo=UTC) for month in (1, 7)),
        key=lambda moment: -(moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()),
    )
    assert f"{winter.astimezone(ZoneInfo(zone)):%H:%M}" == begin
