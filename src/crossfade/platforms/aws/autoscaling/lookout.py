"""One look at a service on hosts: its two groups by colour, their instances, and why those that go do so."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from crossfade.core.fleet import Health
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.alb.health import TargetHealth
from crossfade.platforms.aws.autoscaling.boot import booted_from, template_of
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.templates import Templates, TemplateVersion
from crossfade.platforms.aws.clients import Answer, Clients
from crossfade.platforms.aws.following import MS
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.sight import (
    NOBODYS,
    SAME_MOMENT,
    Lookout,
    Side,
    Sight,
    Task,
    Unplaced,
    previewed_colour,
    weights_by_colour,
)
from crossfade.telling.traces import telling

_ACTIVITIES = 20  # the newest of a group: more than come about between two looks
IN_SERVICE = "InService"
_COMING = "Pending"  # EC2 has it boot, or a hook has it wait: what is of the release counts from later on
_GOING = ("Terminating", "Terminated", "Detaching", "Detached")
_BY_BALANCER = "ELB"  # in the cause of an activity: the load balancer found it unhealthy
# How far back a host's last line is looked for, in seconds: what writes much has written just now, and what has not
# wrote little. Of a whole day's log each look would read all pages.
WINDOWS = (60.0, 900.0, 86_400.0)
_IN_A_FILTER = 200  # values: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
_ASKED_AGAIN = 15.0  # seconds after which what an instance wrote last may be something else


class GroupLookout(Lookout):
    """Looks at the groups of one environment. What an instance is called is its id."""

    def __init__(  # noqa: PLR0917  as its base, and what hosts take
        self,
        clients: Clients,
        finder: GroupFinder,
        templates: Templates,
        clock: Clock,
        log_group: str,
        moment: float = SAME_MOMENT,
    ) -> None:
        super().__init__(clients, finder, clock, moment)
        self._groups, self._templates, self.log_group = finder, templates, log_group
        self._launched: dict[str, float] = {}  # by instance
        self._begun: dict[tuple[str, str, str], float] = {}  # by service, colour and version: its first host's launch
        self._last_lines: dict[str, tuple[float, str]] = {}  # by instance: when it was asked for, and what it was

    async def _look(self, key: str) -> Sight:
        at = self._clock.now()
        place = await self._finder.place(key)
        groups, actions = await asyncio.gather(self._groups.groups(place), self._actions(place))
        weights = weights_by_colour(place, actions)
        health = await self._health(place, {n for n, one in groups.items() if one["Instances"] or weights[n]})
        await self._date([one["InstanceId"] for group in groups.values() for one in group["Instances"]])
        sides, tasks = {}, []
        for name, group in groups.items():
            activities = await self._activities(group) if _asks_why(group) else []
            versions = {one["InstanceId"]: await self._booted(one) for one in group["Instances"]}
            version = await self._version(template_of(group))
            since = self._since(key, name, version, versions, at)
            sides[name] = _side(name, group, version, weights[name], since, activities)
            for one in group["Instances"]:
                release = versions[one["InstanceId"]]
                tasks.append(await self._task(key, place, name, one, release, health, activities))
        return Sight(
            place=place,
            at=at,
            born=min(_seconds(one["CreatedTime"]) for one in groups.values()),
            sides=sides,
            tasks=tuple(sorted(tasks, key=lambda task: task.arn)),
            previewed=previewed_colour(place, actions),
            actions=actions,
        )

    async def _version(self, template: Answer) -> TemplateVersion:
        return await self._templates.of(template["LaunchTemplateId"], template["Version"])

    async def _booted(self, host: Answer) -> TemplateVersion | None:
        """None for one that somebody attached by hand."""
        template = booted_from(host)
        return await self._version(template) if template else None

    def _since(
        self,
        key: str,
        colour: str,
        version: TemplateVersion,
        versions: Mapping[str, TemplateVersion | None],
        at: float,
    ) -> float:
        """Since when what the group's hosts answered is its version's: before that they were another release's."""
        ours = [host for host, one in versions.items() if one is not None and one.name == version.name]
        launched = [self._launched[host] for host in ours if host in self._launched]
        of = (key, colour, version.name)
        if launched:  # the first one may be replaced while the release goes on
            self._begun[of] = min(self._begun.get(of, at), *launched)
        return self._begun.get(of, at)

    async def _task(  # noqa: PLR0917
        self,
        key: str,
        place: Place,
        colour: str,
        said: Answer,
        version: TemplateVersion | None,
        health: Mapping[tuple[str, str], TargetHealth],
        activities: list[Answer],
    ) -> Task:
        id_, address = said["InstanceId"], f"{said['InstanceId']}:{place.port}"
        told = health.get((colour, address), TargetHealth(health=Health.STARTING))
        going = said["LifecycleState"].startswith(_GOING)
        sick = said["HealthStatus"].upper() == "UNHEALTHY"
        died = going and sick
        cause = next((one["Cause"] for one in activities if id_ in one.get("Description", "")), "")
        state = self._seen(key, id_, told)
        # Nobody found it sick: its machine was ended, of which its group hears later than the load balancer.
        lost = told.health in {None, Health.STARTING} and id_ in self._healthy.get(key, ())
        detail = "the load balancer no longer has it" if lost else told.detail
        if died:
            detail = f"was replaced: {await self._why(id_, cause)}"
        elif told.detail:
            detail = await self._with_line(told.detail, id_)
        return Task(
            arn=id_,
            colour=colour,
            release=version.release.number if version and version.release else NOBODYS,
            address=address,
            launched_at=self._launched.get(id_, self._clock.now()),  # EC2 tells of a new one a little later
            health=state,
            stopping=going,  # one that failed may answer its last requests yet
            exited=died,
            draining=told.draining,
            detail="" if going and not sick else detail,
            blamed=self._is_its_own(id_, cause) if died else not (lost or said["LifecycleState"].startswith(_COMING)),
        )

    def _is_its_own(self, instance: str, cause: str) -> bool:
        """The app was sick, not its machine; where AWS does not say why, or not yet, as the load balancer heard it."""
        return _BY_BALANCER in cause if cause else instance in self._said

    async def _why(self, instance: str, cause: str) -> str:
        if cause and _BY_BALANCER not in cause:
            return "its host failed, which AWS noticed"
        said = self._said.get(instance, "it was never healthy")
        return await self._with_line(f"the load balancer's checks failed: {said}", instance)

    async def _with_line(self, said: str, instance: str) -> str:
        """With the line in which the app says why, where it wrote anything: a host runs on when its app does not."""
        line = await self._last_line(instance)
        return f"{said}: {line}" if line else said

    async def _last_line(self, instance: str) -> str:
        """The error of its last stack trace within a day, else what it wrote last: of an app that is started again and
        again, that it starts. Empty where it wrote nothing, or nowhere.
        """
        now = self._clock.now()
        known = {i: (at, line) for i, (at, line) in self._last_lines.items() if now - at < _ASKED_AGAIN}
        if instance not in known:
            known[instance] = now, await self._newest(instance, now)
        self._last_lines = known
        return known[instance][1]

    async def _newest(self, instance: str, now: float) -> str:
        if not self.log_group:
            return ""
        for window in WINDOWS:
            try:
                events = await self._clients.all(
                    "logs",
                    "filter_log_events",
                    "events",
                    logGroupName=self.log_group,
                    logStreamNamePrefix=instance,
                    startTime=round((now - window) * MS),
                )
            except AwsError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                return ""  # no log says why, and the verdict needs this look all the same
            if line := telling([one["message"] for one in events]):
                return line
        return ""

    async def _activities(self, group: Answer) -> list[Answer]:
        asked = {"AutoScalingGroupName": group["AutoScalingGroupName"], "MaxRecords": _ACTIVITIES}
        found: list[Answer] = (await self._clients.call("autoscaling", "describe_scaling_activities", **asked))[
            "Activities"
        ]
        return found

    async def _date(self, instances: list[str]) -> None:
        """When each was launched, which does not change: asked once.

        By a filter: asked for by its id, one that was launched a moment ago may be an error to EC2.
        https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
        """
        new = sorted(set(instances) - self._launched.keys())
        for start in range(0, len(new), _IN_A_FILTER):
            filters = [{"Name": "instance-id", "Values": new[start : start + _IN_A_FILTER]}]
            for held in await self._clients.all("ec2", "describe_instances", "Reservations", Filters=filters):
                for one in held["Instances"]:
                    self._launched[one["InstanceId"]] = _seconds(one["LaunchTime"])
        self._launched = {id_: at for id_, at in self._launched.items() if id_ in instances}


def _side(  # noqa: PLR0917
    name: str, group: Answer, version: TemplateVersion, weight: int, since: float, activities: list[Answer]
) -> Side:
    return Side(
        colour=name,
        definition=version.name,
        release=version.release,
        wanted=group["DesiredCapacity"],
        live=len(group["Instances"]),
        in_service=sum(one["LifecycleState"] == IN_SERVICE for one in group["Instances"]),
        weight=weight,
        failed=False,
        since=since,
        unplaced=tuple(
            Unplaced(
                id=one["ActivityId"],
                at=_seconds(one["StartTime"]),
                why=f"Auto Scaling could not launch an instance: {one.get('StatusMessage', '').rstrip('.')}",
            )
            for one in activities
            if one["StatusCode"] == "Failed" and "Launching" in one.get("Description", "")
        ),
    )


def _asks_why(group: Answer) -> bool:
    """Something is missing or on its way out, for which there may be a reason."""
    going = any(one["LifecycleState"].startswith(_GOING) for one in group["Instances"])
    return going or len(group["Instances"]) < group["DesiredCapacity"]


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
