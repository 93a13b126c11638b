"""Times of day as the file has them, in its time zone, and as AWS wants them, in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_A_MONDAY = 5  # of January 2026
_HALF_A_YEAR = timedelta(days=182)


def daily(window: str, zone: str) -> str:
    """`03:00-04:00` in Asia/Seoul is 18:00-19:00."""
    return "-".join(_utc(f"mon {time}", zone).strftime("%H:%M") for time in window.split("-"))


def weekly(window: str, zone: str) -> str:
    """`mon 04:00-05:00` in Asia/Seoul is sun:19:00-sun:20:00."""
    day, _, times = window.partition(" ")
    begin, end = (_utc(f"{day} {time}", zone) for time in times.split("-"))
    if end < begin:
        end += timedelta(days=1)
    return "-".join(f"{_DAYS[moment.weekday()]}:{moment:%H:%M}" for moment in (begin, end))


def _utc(moment: str, zone: str) -> datetime:
    """AWS knows no summer time: the time zone's standard time counts all year."""
    day, _, time = moment.partition(" ")
    hour, _, minute = time.partition(":")
    noon = datetime(2026, 1, _A_MONDAY + _DAYS.index(day), 12, tzinfo=UTC)
    offsets = [
        (noon + later).astimezone(ZoneInfo(zone)).utcoffset() or timedelta() for later in (timedelta(), _HALF_A_YEAR)
    ]
    return noon.replace(hour=int(hour), minute=int(minute)) - min(offsets)
