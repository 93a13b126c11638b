"""When a schedule of AWS comes: `cron(0 3 ? * MON-FRI *)` and `at(2026-12-01T03:00:00)`, in a time zone.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import calendar
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
_MONTHS = ["", *(name.upper() for name in calendar.month_abbr[1:])]
_DAYS = ["", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def comes(expression: str, timezone: str, since: float, until: float) -> bool:
    """Whether it has a moment after `since` and not after `until`. ValueError for words that AWS does not have."""
    zone = ZoneInfo(timezone or "UTC")
    kind, _, words = expression.rstrip(")").partition("(")
    if kind == "at":
        return since < datetime.fromisoformat(words).replace(tzinfo=zone).timestamp() <= until
    if kind != "cron":
        raise ValueError(expression)
    fields = words.split()
    if len(fields) != 6 or (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError(f"{expression}: six fields, with ? for the day of the month or for that of the week")
    first = (math.floor(since / MINUTE) + 1) * MINUTE
    return any(_fits(fields, datetime.fromtimestamp(at, UTC).astimezone(zone)) for at in _minutes(first, until))


def _minutes(first: float, until: float) -> Iterator[float]:
    while first <= until:
        yield first
        first += MINUTE


def _fits(fields: list[str], at: datetime) -> bool:
    minute, hour, day, month, weekday, year = fields
    numbers = [(minute, at.minute, []), (hour, at.hour, []), (month, at.month, _MONTHS), (year, at.year, [])]
    plain = all(_has(field, value, names) for field, value, names in numbers)
    return plain and _is_day(day, at) and _is_weekday(weekday, at)


def _is_day(field: str, at: datetime) -> bool:
    last = (at.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    if field == "L":
        return at.day == last.day
    if field == "LW":
        back = max(0, last.isoweekday() - 5)
        return at.day == last.day - back
    return _has(field, at.day, [])


def _is_weekday(field: str, at: datetime) -> bool:
    """Sunday is 1."""
    today = at.isoweekday() % 7 + 1
    if "#" in field:
        day, _, which = field.partition("#")
        return _has(day, today, _DAYS) and (at.day - 1) // 7 + 1 == int(which)
    if field != "L" and field.endswith("L"):
        return _has(field[:-1], today, _DAYS) and (at + timedelta(days=7)).month != at.month
    return _has(field, today, _DAYS)


def _has(field: str, value: int, names: list[str]) -> bool:
    def number(word: str) -> int:
        return names.index(word) if word in names else int(word)

    return any(_in(word, value, number) for word in field.split(","))


def _in(word: str, value: int, number: Callable[[str], int]) -> bool:
    if word in ("*", "?"):
        return True
    span, _, step = word.partition("/")
    first, _, last = span.partition("-")
    if step:
        begin = 0 if first == "*" else number(first)
        return value >= begin and (value - begin) % int(step) == 0 and (not last or value <= number(last))
    return number(first) <= value <= number(last or first)
