"""Schedules in the five words of cron, as Debian's cron understands them, in a time zone.

What names its minute and its hour, as `30 2 * * *`, comes right after an hour that clocks leave out, and once in one
that comes twice. What has a `*` in either goes by the time that passes: every 20 minutes is that all night.
"""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import islice, pairwise, takewhile

_OVERLAP = timedelta(hours=3)  # more than any clock is set back by: looking back is not exact across that
_LOOKED_AT = 200  # moments, within two years of this one
_SOME_MOMENT, _YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp(), 366 * 86_400.0


def complaint(schedule: str, timezone: str) -> str:
    """What is wrong with a schedule, as in `which never comes`; empty when nothing is."""
    from cronsim import CronSimError  # noqa: PLC0415  only those pay for it who have a schedule

    try:
        came = next_after(schedule, timezone, 0.0)
    except CronSimError as error:
        if _is_a_date_that_no_year_has(schedule):
            return "which never comes"
        return f"which is not a schedule: {str(error)[:1].lower()}{str(error)[1:]}"
    return "" if came is not None else "which never comes"


def is_zone(timezone: str) -> bool:
    try:
        zone(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as America
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

    end = datetime.fromtimestamp(until, zone(timezone))
    back = next(iter(CronSim(schedule, end + timedelta(minutes=1), reverse=True)), None)
    begin = after if back is None else max(after, (back - _OVERLAP).timestamp())
    found = None
    for moment in _moments(schedule, timezone, begin):
        if moment.timestamp() > until:
            break
        found = moment.timestamp()
    return found


def shortest_pause(schedule: str, timezone: str) -> float:
    """Seconds between those two moments of a schedule that are next to each other and closest; a year at most."""
    moments = islice(_moments(schedule, timezone, _SOME_MOMENT), _LOOKED_AT)
    soon = takewhile(lambda at: at < _SOME_MOMENT + 2 * _YEAR, (moment.timestamp() for moment in moments))
    return min((after - before for before, after in pairwise(soon)), default=_YEAR)


def in_four_weeks(schedule: str, timezone: str) -> list[float]:
    """Its moments in some four weeks, in seconds from their begin."""
    end = _SOME_MOMENT + 28 * 86_400
    soon = takewhile(lambda at: at <= end, (m.timestamp() for m in _moments(schedule, timezone, _SOME_MOMENT)))
    return [at - _SOME_MOMENT for at in soon]


def came(schedule: str, timezone: str, now: float) -> float | None:
    """When it came last, within a year."""
    return latest(schedule, timezone, now - _YEAR, now)


def times_a_month(schedule: str, timezone: str) -> float:
    """How often a schedule comes in a month of 730 hours, on average."""
    moments = [m.timestamp() for m in islice(_moments(schedule, timezone, _SOME_MOMENT), _LOOKED_AT)]
    if len(moments) == 1:
        return 0.0
    return (len(moments) - 1) / (moments[-1] - moments[0]) * 730 * 3600


def on_aws(schedule: str) -> str:
    """The same moments in AWS's words, such as `cron(0 3 ? * 2 *)`; empty where it has none for them.

    One of both days must be `?` there, so that days of the month cannot be meant beside days of the week.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    from cronsim import CronSim  # noqa: PLC0415  as above

    read = CronSim(schedule, datetime.now(UTC))
    weekdays = {day % 7 if isinstance(day, int) else day for day in read.weekdays}
    days, every = _days(read.days), weekdays == set(range(7))
    if not every and days != "*":
        return ""
    week = "?" if every else _weekdays(weekdays)
    if not (days and week):
        return ""
    minutes, hours = _numbers(read.minutes, range(60)), _numbers(read.hours, range(24))
    return f"cron({minutes} {hours} {days if every else '?'} {_numbers(read.months, range(1, 13))} {week} *)"


def _days(days: set[int]) -> str:
    from cronsim import CronSim  # noqa: PLC0415  as above

    last = {CronSim.LAST: "L", CronSim.LAST_WEEKDAY: "LW"}
    if days & last.keys():
        return last[next(iter(days))] if len(days) == 1 else ""
    return _numbers(days, range(1, 32))


def _weekdays(days: set[int | tuple[int, int]]) -> str:
    """Sunday is 1 there, and one day of the month, such as its second Monday, stands alone."""
    from cronsim import CronSim  # noqa: PLC0415  as above

    nth = [day for day in days if isinstance(day, tuple)]
    if not nth:
        return ",".join(str(day + 1) for day in sorted(day for day in days if isinstance(day, int)))
    if len(days) > 1:
        return ""
    day, which = nth[0]
    return f"{day % 7 + 1}L" if which == CronSim.LAST else f"{day % 7 + 1}#{which}"


def _numbers(values: set[int], every: range) -> str:
    return "*" if values == set(every) else ",".join(map(str, sorted(values)))


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

    return iter(CronSim(schedule, datetime.fromtimestamp(after, zone(timezone))))


def zone(timezone: str) -> tzinfo:
    """By its name, which has to be one."""
    return UTC if timezone == "UTC" else zoneinfo.ZoneInfo(timezone)  # UTC is known where no tzdata is installed, too
