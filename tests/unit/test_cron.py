"""Schedules: the moments that five words of cron mean in a time zone."""

from datetime import UTC, datetime

import pytest
from tests.rig.calendar.expression import comes

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


def test_what_repeats_goes_by_the_time_that_passes() -> None:
    """Every 20 minutes of an hour that comes twice is six times, and none of one that is left out."""
    night, moments = at("2026-10-24T22:00"), []
    while not moments or moments[-1] < at("2026-10-26T00:00"):
        moments.append(cron.next_after("*/20 2 * * *", "Europe/Berlin", moments[-1] if moments else night) or 0.0)
    assert moments[:6] == [at("2026-10-25T00:00") + n * 1200 for n in range(6)]
    assert moments[6] == at("2026-10-26T01:00")
    assert cron.next_after("*/20 2 * * *", "Europe/Berlin", at("2026-03-28T23:00")) == at("2026-03-30T00:00")


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
        ("61 * * * *", "which is not a schedule: bad minute"),
        ("0 3 * *", "which is not a schedule: wrong number of fields"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(schedule: str, why: str) -> None:
    """A date that no year has is told from words that nobody understands."""
    assert cron.complaint(schedule, "UTC") == why


def test_zones_are_known_by_their_names() -> None:
    """A misspelt one is no zone, and the one that was meant is near."""
    known = ("Asia/Seoul", "UTC", "Asia/Soul", "America", "../UTC", "x" * 5000)
    assert [cron.is_zone(name) for name in known] == [True, True, False, False, False, False]
    assert cron.nearest_zone("Asia/Soul") == "Asia/Seoul"


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("*/20 * * * *", "cron(0,20,40 * * * ? *)"),
        ("0 7 * * MON-FRI", "cron(0 7 ? * 2,3,4,5,6 *)"),
        ("30 4 1,15 * *", "cron(30 4 1,15 * ? *)"),
        ("0 0 * 2 7", "cron(0 0 ? 2 1 *)"),
        ("0 0 L * *", "cron(0 0 L * ? *)"),
        ("0 0 * * MON#2", "cron(0 0 ? * 2#2 *)"),
        ("0 0 * * 5L", "cron(0 0 ? * 6L *)"),
        ("0 0 13 * FRI", ""),
        ("0 0 1,L * *", ""),
    ],
)
def test_aws_has_words_of_its_own(schedule: str, said: str) -> None:
    """Sunday is its first day, and days of the month are not meant beside those of the week: then it has none."""
    assert cron.on_aws(schedule) == said


@pytest.mark.parametrize("schedule", ["0 3 * * *", "5,50 */6 * * *", "0 7 * * MON-FRI", "10 4 L * *", "0 9 * * TUE#3"])
def test_what_is_said_to_aws_means_the_same_moments(schedule: str) -> None:
    """As a reader of its own takes AWS's words, over a month's end and twenty days."""
    first = at("2027-01-31T00:00")
    minutes = [first + 300 * number for number in range(12 * 24 * 20)]
    said = cron.on_aws(schedule)
    theirs = [minute for minute in minutes if comes(said, "Asia/Seoul", minute - 1, minute)]
    ours, moment = [], cron.next_after(schedule, "Asia/Seoul", first - 1)
    while moment is not None and moment <= minutes[-1]:
        ours.append(moment)
        moment = cron.next_after(schedule, "Asia/Seoul", moment)
    assert theirs == ours


def test_the_shortest_pause_is_between_the_closest_moments() -> None:
    """Nearly a day for one in the night, for the clocks go forward once; minutes for two that are near each other."""
    assert cron.shortest_pause("0 3 * * *", "UTC") == 86400
    assert cron.shortest_pause("0 1 * * *", "Europe/Berlin") == 82800
    assert cron.shortest_pause("0,10 3 * * *", "UTC") == 600


def test_how_often_it_comes_in_a_month() -> None:
    assert round(cron.times_a_month("0 3 * * *", "UTC"), 1) == 30.4
    assert cron.times_a_month("*/15 * * * *", "UTC") == 2920
