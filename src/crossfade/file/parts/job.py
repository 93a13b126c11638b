"""A command that runs by the clock."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from crossfade import cron
from crossfade.core.job import LATE, slack
from crossfade.file.command import Command
from crossfade.file.part import Clash, Part
from crossfade.file.parts.schedule import SCHEDULE, wrong_times
from crossfade.file.parts.service import NAME
from crossfade.file.units import Duration, write_duration


class Job(Part):
    """A command that ends, run in the current release of a service when its time comes."""

    service: Annotated[str, NAME] | None = Field(
        default=None,
        description=(
            "The service whose release it runs in, with its code, environment and secrets. Default: the only one."
        ),
        examples=["web"],
    )
    command: Annotated[str, Command()] | None = Field(
        default=None,
        description="What is run; it must be there. With code 0 it did what it should.",
        examples=["python manage.py clearsessions"],
    )
    schedule: Annotated[str, SCHEDULE] = Field(
        description="When, in five words of cron: minute, hour, day of the month, month, day of the week.",
        examples=["0 3 * * *"],
    )
    timezone: str = Field(default="UTC", description="In which the schedule is meant.", examples=["Asia/Seoul"])
    overlap: Literal["skip", "queue"] = Field(
        default="skip",
        description=(
            "When the run before is still under way: `skip` leaves this one out, `queue` lets it begin right after."
        ),
        examples=["queue"],
    )
    missed: Literal["run", "skip"] = Field(
        default="run",
        description=(
            "When nobody was there at its time: `run` makes it good once, however many were missed; `skip` leaves it "
            "out. A minute late is not missed."
        ),
        examples=["skip"],
    )
    timeout: Annotated[float, Duration(most=7 * 86400)] = Field(
        default=0.0,
        description="The longest a run may take: then it gets SIGTERM and counts as failed. 0 is no limit.",
        examples=["1h"],
    )

    def impossible(self) -> Iterator[Clash]:
        if self.command is None:
            yield Clash((), "a job without a command", "command, such as python manage.py clearsessions")
        yield from wrong_times(self.schedule, self.timezone)


def misfits_on_aws(name: str, job: Job, grace: float, compute: str) -> Iterator[Clash]:
    """What cannot be where AWS begins jobs by itself, and nobody is there to look at the run before."""
    if compute != "fargate":
        yield Clash(("jobs", name), "a job on hosts of AWS", "compute: {kind: fargate}")
        return
    if not cron.on_aws(job.schedule):
        found = f'"{job.schedule}", for which AWS has no words'
        yield Clash(("jobs", name, "schedule"), found, "days of the month or days of the week, in a job each")
    pause = cron.shortest_pause(job.schedule, job.timezone)
    most, often = slack(0, grace, pause) - LATE, write_duration(pause)
    if most < 1:
        yield Clash(
            ("jobs", name, "schedule"), f"a run every {often} on AWS, where one takes so long to begin", "less often"
        )
    elif not 0 < job.timeout <= most:
        found = f"a timeout of {write_duration(job.timeout)}" if job.timeout else "a job without a timeout"
        found = f"{found} on AWS, which begins the next run {often} later, whatever became of this one"
        yield Clash(("jobs", name, "timeout"), found, f"timeout: {write_duration(most)}, or less")
