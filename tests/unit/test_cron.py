"""Schedules: the moments that five words of cron mean in a time zone."""

from datetime import UTC, datetime

import pytest

from crossfade import cron


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_the_next_moment_is_in_the_schedules_own_zone() -> None:
    """7 in the morning in Seoul is 22:00 of the day before in Greenwich."""
    assert cron.next_after("0 7 * * *", "Asia/Seoul", at("2026-03-01T12:00")) == at("2026-03-01T22:00")


def test_an_hour_that_is_left_out_comes_right_after_it() -> None:
    """In Berlin 02:30 does not exist on 29 March 2026: the job of that moment comes at 03:00, and only once."""
    night = at("2026-03-28T23:00")
    first = cron.next_after("30 2 * * *", "Europe/Berlin", night)
    assert first == at("2026-03-29T01:00")
    assert cron.next_after("30 2 * * *", "Europe/Berlin", first) == at("2026-03-30T00:30")


def test_an_hour_that_comes_twice_counts_once() -> None:
    """02:30 comes twice in Berlin on 25 October 2026; a day lies between this moment and the next."""
    first = cron.next_after("30 2 * * *", "Europe/Berlin", at("2026-10-24T22:00"))
    assert first == at("2026-10-25T00:30")
    assert cron.next_after("30 2 * * *", "Europe/Berlin", first) == at("2026-10-26T01:30")


def test_the_latest_moment_is_the_last_of_many() -> None:
    """Of a year without anybody only the last minute is asked for, and it is found at once."""
    now = at("2026-11-28T10:00:30")
    assert cron.latest("* * * * *", "UTC", now - 365 * 86400, now) == at("2026-11-28T10:00")
    assert cron.latest("0 10 * * *", "UTC", at("2026-11-28T10:00"), now) is None
    assert cron.latest("0 10 * * *", "UTC", at("2026-11-28T09:59:59"), now) == at("2026-11-28T10:00")


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("0 3 * * *", ""),
        ("*/5 8-18 * * MON-FRI", ""),
        ("0 0 29 2 *", ""),
        ("0 0 31 2 *", "which never comes"),
        ("0 0 31 4,6 *", "which never comes"),
        ("61 * * * *", "which is no schedule: bad minute"),
        ("0 3 * *", "which is no schedule: wrong number of fields"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(schedule: str, why: str) -> None:
    """A date that no year has is told from words that nobody understands."""
    assert cron.complaint(schedule, "UTC") == why


def test_zones_are_known_by_their_names() -> None:
    """A misspelt one is no zone, and the one that was meant is near."""
    assert (cron.is_zone("Asia/Seoul"), cron.is_zone("UTC"), cron.is_zone("Asia/Soul")) == (True, True, False)
    assert cron.nearest_zone("Asia/Soul") == "Asia/Seoul"
