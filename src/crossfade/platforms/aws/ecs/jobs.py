"""Jobs by the clock: schedules of EventBridge that begin a task of the release that serves, whoever is there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from crossfade import cron
from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError
from crossfade.core.job import BOOT, LATE, Job, Run, slack
from crossfade.core.release import Release
from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Fence
from crossfade.platforms.aws.clients import Answer, Check, Clients
from crossfade.platforms.aws.ecs.definitions import Definitions
from crossfade.platforms.aws.ecs.endings import ending
from crossfade.platforms.aws.ecs.past_runs import PastRuns
from crossfade.platforms.aws.ecs.tasks import Tasks
from crossfade.platforms.aws.place import Finder, Place
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import Lookout

GROUP = "job:"  # what the tasks of a job are a group of, with its name
TIMED_OUT = 124  # as timeout(1) says it
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
_LONGEST_RETRY, _TRIES = 86_400, 185
_YEAR = 366 * 86_400.0
_NOT_THERE = {"ResourceNotFoundException"}
_NOT_OURS = {*_NOT_THERE, "AccessDeniedException"}


class JobSchedules:
    """The schedules of one environment, in a group that Terraform makes where its file has jobs."""

    def __init__(  # noqa: PLR0917  each is of another kind
        self,
        clients: Clients,
        places: Places,
        finder: Finder,
        lookout: Lookout,
        definitions: Definitions,
        fence: Fence,
        clock: Clock,
    ) -> None:
        self._clients, self._places, self._finder, self._lookout = clients, places, finder, lookout
        self._definitions, self._fence, self._clock = definitions, fence, clock
        self._tasks, self._past = Tasks(clients, definitions), PastRuns(clients, places)

    async def keep(self, release: Release, token: int) -> None:
        """Each is put whole, so that whoever says it again changes nothing."""
        service = release.service
        before = partial(self._fence.check, service.key, token)
        await before()
        if service.jobs:
            sight = await self._lookout.look(service.key)
            cluster = (await self._finder.services(sight.place))[sight.place.colours[0].name]["clusterArn"]
            side = sight.side_of(release.number)
            registered = [side.definition] if side else await self._definitions.registered(release)
            if not registered:
                raise PlatformError(f"nothing of release {release.label} is left to run its jobs in", "deploy it again")
            for job in service.jobs:
                asked = self._schedule(release, job, sight.place, cluster, registered[0])
                try:
                    await self._clients.call("scheduler", "update_schedule", before, **asked)
                except AwsError as error:
                    if error.code not in _NOT_THERE:
                        raise
                    await self._create(asked, before)
        kept = {self._places.schedule(service.name, job.name) for job in service.jobs}
        for name in await self._there(service.key, needed=bool(kept)):
            if name not in kept:
                await self._delete(name, token, service.key)

    async def end(self, service: str, token: int) -> None:
        """First what would begin them; then what runs."""
        for name in await self._there(service, needed=False):
            await self._delete(name, token, service)
        place = await self._lookout.place(service)
        for task in await self._running(place):
            asked = {"cluster": place.cluster, "task": task["taskArn"], "reason": "its service was taken down"}
            await self._clients.call("ecs", "stop_task", partial(self._fence.check, service, token), **asked)

    async def runs(self, release: Release) -> Sequence[Run]:
        """Those under way ECS lists; how others ended is in the log that EventBridge keeps."""
        place = await self._lookout.place(release.service.key)
        found: dict[str, Run] = {}
        for task in [*await self._ended(release), *await self._running(place)]:  # what runs is newer
            job = task["group"].removeprefix(GROUP)
            found[job] = await self._run(job, release, task, place)
        return [run for job, run in sorted(found.items())]

    def _schedule(self, release: Release, job: Job, place: Place, cluster: str, definition: str) -> dict[str, Any]:
        service = release.service
        # No image has to have more than a shell and timeout(1), which busybox and coreutils bring.
        argv = ["timeout", "-k", f"{max(1, round(service.grace))}", f"{round(job.timeout)}", "/bin/sh", "-c"]
        over = {"containerOverrides": [{"name": place.container, "command": [*argv, job.command]}]}
        pause = cron.shortest_pause(job.schedule, job.timezone)
        late = LATE if job.missed == "skip" else slack(job.timeout, service.grace, pause)
        account = cluster.split(":")
        target = {
            "Arn": cluster,
            "RoleArn": f"{account[0]}:{account[1]}:iam::{account[4]}:role/{self._places.jobs_role}",
            "EcsParameters": {
                "TaskDefinitionArn": definition,
                "TaskCount": 1,
                "Group": f"{GROUP}{job.name}",
                "PropagateTags": "TASK_DEFINITION",
                **dict(_placed(place.launch)),
            },
            "Input": json.dumps(over),
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": max(round(LATE), min(_LONGEST_RETRY, int(late))),
                "MaximumRetryAttempts": _TRIES,
            },
        }
        return {
            "GroupName": self._places.schedules,
            "Name": self._places.schedule(service.name, job.name),
            "ScheduleExpression": cron.on_aws(job.schedule),
            "ScheduleExpressionTimezone": job.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": target,
        }

    async def _there(self, key: str, *, needed: bool) -> list[str]:
        """Schedules of a service. Where its release has no job, group and rights may be gone with Terraform's own."""
        asked = {"GroupName": self._places.schedules, "NamePrefix": self._places.schedule(key.split("/")[1])}
        try:
            found = await self._clients.all("scheduler", "list_schedules", "Schedules", **asked)
        except AwsError as error:
            if needed or error.code not in _NOT_OURS:
                raise
            return []
        return [one["Name"] for one in found]

    async def _create(self, asked: dict[str, Any], before: Check) -> None:
        """One that is there by now was made by us, and the answer got lost."""
        try:
            await self._clients.call("scheduler", "create_schedule", before, **asked)
        except AwsError as error:
            if error.code != "ConflictException":
                raise

    async def _delete(self, name: str, token: int, key: str) -> None:
        asked = {"GroupName": self._places.schedules, "Name": name}
        try:
            await self._clients.call("scheduler", "delete_schedule", partial(self._fence.check, key, token), **asked)
        except AwsError as error:
            if error.code not in _NOT_THERE:
                raise

    async def _running(self, place: Place) -> list[Answer]:
        """Tasks of the service's jobs that are under way."""
        found = await self._tasks.described(place, await self._tasks.listed(place, "RUNNING"))
        return [one for one in found if one.get("group", "").startswith(GROUP)]

    async def _ended(self, release: Release) -> list[Answer]:
        """The newest of each job, of those that began since its last moment but one."""
        now = self._clock.now()
        since = min((_before_last(job, now) for job in release.service.jobs), default=now)
        ended = await self._past.newest(since, now)
        mine = {f"{GROUP}{job.name}" for job in release.service.jobs}
        return [task for group, task in ended.items() if group in mine]

    async def _run(self, name: str, release: Release, task: Answer, place: Place) -> Run:
        definition = await self._definitions.of(task["taskDefinitionArn"], place.container)
        began, ended = _seconds(task["createdAt"]), task.get("stoppedAt")
        run = Run(
            id=task["taskArn"].rpartition("/")[2],
            job=name,
            release=definition.number,
            due=began,
            started_at=began,
        )
        if not ended:
            return run
        ours: Answer = next((one for one in task["containers"] if one["name"] == place.container), {})
        code, detail = ours.get("exitCode"), ""
        job = next((one for one in release.service.jobs if one.name == name), None)
        if code == TIMED_OUT and job:
            detail = f"timed out after {job.timeout:g} s"
        elif code != 0:
            line = await self._definitions.last_line(definition, place.container, run.id)
            detail = ending(task, place.container, line).detail
        return Run(
            id=run.id,
            job=name,
            release=run.release,
            due=began,
            started_at=began,
            ended_at=_seconds(ended),
            code=code,
            detail=detail,
        )


def _placed(launch: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where a task goes, as RunTask is told, in EventBridge's spelling."""
    network = launch["networkConfiguration"]["awsvpcConfiguration"]
    spelt = {f"{name[0].upper()}{name[1:]}": value for name, value in network.items()}
    yield "NetworkConfiguration", {"awsvpcConfiguration": spelt}
    if "capacityProviderStrategy" in launch:
        yield "CapacityProviderStrategy", launch["capacityProviderStrategy"]
    else:
        yield "LaunchType", launch["launchType"]


def _before_last(job: Job, now: float) -> float:
    """When the run before the newest was due: the newest may be under way still."""
    last = cron.latest(job.schedule, job.timezone, now - _YEAR, now)
    before = cron.latest(job.schedule, job.timezone, now - _YEAR, last - 1) if last else None
    return (before or last or now) - BOOT


def _seconds(said: Any) -> float:
    """When, as DescribeTasks or an event says it."""
    return (datetime.fromisoformat(said) if isinstance(said, str) else said).timestamp()
