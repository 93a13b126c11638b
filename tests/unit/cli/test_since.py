"""--since, as people type it."""

from datetime import UTC, datetime, timedelta

import pytest

from crossfade.cli.look.since import since
from crossfade.core.errors import WrongInputError

HERE = datetime(2026, 11, 29, 14, 30, tzinfo=UTC).astimezone()
NOW = HERE.timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1.5h", 5400),
        ("10 min", 600),
        ("2 hours ago", 7200),
    ],
)
def test_how_long_ago(text: str, seconds: float) -> None:
    """One unit or several, short or written out."""
    assert since(text, NOW) == NOW - seconds


def test_a_time_of_day_is_the_last_one() -> None:
    """Today's when it was, else yesterday's."""
    earlier, later = HERE - timedelta(minutes=5), HERE + timedelta(minutes=5)
    assert since(earlier.strftime("%H:%M"), NOW) == earlier.timestamp()
    assert since(later.strftime("%H:%M:%S"), NOW) == (later - timedelta(days=1)).timestamp()


def test_a_date_and_time() -> None:
    """Local, or as it says itself."""
    assert since("2026-11-28T10:00:00Z", NOW) == datetime(2026, 11, 28, 10, tzinfo=UTC).timestamp()
    assert since("2026-11-28 10:00", NOW) == datetime(2026, 11, 28, 10).astimezone().timestamp()
    assert since("2026-11-28", NOW) == datetime(2026, 11, 28).astimezone().timestamp()


@pytest.mark.parametrize("text", ["yesterdayish", "10", "25:00", "10x", "", "2026-13-01", "2027-01-01", "5m10"])
def test_anything_else_is_wrong_input(text: str) -> None:
    """Said with what is allowed, and so is what is in the future."""
    with pytest.raises(WrongInputError, match="--since"):
        since(text, NOW)
