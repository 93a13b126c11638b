"""Builds under way: who builds what, and how to stop one."""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from crossfade.core.errors import RefusedError
from crossfade.engine.ports.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBuild:
    """A service of which somebody builds a release."""

    service: str
    by: str
    since: float


class _Job:
    def __init__(self, task: "asyncio.Task[Any]", over: asyncio.Event) -> None:
        self.task = task
        self.over = over
        self.stopped = ""  # why, once somebody stopped it


class Builds:
    """The builds under way, at most one a service. One may be stopped while nothing is on record yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[str, tuple[RunningBuild, _Job]] = {}

    def under_way(self) -> Sequence[RunningBuild]:
        return [build for _, (build, _) in sorted(self._under_way.items())]

    def of(self, service: str) -> RunningBuild | None:
        found = self._under_way.get(service)
        return found[0] if found else None

    async def run(self, services: Collection[str], by: str, work: Coroutine[Any, Any, T], over: asyncio.Event) -> T:
        """Do the work as the build of these services. RefusedError says who stopped it and why.

        `over` is set once what it was built for has ended, too.
        """
        task: asyncio.Task[T] = asyncio.create_task(work, name=f"build of {', '.join(services)}")
        job = _Job(task, over)
        now = self._clock.now()
        self._under_way |= {key: (RunningBuild(service=key, by=by, since=now), job) for key in services}
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()  # for who waited here was told to end
            for key in services:
                del self._under_way[key]
        if job.stopped and task.cancelled():
            raise RefusedError(f"the build of {', '.join(services)} was stopped: {job.stopped}", "nothing was changed")
        return task.result()

    async def stop(self, services: Collection[str], why: str) -> list[str]:
        """Stop the builds of these services and return when nothing is left of what they were for: which these were."""
        jobs = {self._under_way[key][1] for key in services if key in self._under_way}
        stopped = [key for key, (_, job) in sorted(self._under_way.items()) if job in jobs]
        for job in jobs:
            job.stopped = why
            job.task.cancel()
        for job in jobs:
            await job.over.wait()
        return stopped
