"""What becomes of a job whose time has come."""

from typing import Any

from crossfade.core.job import Job, Run, Timetable
from crossfade.strategies.jobs import LATE, BeginRun, Skip, next_of

DUE = 1000.0


def job(**changes: Any) -> Job:
    return Job(name="digest", schedule="0 * * * *", command="./digest", **changes)


def known(*, due: float | None = None, ended_at: float | None = None) -> Timetable:
    run = None if due is None else Run(id="job-1", job="digest", release=1, due=due, ended_at=ended_at, code=0)
    return Timetable(schedule="0 * * * *", timezone="UTC", since=DUE - 3600, run=run)


def test_nothing_is_done_before_its_time() -> None:
    """No moment has come: nothing, whatever ran before."""
    assert next_of(job(), known(), None, DUE) is None
    assert next_of(job(), known(due=1.0), None, DUE) is None


def test_it_begins_when_its_time_comes() -> None:
    """Also after a run that failed or is over."""
    assert next_of(job(), known(), DUE, DUE) == BeginRun(due=DUE)
    assert next_of(job(), known(due=1.0, ended_at=5.0), DUE, DUE + 0.5) == BeginRun(due=DUE)


def test_a_run_that_goes_on_is_not_joined_by_another() -> None:
    """It is left out, and told, or waits."""
    going = known(due=DUE - 3600)
    assert next_of(job(), going, DUE, DUE) == Skip(due=DUE, why="the run before it is still under way")
    assert next_of(job(overlap="queue"), going, DUE, DUE) is None


def test_what_was_queued_begins_when_the_run_before_is_over() -> None:
    """However late that is: it was not missed."""
    over = known(due=DUE - 3600, ended_at=DUE + 1800)
    assert next_of(job(overlap="queue", missed="skip"), over, DUE, DUE + 1800) == BeginRun(due=DUE)


def test_what_was_missed_is_made_good_once_or_left_out() -> None:
    """A minute late is not missed: a controller that is replaced is back sooner."""
    assert next_of(job(), known(), DUE, DUE + 1800) == BeginRun(due=DUE)
    assert next_of(job(missed="skip"), known(), DUE, DUE + LATE) == BeginRun(due=DUE)
    late = Skip(due=DUE, why="no controller ran at its time")
    ended_since = known(due=DUE - 60, ended_at=DUE + 1800)
    assert next_of(job(missed="skip"), ended_since, DUE, DUE + 1800) == late
    assert next_of(job(missed="skip"), known(), DUE, DUE + LATE + 1) == late
