"""What CodeDeploy does with a deployment: it takes each instance through its lifecycle events, by the agent there."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Any

from tests.rig.autoscaling.group import Group as ScalingGroup
from tests.rig.autoscaling.group import Member
from tests.rig.autoscaling.scheduler import Scheduler
from tests.rig.codedeploy.deployment import Deployment, Event, Group, Status, Target, now
from tests.rig.ec2.instances import Instances
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.wire import Json

_log = logging.getLogger(__name__)
_EVERY = 0.05  # seconds of this machine between two looks
_RUNS = ["pending", "running"]  # asked for, as the emulator keeps and would write down all that ever were
_SILENT = 3600  # AWS's seconds: "if the agent does not report within an hour, the event has failed"
CONSTRAINTS = (
    "The overall deployment failed because too many individual instances failed deployment, too few healthy instances "
    "are available for deployment, or some instances in your deployment group are experiencing problems."
)


class Carrier:
    """Deployments by their ids, and what runs of them."""

    def __init__(self, emulator: Emulator, knobs: Knobs, scaling: Scheduler, instances: Instances) -> None:
        self._emulator, self._knobs, self._scaling, self._instances = emulator, knobs, scaling, instances
        self._work: set[asyncio.Task[None]] = set()
        self.deployments: dict[str, Deployment] = {}
        scaling.waits = self._launched
        self.groups: dict[tuple[str, str, str], Group] = {}  # by region, application and name

    async def close(self) -> None:
        for work in list(self._work):
            work.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def instances_of(self, region: str, group: Group) -> list[str]:
        """By its tags and by its Auto Scaling groups, those that run.

        https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups.html
        """

        def read(client: Any) -> list[Json]:
            found = client.describe_instances(Filters=[{"Name": "instance-state-name", "Values": _RUNS}])
            return [one for held in found["Reservations"] for one in held["Instances"]]

        running = await self._emulator.use("ec2", region, read)
        members = {
            member.id
            for name in group.scaling
            if (found := self._scaling.groups.get((region, name)))
            for member in found.living
        }
        return sorted(one["InstanceId"] for one in running if one["InstanceId"] in members or _fits(group, one))

    def begin(self, region: str, deployment: Deployment, instances: Iterable[str]) -> None:
        """Go through it; `done` of the task is its end."""
        self.deployments[deployment.id] = deployment
        if deployment.creator == "user":
            deployment.group.attempted = deployment
        events = deployment.group.events
        deployment.targets = [Target(one, [Event(name) for name in events]) for one in instances]
        self._later(self._carry(region, deployment))

    async def _carry(self, region: str, deployment: Deployment) -> None:
        deployment.status, deployment.began = Status.IN_PROGRESS, now()
        if not deployment.targets:
            # https://docs.aws.amazon.com/codedeploy/latest/userguide/error-codes.html
            deployment.end(Status.FAILED, "NO_INSTANCES", "The deployment failed because no instances were found.")
            return
        for batch in deployment.batches():
            await asyncio.gather(*(self._take(region, deployment, target) for target in batch))
        for target in deployment.targets:
            if target.status is Status.PENDING:
                target.give_up()
                target.go(Status.SKIPPED)
        went = sum(one.status is Status.SUCCEEDED for one in deployment.targets)
        failed = sum(one.status is Status.FAILED for one in deployment.targets)
        if deployment.stopping:
            deployment.end(Status.STOPPED, "MANUAL_STOP", "The deployment was stopped by somebody.")
        elif went and len(deployment.targets) - failed >= deployment.floor and went + failed == len(deployment.targets):
            deployment.end(Status.SUCCEEDED)
            if deployment.creator == "user":
                deployment.group.revision, deployment.group.succeeded = deployment.revision, deployment
        else:
            deployment.end(Status.FAILED, "HEALTH_CONSTRAINTS", CONSTRAINTS)

    async def _take(self, region: str, deployment: Deployment, target: Target) -> None:
        """One instance, event by event, until one fails."""
        for event in target.events:
            if deployment.stopping:
                break
            told = await self._event(region, deployment, target, event)
            event.ended = now()
            event.status = Status.SUCCEEDED if told["errorCode"] == "Success" else Status.FAILED
            event.diagnostics = told
            target.go(Status.IN_PROGRESS)
            if event.status is Status.FAILED:
                break
        stopped = deployment.stopping and not all(one.status is Status.SUCCEEDED for one in target.events)
        target.give_up()
        failed = any(one.status is Status.FAILED for one in target.events)
        target.go(Status.FAILED if failed else Status.SKIPPED if stopped else Status.SUCCEEDED)

    async def _event(self, region: str, deployment: Deployment, target: Target, event: Event) -> Json:
        if event.name in ("BlockTraffic", "AllowTraffic"):
            _begin(target, event)
            self._traffic(region, deployment.group, target.instance, comes=event.name == "AllowTraffic")
            return {"errorCode": "Success", "message": "Succeeded", "scriptName": "", "logTail": ""}
        agent = asyncio.create_task(self._by_agent(deployment, target, event))
        waited = 0.0
        while not agent.done():
            # A stop does not wait for a script: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
            if deployment.stopping or waited > self._knobs.real(_SILENT):
                agent.cancel()
                break
            await asyncio.sleep(_EVERY)
            waited += _EVERY
        with contextlib.suppress(asyncio.CancelledError):
            return await agent
        said = "The deployment was stopped." if deployment.stopping else "The agent did not report within an hour."
        return {"errorCode": "UnknownError", "message": said, "scriptName": "", "logTail": ""}

    async def _by_agent(self, deployment: Deployment, target: Target, event: Event) -> Json:
        """Its agent asks for work, and says how it went; one whose machine is gone, or has no agent, does neither.

        Until it has asked, the event is pending.
        https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-auto-scaling.html
        """
        machine = None
        while machine is None or not machine.agent or not machine.running:
            await asyncio.sleep(_EVERY)
            machine = self._instances.machines.get(target.instance)
        _begin(target, event)
        location = deployment.revision["s3Location"]
        told = await machine.agents(
            event=event.name,
            deployment=deployment.id,
            application=deployment.group.application,
            group=deployment.group.name,
            group_id=deployment.group.id,
            bucket=location["bucket"],
            key=location["key"],
            pace=self._knobs.pace,
        )
        if told is not None:
            return told
        # Until its hour is over, or somebody stops the deployment.
        never: Json = await asyncio.get_running_loop().create_future()
        return never

    def _traffic(self, region: str, group: Group, instance: str, *, comes: bool) -> None:
        for scaling in (self._scaling.groups.get((region, name)) for name in group.scaling):
            for member in scaling.living if scaling else ():
                if scaling and member.id == instance and comes:
                    self._scaling.register(scaling, member, scaling.targets)
                elif scaling and member.id == instance:
                    self._scaling.deregister(member, scaling.targets)

    def _launched(self, scaling: ScalingGroup, member: Member) -> bool:
        """An instance comes up: True where a deployment group has it wait until its revision is there.

        https://docs.aws.amazon.com/codedeploy/latest/userguide/integrations-aws-auto-scaling.html
        """
        found = [one for one in self.groups.values() if scaling.name in one.hooks and one.revision]
        if not found:
            return False
        self._later(self._bring(scaling, member, found[0]))
        return True

    async def _bring(self, scaling: ScalingGroup, member: Member, group: Group) -> None:
        assert group.revision is not None
        made = Deployment(group, group.revision, "CodeDeployDefault.OneAtATime", creator="autoscaling")
        self.begin(scaling.region, made, [member.id])
        while not made.over:  # noqa: ASYNC110  what is waited for happens elsewhere
            await asyncio.sleep(_EVERY)
        self._scaling.complete(scaling, member, goes_on=made.status is Status.SUCCEEDED)

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception():
            _log.error("CodeDeploy of the rig failed", exc_info=task.exception())


def _begin(target: Target, event: Event) -> None:
    """Its agent has taken it, or CodeDeploy does it itself."""
    event.status, event.began = Status.IN_PROGRESS, now()
    target.go(Status.IN_PROGRESS)


def _fits(group: Group, instance: Json) -> bool:
    """One filter is enough; of a set, each list needs one.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_EC2TagSet.html
    """
    tags = {one["Key"]: one["Value"] for one in instance.get("Tags") or []}

    def fits(one: Json) -> bool:
        kind, key, value = one.get("Type"), one.get("Key"), one.get("Value")
        if kind == "KEY_ONLY":
            return key in tags
        if kind == "VALUE_ONLY":
            return value in tags.values()
        return bool(tags.get(key or "") == value)

    filters = group.said.get("ec2TagFilters") or []
    lists = (group.said.get("ec2TagSet") or {}).get("ec2TagSetList") or []
    return any(map(fits, filters)) or (bool(lists) and all(any(map(fits, each)) for each in lists))
