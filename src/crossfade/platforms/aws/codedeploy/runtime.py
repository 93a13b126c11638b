"""`Runtime` and `Sizer` on hosts to which CodeDeploy brings revisions: the idle group grows, and then gets its own.

A group that grows empty gets the revision by a deployment to all its hosts. Once that went well, the launch hook of its
deployment group is attached: whatever it launches from then on waits for the same revision before it serves, be it for
scaling, in place of a host that died, or because a release comes back to a group that was empty.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.ports.journal import Fence
from crossfade.engine.ports.runtime import Artifact, HookResult
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.hosts_logs import HostsLogs
from crossfade.platforms.aws.autoscaling.runtime import GroupRuntime
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.codedeploy.deployments import Deployment, Deployments
from crossfade.platforms.aws.codedeploy.lookout import RevisionLookout
from crossfade.platforms.aws.codedeploy.revisions import Revisions
from crossfade.platforms.aws.secrets import SecretPins
from crossfade.platforms.aws.sight import Side, Sight, Task

# Whose word a group goes by. The load balancer finds hosts sick that have no revision yet, once their grace is over,
# and one that was found so is not well again; EC2 says of a host that it is gone, whatever else is asked.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
_BY_BALANCER, _BY_EC2 = "ELB", "EC2"
_CHECKS = "HealthCheck"


class RevisionRuntime(GroupRuntime):
    """The hosts of one environment. What a release is to CodeDeploy is a revision, and to a group a launch template."""

    def __init__(
        self,
        clients: Clients,
        lookout: RevisionLookout,
        finder: GroupFinder,
        templates: Templates,
        fence: Fence,
        *,
        deployments: Deployments,
        artifacts: Revisions,
        logs: HostsLogs,
        pins: SecretPins,
    ) -> None:
        super().__init__(clients, lookout, finder, templates, fence, artifacts=artifacts, logs=logs, pins=pins)
        self._revision_lookout, self._deployments = lookout, deployments
        # By service, colour and definition: the group looks after them; none of them is without a revision.
        self._checked: set[tuple[str, str, str]] = set()
        self._sifted: set[tuple[str, str, str]] = set()

    async def build(self, service: Service, env: Mapping[str, str] | None = None) -> Artifact:
        if service.hooks.migrate or service.hooks.smoke or service.hooks.drain or service.hooks.schema:
            raise WrongInputError(
                f"{service.key} has hooks, and nothing runs them beside processes that CodeDeploy brings",
                "run a migration in the pipeline before `crossfade deploy`, and take `hooks` out of this environment",
            )
        sight = await self._lookout.look(service.key)
        for colour in sight.place.colours:
            await self._deployments.require_none(colour.service)
        return await super().build(service, env)

    async def run(self, release: Release, command: str, *_: object, **__: object) -> HookResult:
        raise PlatformError(f"nothing runs `{command}` beside the hosts of {release.service.key} yet")

    async def tend(self, service: str, token: int) -> None:
        """Begin the deployment once all hosts are there; attach the hook once all of them have the revision."""
        sight = await self._lookout.seen(service)
        before = partial(self._fence.check, service, token)
        for side in sight.sides.values():
            progress = self._revision_lookout.progress(service, side.colour)
            if side.release is None or not side.wanted or progress is None:
                continue
            if progress.ready:
                await self._look_after(sight, side, before)
                continue
            if progress.brought and not progress.group.attached:
                await self._deployments.attach(progress.group.name, before)
                await self._replace_late(sight, side, progress.deployment, before)
            elif progress.bereft and progress.under_way:
                await self._deployments.stop(progress.group.name, before)
            elif (progress.deployment is None or progress.bereft) and side.in_service == side.live == side.wanted:
                await self._deployments.require_none(progress.group.name)
                if await self._deployments.stop(progress.group.name, before):  # of ours, for hosts that went since
                    continue
                since = _launched(task for task in sight.tasks if task.colour == side.colour)
                last = progress.deployment.id if progress.deployment else ""
                await self._deployments.begin(progress.group.name, side.release, before, since=since, after=last)
            else:
                continue
            self._told_anew(service, side.colour)

    async def _tell(self, sight: Sight, side: Side, version: str, count: int, token: int) -> None:
        before = partial(self._fence.check, sight.place.key, token)
        name = sight.place.colour(side.colour).service
        if (side.definition, side.wanted) != (version, count):
            if not count:
                await self._deployments.stop(name, before)
            elif side.empty:
                release = (await self._templates.of(*version.split(":"))).release
                await self._prepare(sight, side, release, before)
            self._told_anew(sight.place.key, side.colour)
        await super()._tell(sight, side, version, count, token)

    async def _prepare(self, sight: Sight, side: Side, release: Release | None, before: Check) -> None:
        """What the first hosts of a group get: the revision that is to come, by the hook or by a deployment."""
        group = await self._deployments.group(sight.place.colour(side.colour).service)
        if release is not None and group.revision == release.digest:
            if not group.attached:
                await self._deployments.attach(group.name, before)
            await self._check(sight, side, _BY_BALANCER, before)  # who waits for its revision is not in service before
            return
        if group.attached:
            await self._deployments.detach(group.name, before)
        await self._check(sight, side, _BY_EC2, before)

    async def _look_after(self, sight: Sight, side: Side, before: Check) -> None:
        """Its group replaces whoever falls ill from now on: all of them are well."""
        at = sight.place.key, side.colour, side.definition
        mine = [task for task in sight.tasks if task.colour == side.colour and not task.stopping]
        well = [task for task in mine if task.health is Health.HEALTHY and not task.exited]
        if at in self._checked:
            return
        if len(well) == len(mine) == side.wanted:
            await self._check(sight, side, _BY_BALANCER, before)
            self._checked.add(at)
        elif at not in self._sifted and side.in_service == side.live == side.wanted:
            await self._replace_unreached(sight.place.colour(side.colour).service, mine, before)
            self._sifted.add(at)

    async def _check(self, sight: Sight, side: Side, by: str, before: Check) -> None:
        """Have its group replace whom they find sick, and whose machine is gone in any case."""
        group = (await self._finder.groups(sight.place))[side.colour]
        if group["HealthCheckType"] != by:
            asked = {"AutoScalingGroupName": group["AutoScalingGroupName"], "HealthCheckType": by}
            await self._clients.call("autoscaling", "update_auto_scaling_group", before, **asked)
        if any(one["ProcessName"] == _CHECKS for one in group.get("SuspendedProcesses", ())):  # by an older crossfade
            rested = {"AutoScalingGroupName": group["AutoScalingGroupName"], "ScalingProcesses": [_CHECKS]}
            await self._clients.call("autoscaling", "resume_processes", before, **rested)

    async def _replace_late(self, sight: Sight, side: Side, brought: Deployment | None, before: Check) -> None:
        """A host that came when the deployment had begun has nothing."""
        for task in sight.tasks:
            late = task.colour == side.colour and not task.stopping
            if late and brought and task.arn not in brought.targets:
                await self._replace(task, before)

    async def _replace_unreached(self, group: str, tasks: Collection[Task], before: Check) -> None:
        """The same where who attached the hook died before that, or a host came in that moment."""
        sick = [task for task in tasks if task.health is not Health.HEALTHY and not task.exited]
        if not sick:
            return
        reached = await self._deployments.reached(group, _launched(sick))
        for task in sick:
            if task.arn not in reached:
                await self._replace(task, before)

    async def _replace(self, task: Task, before: Check) -> None:
        """Its group launches another in its place, which gets the revision by the hook."""
        asked = {"InstanceId": task.arn, "ShouldDecrementDesiredCapacity": False}
        await self._clients.call("autoscaling", "terminate_instance_in_auto_scaling_group", before, **asked)

    def _told_anew(self, key: str, colour: str) -> None:
        self._revision_lookout.forget(key, colour)
        self._lookout.changed(key)


def _launched(hosts: Iterable[Task]) -> datetime:
    """When the first of them was."""
    return datetime.fromtimestamp(min(host.launched_at for host in hosts), UTC)
