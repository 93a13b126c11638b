"""Moments as people type them: how long ago, a time of day, a date."""

import re
from datetime import datetime, timedelta

from crossfade.core.errors import WrongInputError

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(seconds?|sec|s|minutes?|min|m|hours?|h|days?|d|weeks?|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def since(text: str, now: float) -> float:
    """Seconds since 1970: `10m` and `1h30m` are before `now`, `14:30` the last time it was that late here.

    A date and time as ISO 8601 has them is local unless it says otherwise. WrongInputError for anything else, and for
    what is in the future.
    """
    said = text.strip().removesuffix(" ago")
    parts = _PART.findall(said)
    if parts and not _PART.sub("", said).strip():
        return now - sum(float(number) * _SECONDS[unit[0]] for number, unit in parts)
    here = datetime.fromtimestamp(now).astimezone()
    try:
        moment = _time_of_day(said, here) or datetime.fromisoformat(said).astimezone()
        at = moment.timestamp()
    except (ValueError, OverflowError, OSError):
        raise WrongInputError(
            f"--since: found {text!r}", "allowed: how long ago (90s, 10m, 1h30m, 2d), 14:30, or 2026-11-29T14:30"
        ) from None
    if at > now:
        raise WrongInputError(f"--since: {text} is in the future", "name a moment in the past")
    return at


def _time_of_day(text: str, here: datetime) -> datetime | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    moment = here.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return moment if moment <= here else moment - timedelta(days=1)
