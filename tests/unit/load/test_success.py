"""Success as teams wrote it down: tables with what was promised, what was measured, and whether that is met."""

from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.core.journey import Promises
from crossfade.file.load import load_every
from crossfade.file.loadtest.model import promises
from crossfade.load.journeys import paper
from crossfade.load.journeys.book import JourneyTally, LoadBook, Period, Sample
from crossfade.load.journeys.verdict import Result, holds, limits, verdict

EXAMPLES = Path(__file__).parents[3] / "examples"


def of(made: Promises, book: LoadBook, monthly: float | None = None) -> Result:
    return Result(name="x", promises=made, book=book, monthly=monthly)


TEAMMOA = Promises(p95_ms=500.0, errors=1.0, requests=10.0)
# Users, requests a second, mean, p95 and failed requests in percent, as a team measured them.
TABLE = [(20, 5.57, 43, 65, 0.0), (50, 13.95, 42, 68, 0.0), (100, 27.46, 52, 69, 0.0), (150, 40.34, 70, 76, 0.63)]


def measured(rows: list[tuple[int, float, int, int, float]], seconds: float = 600.0) -> LoadBook:
    """A book with these figures: so many within the mean, and 6 % at p95."""
    book = LoadBook()
    book.began = at = 0.0
    for users, rate, mean, p95, failed in rows:
        book.stages.append(Period(f"{users} users", users, at, at + seconds))
        total = int(rate * seconds)
        for number in range(total):
            due = at + number / rate
            lost = "was lost (timeout)" if number < total * failed / 100 else ""
            took = (p95 if number % 100 >= 94 else mean) / 1000
            book.add(Sample(endpoint="GET /", due=due, ended=due + took, late=0.0, failure=lost))
        at += seconds
    return book


def test_a_teams_own_table_gets_its_verdict() -> None:
    """Met as a whole; by stage its figures come out as they were."""
    book = measured(TABLE)
    rows = {row.what: row for row in verdict(TEAMMOA, book)}
    assert holds(list(rows.values()))
    assert rows["answered a second"].note == "with 150 users"
    stage = book.stages[3].tally
    assert stage.error_percent == pytest.approx(0.63, abs=0.01)
    assert stage.quantile_ms(95) == pytest.approx(76, rel=0.05)
    (lines,) = [rows for title, _, rows in paper.tables(of(TEAMMOA, book)) if title == "By stage"]
    assert [(line[0], line[-1]) for line in lines] == [(f"{users} users", "met") for users in (20, 50, 100, 150)]


@pytest.mark.parametrize(
    ("promises", "what"),
    [
        (replace(TEAMMOA, errors=0.1), "failed requests"),
        (replace(TEAMMOA, p95_ms=60.0), "p95"),
        (replace(TEAMMOA, requests=1000.0), "answered a second"),
        (replace(TEAMMOA, mean_ms=50.0), "mean"),
        (Promises(availability=99.99), "availability"),
        (Promises(health_ms=100.0), "p95 of the health check"),
    ],
)
def test_what_is_missed_or_not_measured_is_not_met(promises: Promises, what: str) -> None:
    """A promise of 99.99 % is not rounded up, and what nobody asked is not met."""
    rows = verdict(promises, measured(TABLE, 60.0))
    assert [row.what for row in rows if not row.met] == [what]
    assert not holds(rows)


def test_too_few_requests_do_not_show_a_rare_failure() -> None:
    """None of 1,000 failed says little of one in 10,000."""
    (row,) = verdict(Promises(availability=99.99), measured([(1, 10.0, 5, 6, 0.0)], 100.0))
    assert row.met
    assert row.note == "1,000 requests are too few to show it"


def test_the_client_says_when_it_was_too_slow_itself() -> None:
    """By its processor, and by how late it sent."""
    book = measured([(1, 10.0, 5, 6, 0.0)], 10.0)
    assert limits(book) == []
    book.processor = 9.5
    book.late = JourneyTally()
    for _ in range(100):
        book.late.add(0.05)
    assert [line.split(" ")[2] for line in limits(book)] == ["used", "sent"]


BLUEGREEN = promises(load_every(EXAMPLES / "bluegreen" / "crossfade.yaml")["prod"].cloud.targets)


def deployed(*codes: int, failed: tuple[int, int] = (0, 0), rate: float = 100.0) -> LoadBook:
    """A deploy of 30 s after the other, each with its exit code; from .. to are the seconds in which requests fail."""
    book, seconds = LoadBook(), 30 * len(codes)
    book.began = 0.0
    book.stages.append(Period("30 users", 30, 0.0, seconds))
    for number, code in enumerate(codes):
        book.commands.append(Period(f"deploy {number + 1}", 0, 30.0 * number, 30.0 * number + 29.0, code))
    for number in range(int(seconds * rate)):
        due = number / rate
        lost = "answered 500" if failed[0] <= due < failed[1] and not number % 2 else ""
        endpoint = "GET /api/version" if number % 4 else "POST /api/data"
        book.add(Sample(endpoint=endpoint, due=due, ended=due + 0.04, late=0.0, failure=lost))
    for _ in range(seconds):
        book.health.add(0.02)
    return book


def test_ten_deploys_in_a_row_keep_every_promise_of_a_team() -> None:
    """Availability, errors, mean, p95, the health path and the time of a deploy, each with both figures."""
    rows = {row.what: row for row in verdict(BLUEGREEN, deployed(*[0] * 10))}
    assert {what: row.promised for what, row in rows.items()} == {
        "availability": "at least 99.99 %",
        "failed requests": "at most 0.1 %",
        "mean": "at most 200 ms",
        "p95": "at most 500 ms",
        "p95 of the health check": "at most 100 ms",
        "a deploy takes": "at most 600 s",
    }
    assert holds(list(rows.values()))
    assert rows["a deploy takes"].measured == "29 s"


@pytest.mark.parametrize(("until", "met"), [(42, True), (350, False)])
def test_the_time_to_recover_from_a_bad_release_is_from_the_first_failure_to_the_last(until: int, met: bool) -> None:
    """Of the deploy that was taken back, held against the five minutes of the file."""
    book = deployed(0, 1, failed=(35, until)) if met else deployed(*[0] * 12, failed=(10, until))
    if not met:
        book.commands = [Period("deploy", 0, 5.0, 360.0, 1)]
    (row,) = [row for row in verdict(BLUEGREEN, book) if row.what == "recovery from a bad release"]
    assert (row.promised, row.measured, row.met) == ("at most 300 s", f"{until - (35 if met else 10)} s", met)


def test_a_release_that_stays_has_nothing_to_recover_from() -> None:
    """Nor one that was refused before anything was done."""
    for codes in ((0,), (2,), (3,)):
        assert "recovery from a bad release" not in [row.what for row in verdict(BLUEGREEN, deployed(*codes))]


def test_each_stage_and_endpoint_is_held_against_the_promises() -> None:
    """A part that breaks one is named with it, also where the whole keeps it; so in JSON."""
    slow = [*TABLE[:3], (150, 40.34, 70, 900, 0.63)]
    result = of(replace(TEAMMOA, requests=None), measured(slow, 60.0))
    heads = {title: (head[-1], [line[-1] for line in lines]) for title, head, lines in paper.tables(result)}
    assert heads["By stage"] == ("promises", ["met", "met", "met", "NOT MET: p95"])
    assert heads["By endpoint"][0] == "promises"
    assert heads["By release"][0] != "promises"
    assert [stage["missed"] for stage in paper.data(result)["stages"]] == [(), (), (), ("p95",)]
    assert "NOT MET: p95" in paper.markdown(result)
    assert "NOT MET: p95" in paper.html(result)


def test_nothing_is_met_where_nothing_is_promised() -> None:
    """No part has a word about promises that nobody made."""
    result = of(Promises(), measured(TABLE, 60.0))
    assert {line[-1] for title, _, lines in paper.tables(result) if title == "By stage" for line in lines} == {""}
    assert paper.data(result)["stages"][0]["missed"] is None


def test_the_health_path_is_judged_by_itself() -> None:
    """Slow answers of it are no endpoint's, and have their own verdict."""
    book = deployed(0)
    for _ in range(100):
        book.health.add(0.5)
    lines = {title: rows[0] for title, _, rows in paper.tables(of(BLUEGREEN, book)) if title.startswith("The health")}
    assert lines["The health path by itself"][-1] == "NOT MET: p95 of the health check"


def test_what_a_dollar_answers_is_told_where_there_is_a_bill() -> None:
    """A team's best stage, asked all month long, by what its environment costs."""
    result = of(TEAMMOA, measured(TABLE), monthly=100.0)
    assert result.per_dollar == pytest.approx(40.34 * (1 - 0.0063) * 730 * 36, rel=0.01)
    assert f"a dollar answers {result.per_dollar:,.0f} requests" in paper.markdown(result)
    assert paper.data(result)["requests_per_dollar"] == round(result.per_dollar)
    assert "a dollar" not in paper.markdown(of(TEAMMOA, measured(TABLE)))
