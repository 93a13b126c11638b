"""The turn of a job whose time has come: it is begun, waits for the run before, or is passed over."""

from dataclasses import dataclass

from crossfade.core.job import LATE, Job, Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRun:
    """Run the job now, for the moment `due`; moments before it that nobody decided are made good by this one run."""

    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """No run of the job for the moment `due`, and `why`."""

    due: float
    why: str


def next_of(job: Job, known: Timetable, due: float | None, now: float) -> BeginRun | Skip | None:
    """`due` is the newest moment of the schedule after `known.since` that has come, None when none has.

    At most one run for all moments that came since: after a night without a controller an hourly job runs once.
    """
    if due is None:
        return None
    run = known.run
    if run and run.under_way:
        if job.overlap == "queue":
            return None
        return Skip(due=due, why="the run before it is still under way")
    queued = job.overlap == "queue" and run is not None and run.ended_at is not None and run.ended_at >= due
    if job.missed == "skip" and now - due > LATE and not queued:
        return Skip(due=due, why="no controller ran at its time")
    return BeginRun(due=due)
