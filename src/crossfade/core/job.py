"""By the clock: a job, a command that ends, run on a service's current release; its runs; and bounds of scaling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

LATE = 60.0  # seconds after its moment from which on a run was missed
TRUSTED = 86_400.0  # seconds by which a clock is set back; one that was further ahead was wrong
BOOT = 60.0  # seconds that a container in a cloud may take from being asked for to its first instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is run and when. `schedule` is five words of cron, meant in `timezone`; `timeout` seconds, 0: no limit."""

    name: str
    schedule: str
    command: str
    timezone: str = "UTC"
    overlap: Literal["skip", "queue"] = "skip"  # when the run before is still under way
    missed: Literal["run", "skip"] = "run"  # when nobody was there at its time
    timeout: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a job. `due` is the moment of the schedule it is for, by the clock on the wall."""

    id: str
    job: str
    release: int
    due: float
    started_at: float = 0.0
    ended_at: float | None = None
    code: int | None = None  # None while it runs, and where nobody saw how it ended
    detail: str = ""  # how it failed

    @property
    def under_way(self) -> bool:
        return self.ended_at is None

    @property
    def failed(self) -> bool:
        return not self.under_way and self.code != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """How far a job has come: moments of its schedule up to `since` are decided, and `run` is its newest run."""

    schedule: str
    timezone: str
    since: float
    run: Run | None = None
    skipped: str = ""  # why there was no run at `since`

    def is_astray(self, now: float) -> bool:
        """It was written by a clock that was wrong, as after a boot without a battery: nothing would run until then."""
        return self.since > now + TRUSTED


def slack(timeout: float, grace: float, pause: float) -> float:
    """By how many seconds a run may be late and be over before the next, which nobody holds back, `pause` after it."""
    return pause - BOOT - timeout - grace


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """From when on there are other bounds: five words of cron, or once `at` seconds since the epoch."""

    name: str
    least: int
    most: int
    schedule: str = ""
    timezone: str = "UTC"
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`least` and `most` hold until one of `moments` has come."""

    least: int
    most: int
    moments: tuple[Moment, ...] = ()

    def bounds(self, came: Callable[[Moment], float | None]) -> tuple[int, int]:
        """Those that hold; `came` says when a moment came last, None when it never did."""
        known = [(at, one) for one in self.moments if (at := came(one)) is not None]
        if not known:
            return self.least, self.most
        _, last = max(known, key=lambda one: one[0])
        return last.least, last.most
