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
    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.task = task
        self.stopped = ""  # why, once somebody stopped it


class Builds:
    """At most one build a service. It may be stopped while nothing is on record yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._under_way: dict[str, tuple[RunningBuild, _Job]] = {}

    def under_way(self) -> Sequence[RunningBuild]:
        return [build for _, (build, _) in sorted(self._under_way.items())]

    def of(self, service: str) -> RunningBuild | None:
        found = self._under_way.get(service)
        return found[0] if found else None

    async def run(self, services: Collection[str], by: str, work: Coroutine[Any, Any, T]) -> T:
        """Do the work as the build of these services. RefusedError says who stopped it and why."""
        task: asyncio.Task[T] = asyncio.create_task(work, name=f"build of {', '.join(services)}")
        job = _Job(task)
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
        """Stop the builds of these services and return when they have ended: which these were."""
        jobs = {self._under_way[key][1] for key in services if key in self._under_way}
        stopped = [key for key, (_, job) in sorted(self._under_way.items()) if job in jobs]
        for job in jobs:
            job.stopped = why
            job.task.cancel()
        if jobs:
            await asyncio.wait([job.task for job in jobs])
            await asyncio.sleep(0)  # let who ran it take it off the list
        return stopped
