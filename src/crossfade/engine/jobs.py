"""The jobs of one service: begun when their time comes, waited for, and told of, whoever dies meanwhile."""

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from crossfade import cron
from crossfade.core.errors import CrossfadeError, StaleTokenError
from crossfade.core.job import Job, Run, Timetable
from crossfade.core.release import Release
from crossfade.core.wire import encode
from crossfade.engine.loop import Loop
from crossfade.engine.ports.runtime import HookResult, JobRunner
from crossfade.engine.world import World
from crossfade.strategies.jobs import BeginRun, Skip, next_of

log = logging.getLogger(__name__)

TICK = 0.5  # seconds within which a new release, a clock that was set, or the end of a run is noticed
TIMED_OUT = 124
# Seconds before its time that a run is made ready for: a look at a release's files takes as long as it has files, for
# 18,000 of them 5 s where forty programs want the machine's two processors.
AHEAD = 10.0


class Jobs:
    """Looks after the jobs of a service whose loop holds the lease: every line is the loop's to write."""

    def __init__(self, loop: Loop, world: World, before: Callable[[], Loop | None] = lambda: None) -> None:
        self._loop = loop
        self._world = world
        self._before = before  # the service that still has the place, and with it the jobs, that this one is to have
        self._handed_over: Loop | None = None  # from whom
        self._coming: dict[tuple[Job, float], float] = {}
        self._attended: dict[str, asyncio.Task[None]] = {}
        self._seen_running: set[str] = set()  # ids of those that were still under way when we looked
        self._ahead: dict[tuple[int, float], asyncio.Task[None]] = {}  # by release and the moment that is to come

    async def run(self) -> None:
        """Go on until cancelled. Runs go on without us, and are found again by the ledger."""
        try:
            while True:
                await self._loop.until(_has_jobs)
                await self._world.clock.sleep(await self._step())
        finally:
            under_way = [*self._attended.values(), *self._ahead.values()]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _step(self) -> float:
        """See to what is under way, and do what is due; the seconds until something may be again."""
        for run in self._loop.ledger.runs:
            if run.id not in self._attended:
                self._attend(run)
        if (before := self._before()) is not None:
            self._handed_over = before
            return TICK
        return await self._do_what_is_due()

    async def _do_what_is_due(self) -> float:
        ledger, now, pause = self._loop.ledger, self._world.wall(), TICK
        for job in ledger.scheduled:
            known = await self._timetable(job, now)
            if known.run and known.run.under_way and known.run.id not in self._seen_running:
                continue  # begun by another controller: it may have ended while nobody was there
            coming = self._next(job, known.since)
            due = None if coming > now else cron.latest(job.schedule, job.timezone, known.since, now)
            match next_of(job, known, due, now):
                case BeginRun(due=due):
                    await self._begin(job, due)
                case Skip(due=due, why=why):
                    await self._loop.record("job skipped", {"job": job.name, "due": due, "why": why})
                case None if due is None:
                    pause = min(pause, coming - now)
                    if coming - now <= AHEAD:
                        self._look_ahead(coming, now)
                case None:
                    pass  # it waits for the run before
        return max(0.0, pause)

    def _next(self, job: Job, since: float) -> float:
        """The first moment after `since`, reckoned once and not twice a second."""
        if (job, since) not in self._coming:
            self._coming = {(of, after): at for (of, after), at in self._coming.items() if of.name != job.name}
            coming = cron.next_after(job.schedule, job.timezone, since)
            self._coming[job, since] = math.inf if coming is None else coming
        return self._coming[job, since]

    def _look_ahead(self, coming: float, now: float) -> None:
        """Once for all jobs of that moment."""
        number = self._loop.ledger.current
        if number is not None and (number, coming) not in self._ahead:
            self._ahead = {key: task for key, task in self._ahead.items() if key[1] > now - AHEAD}
            ready = self._make_ready(self._loop.ledger.release(number))
            self._ahead[number, coming] = asyncio.create_task(ready, name=f"ready {number}")

    async def _make_ready(self, release: Release) -> None:
        """What is wrong is told by the run, which finds it again."""
        with suppress(CrossfadeError):
            await self._runner(release).ready(release)

    async def _timetable(self, job: Job, now: float) -> Timetable:
        known = _of(job, self._loop)
        before = _of(job, self._handed_over) if self._handed_over else None
        since = before.since if before and not before.is_astray(now) else now
        if known is None or known.is_astray(now) or (before and since > known.since):
            told = {"job": job.name, "schedule": job.schedule, "timezone": job.timezone, "since": since}
            await self._loop.record("job scheduled", told)
        return self._loop.ledger.jobs[job.name]

    async def _begin(self, job: Job, due: float) -> None:
        """On record first: whoever comes after a crash in the next line goes on with this run, and begins no other."""
        release = self._loop.ledger.current
        if release is not None:
            run = Run(id=f"job-{job.name}-{release}-{self._world.new_id()}", job=job.name, release=release, due=due)
            await self._loop.record("job started", {"run": encode(run), "command": job.command})
            self._attend(run)

    def _attend(self, run: Run) -> None:
        task = asyncio.create_task(self._see_through(run), name=run.id)
        self._attended[run.id] = task
        task.add_done_callback(lambda _: self._forget(run.id))

    def _forget(self, run: str) -> None:
        self._attended.pop(run, None)
        self._seen_running.discard(run)

    async def _see_through(self, run: Run) -> None:
        """Trouble is told and tried again by the next step, under the same id."""
        release = self._loop.ledger.release(run.release)
        try:
            result = await self._carry(run, release)
            result = replace(result, output=self._world.discreet(release, result.output))
            failed = "" if result.code == 0 else result.words
            told = {"job": run.job, "run": run.id, "code": result.code, "detail": failed, "output": result.output}
            await self._loop.record("job ended", told)
            await self._runner(release).clear(run.id, release, 0.0)
        except StaleTokenError:
            return  # somebody else sees it through
        except CrossfadeError as error:
            log.warning("%s: %s", run.id, error)
            await self._loop.record("failed", {"what": run.id, "error": str(error)})
            await self._world.clock.sleep(2 * self._world.pace.idle)

    async def _carry(self, run: Run, release: Release) -> HookResult:
        job = next((job for job in release.service.jobs if job.name == run.job), None)
        if job is None:
            return HookResult(code=None, output="its release has no such job")
        runner = self._runner(release)
        if (ahead := self._ahead.get((run.release, run.due))) is not None:
            await asyncio.wait([ahead])
        await runner.begin(run.id, release, job.command, self._world.secrets_of(release), self._loop.token)
        began = self._loop.ledger.jobs[run.job].run
        until = (began.started_at if began else self._world.clock.now()) + job.timeout
        while (result := await runner.outcome(run.id, release)) is None:
            self._seen_running.add(run.id)
            if self._loop.ledger.removed:
                await runner.clear(run.id, release, release.service.grace)
                return HookResult(code=None, output="it was ended when its service was taken down")
            if job.timeout and self._world.clock.now() >= until:
                await runner.clear(run.id, release, release.service.grace)
                return HookResult(code=TIMED_OUT, output=f"timed out after {job.timeout:g} s")
            await self._world.clock.sleep(TICK)
        return result

    def _runner(self, release: Release) -> JobRunner:
        return self._world.job_runners[release.service.runtime]


def _of(job: Job, loop: Loop) -> Timetable | None:
    """Which moments of its schedule were decided at a service; None where it had another schedule, or none."""
    known = loop.ledger.jobs.get(job.name)
    same = known and (known.schedule, known.timezone) == (job.schedule, job.timezone)
    return known if same else None


def _has_jobs(loop: Loop) -> bool:
    return bool(loop.ledger.scheduled or loop.ledger.runs)
