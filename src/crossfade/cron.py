"""Schedules in the five words of cron, as Debian's cron understands them, in a time zone.

When clocks go forward what lies in the hour that is left out comes right after it; when they go back nothing comes
twice.
"""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches

_OVERLAP = timedelta(hours=3)  # more than any clock is set back by: looking back is not exact across that


def complaint(schedule: str, timezone: str) -> str:
    """What is wrong with a schedule, as in `which never comes`; empty when nothing is."""
    from cronsim import CronSimError  # noqa: PLC0415  only those pay for it who have a schedule

    try:
        came = next_after(schedule, timezone, 0.0)
    except CronSimError as error:
        if _is_a_date_that_no_year_has(schedule):
            return "which never comes"
        return f"which is no schedule: {str(error)[:1].lower()}{str(error)[1:]}"
    return "" if came is not None else "which never comes"


def is_zone(timezone: str) -> bool:
    try:
        _zone(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return False
    return True


def nearest_zone(timezone: str) -> str:
    """The zone that was probably meant; empty when none is near."""
    return next(iter(get_close_matches(timezone, sorted(zoneinfo.available_timezones()), n=1)), "")


def next_after(schedule: str, timezone: str, after: float) -> float | None:
    """The first moment after `after`, in seconds since the epoch; None when none comes in fifty years."""
    moment = next(_moments(schedule, timezone, after), None)
    return None if moment is None else moment.timestamp()


def latest(schedule: str, timezone: str, after: float, until: float) -> float | None:
    """The last moment after `after` and not after `until`; None when there is none."""
    from cronsim import CronSim  # noqa: PLC0415  as above

    end = datetime.fromtimestamp(until, _zone(timezone))
    back = next(iter(CronSim(schedule, end + timedelta(minutes=1), reverse=True)), None)
    begin = after if back is None else max(after, (back - _OVERLAP).timestamp())
    found = None
    for moment in _moments(schedule, timezone, begin):
        if moment.timestamp() > until:
            break
        found = moment.timestamp()
    return found


def _is_a_date_that_no_year_has(schedule: str) -> bool:
    """Such as the 31st of February: each word is right, and with another month all of them are."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415  as above

    words = schedule.split()
    try:
        CronSim(" ".join([*words[:3], "*", *words[4:]]), datetime.now(UTC))
        CronSim(" ".join([*words[:2], "*", *words[3:]]), datetime.now(UTC))
    except CronSimError:
        return False
    return True


def _moments(schedule: str, timezone: str, after: float) -> Iterator[datetime]:
    from cronsim import CronSim  # noqa: PLC0415  as above

    return iter(CronSim(schedule, datetime.fromtimestamp(after, _zone(timezone))))


def _zone(timezone: str) -> tzinfo:
    return UTC if timezone == "UTC" else zoneinfo.ZoneInfo(timezone)  # UTC is known where no tzdata is installed, too
