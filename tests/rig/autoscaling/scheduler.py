"""What Auto Scaling does with a group when nobody asks: launches, replaces and ends instances until it is right.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.rig.autoscaling.group import Group, Life, Member
from tests.rig.autoscaling.refresh import Refresh, Status
from tests.rig.balancer.balancer import Balancer
from tests.rig.balancer.targets import State
from tests.rig.ec2.instances import Instances
from tests.rig.emulator import Emulator
from tests.rig.knobs import Knobs
from tests.rig.wire import Json
from tests.rig.working import Working

_log = logging.getLogger(__name__)
_EVERY = 0.1  # seconds of this machine between two looks
_PATIENCE = 3600  # AWS's seconds after which a refresh that does not get on has failed


class Scheduler(Working):
    """Steps through groups."""

    def __init__(self, emulator: Emulator, knobs: Knobs, balancer: Balancer, instances: Instances) -> None:
        self._emulator, self._knobs, self._balancer, self._instances = emulator, knobs, balancer, instances
        self._ends: set[asyncio.Task[None]] = set()
        self.groups: dict[tuple[str, str], Group] = {}  # by region and name
        # A lifecycle hook: True where it has an instance that came up wait, until `complete`.
        self.waits: Callable[[Group, Member], bool] = lambda _, __: False

    async def close(self) -> None:
        await super().close()
        for work in [*self._ends]:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    async def _run(self) -> None:
        while True:
            for key, group in list(self.groups.items()):
                try:
                    await self._step(group)
                except Exception:  # noqa: BLE001  one group must not stop the others
                    _log.exception("group %s", group.name)
                if group.deleted and not group.members:
                    self.groups.pop(key)
            await asyncio.sleep(_EVERY)

    async def _step(self, group: Group) -> None:
        self._put_in_service(group)
        self._judge_health(group)
        refresh = group.refresh
        surge = self._refresh(group, refresh) if refresh else 0
        await self._launch_missing(group, surge)
        self._end_surplus(group, surge)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _real(self, seconds: float) -> float:
        return self._knobs.real(seconds)

    def _put_in_service(self, group: Group) -> None:
        """Once it runs, whatever its load balancer will say of it: it is registered then, not before."""
        for member in group.members:
            started = self._now() - member.launched >= self._real(self._knobs.instance_start)
            if member.life is Life.PENDING and started:
                if self.waits(group, member):
                    member.life = Life.PENDING_WAIT
                else:
                    self._serves(group, member)

    def complete(self, group: Group, member: Member, *, goes_on: bool) -> None:
        """The hook lets go of it: CONTINUE, or ABANDON, which ends it.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
        """
        if member.life is not Life.PENDING_WAIT:
            return
        if goes_on:
            self._serves(group, member)
        else:
            self.end(group, member, "an instance was taken out of service: its lifecycle action was abandoned.")

    def attach(self, group: Group, member: Member) -> None:
        """One that runs already and that somebody puts there."""
        group.members.append(member)
        group.say(f"Attaching an existing EC2 instance: {member.id}", "an instance was attached by a user request.")
        self._serves(group, member)

    def _serves(self, group: Group, member: Member) -> None:
        member.life, member.in_service = Life.IN_SERVICE, self._now()
        self.register(group, member, group.targets)

    def register(self, group: Group, member: Member, targets: list[str]) -> None:
        for arn in targets:
            if arn in self._balancer.groups:
                port = self._balancer.groups[arn].number("Port")
                self._balancer.add(self._balancer.groups[arn], (member.id, port))
        group.say(f"Registering {member.id}", "an instance is in service")

    def deregister(self, member: Member, targets: list[str]) -> None:
        for arn in targets:
            found = self._balancer.groups.get(arn)
            for target in found.find(member.id, None) if found else ():
                self._balancer.remove(self._balancer.groups[arn], target)

    def _judge_health(self, group: Group) -> None:
        """One that stopped is unhealthy at once; one that the load balancer finds unhealthy after its grace period.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-checks-overview.html
        """
        grace = self._real(group.number("HealthCheckGracePeriod", 0))
        for member in group.living:
            if "HealthCheck" in group.suspended:
                break
            why = ""
            if member.id in self._instances.machines and not self._instances.running(member.id):
                why = "EC2 instance status check failure"
            elif (
                group.said.get("HealthCheckType") == "ELB"
                and member.life is Life.IN_SERVICE
                and self._now() - member.in_service >= grace
                and self._sick(group, member)
            ):
                why = "ELB system health check failure"
            if why:
                member.healthy = False
            if not member.healthy and "ReplaceUnhealthy" not in group.suspended and "Terminate" not in group.suspended:
                said = f"an instance was taken out of service in response to an {why or 'user health-check'}."
                self.end(group, member, said)

    def _sick(self, group: Group, member: Member) -> bool:
        found = [self._balancer.groups[arn] for arn in group.targets if arn in self._balancer.groups]
        return any(t.health.state is State.UNHEALTHY for one in found if one.used for t in one.find(member.id, None))

    # Refreshes

    def _refresh(self, group: Group, refresh: Refresh) -> int:
        """How many instances it has beside those that are desired, for one that comes before one goes."""
        if refresh.status is Status.PENDING:
            refresh.go(Status.IN_PROGRESS)
            refresh.moved = self._now()
        if refresh.status is Status.CANCELLING:
            if not any(one.pending for one in group.members):
                refresh.go(Status.CANCELLED, "Cancelled due to user request.")
            return 0
        if refresh.status is Status.BAKING:
            if self._now() >= refresh.waits_until:
                self._succeed(group, refresh)
            return 0
        old = [one for one in group.living if one.id in refresh.old]
        new = [one for one in group.living if one.id not in refresh.old]
        done = sum(self._ready(one, refresh) for one in new)
        replaced = min(done, max(0, refresh.total - len(old)))
        if replaced > refresh.replaced:
            refresh.replaced, refresh.moved = replaced, self._now()
        if self._now() - refresh.moved > self._real(_PATIENCE) and self._now() >= refresh.waits_until:
            self._fail(group, refresh)
            return 0
        if self._at_checkpoint(group, refresh, old):
            return 0
        ready = sum(self._ready(one, refresh) for one in group.living)
        left = max(0, refresh.allowed - (refresh.total - len(old)))  # how many old ones may still go before it waits
        going = [one for one in old if not one.protected][: max(0, min(left, ready - refresh.floor(group.desired)))]
        for member in going:
            self.end(group, member, "an instance was terminated in response to an instance refresh.")
        return min(refresh.ceiling(group.desired) - group.desired, left - len(going))

    def _ready(self, member: Member, refresh: Refresh) -> bool:
        """In service, not found unhealthy, and through its warmup: what its load balancer says is not waited for.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html, InstanceWarmup
        """
        if member.life is not Life.IN_SERVICE or not member.healthy:
            return False
        if member.id in refresh.old:
            return True
        return self._now() - member.in_service >= self._real(refresh.warmup)

    def _at_checkpoint(self, group: Group, refresh: Refresh, old: list[Member]) -> bool:  # noqa: PLR0911  read top down
        """True while it waits at one, or is over."""
        if self._now() < refresh.waits_until:
            return True
        whole = refresh.allowed
        if refresh.replaced < whole:
            return False
        if refresh.status is Status.ROLLBACK_IN_PROGRESS:
            if old:
                return False
            refresh.go(Status.ROLLBACK_SUCCESSFUL)
            return True
        marks = refresh.checkpoints
        if refresh.passed + 1 < len(marks):
            refresh.passed += 1
            refresh.waits_until = self._now() + self._real(refresh.delay)
            refresh.reason = f"Waiting for the checkpoint delay of {refresh.delay} seconds."
            return True
        if bake := int(refresh.preferences.get("BakeTime") or 0):
            refresh.waits_until = self._now() + self._real(bake)
            refresh.go(Status.BAKING)
            return True
        self._succeed(group, refresh)
        return True

    def _succeed(self, group: Group, refresh: Refresh) -> None:
        """The group's own configuration is the new one only now."""
        refresh.go(Status.SUCCESSFUL)
        refresh.reason = ""
        group.template = refresh.to

    def _fail(self, group: Group, refresh: Refresh) -> None:
        why = "Instances could not be replaced: they did not become healthy."
        if refresh.preferences["AutoRollback"] and refresh.status is Status.IN_PROGRESS:
            self.roll_back(group, refresh, why)
        elif refresh.status is Status.ROLLBACK_IN_PROGRESS:
            refresh.go(Status.ROLLBACK_FAILED, why)
        else:
            refresh.go(Status.FAILED, why)

    def roll_back(self, group: Group, refresh: Refresh, reason: str) -> None:
        """What was replaced is replaced by instances of what the group had before.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-rollback.html
        """
        refresh.undone = {
            "RollbackReason": reason,
            "RollbackStartTime": datetime.now(UTC),
            "PercentageCompleteOnRollback": refresh.percent,
            "InstancesToUpdateOnRollback": len(refresh.old),
        }
        before = str(refresh.back["Version"])
        refresh.old = {one.id for one in group.living if one.version != before}
        refresh.total, refresh.replaced, refresh.waits_until = len(refresh.old), 0, 0.0
        refresh.moved = self._now()
        refresh.go(Status.ROLLBACK_IN_PROGRESS, reason)

    # How many

    async def _launch_missing(self, group: Group, surge: int) -> None:
        if group.deleted or "Launch" in group.suspended:
            return
        for _ in range(group.desired + surge - len(group.living)):
            await self._launch(group)

    async def _launch(self, group: Group) -> None:
        refresh = group.refresh
        template = refresh.template if refresh and refresh.status is not Status.CANCELLING else group.template
        data = await self._emulator.use("ec2", group.region, lambda client: _data(client, template))
        version = str(data["VersionNumber"])
        tags = {"Group": group.name}  # the emulator refuses AWS's own: aws:autoscaling:groupName
        tags |= {one["Key"]: one["Value"] for one in group.said.get("Tags") or [] if one.get("PropagateAtLaunch")}
        for one in data["LaunchTemplateData"].get("TagSpecifications") or []:
            if one["ResourceType"] == "instance":
                tags |= {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        subnets = [one for one in (group.said.get("VPCZoneIdentifier") or "").split(",") if one]
        subnet = subnets[len(group.members) % len(subnets)] if subnets else ""
        made = await self._instances.launch(group.region, data["LaunchTemplateData"] | group.overrides, tags, subnet)
        told = {**template, "Version": version, "LaunchTemplateName": data["LaunchTemplateName"]}
        told["LaunchTemplateId"] = data["LaunchTemplateId"]
        zone, kind = made["Placement"]["AvailabilityZone"], made["InstanceType"]
        group.members.append(Member(made["InstanceId"], told, zone, kind, self._now()))
        group.say(f"Launching a new EC2 instance: {made['InstanceId']}", "an instance was started.")

    def _end_surplus(self, group: Group, surge: int) -> None:
        """First of an older launch template, then the oldest.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
        """
        if "Terminate" in group.suspended and not group.deleted:
            return
        surplus = len(group.living) - (0 if group.deleted else group.desired + surge)
        current = str(group.template["Version"])
        going = [one for one in group.living if not one.protected or group.deleted]
        going.sort(key=lambda one: (not one.pending, one.version == current, one.launched))
        for member in going[: max(0, surplus)]:
            self.end(
                group,
                member,
                "an instance was taken out of service in response to a difference between desired and actual capacity.",
            )

    def end(self, group: Group, member: Member, cause: str) -> None:
        """Deregistered and drained first, then told to end.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html: connection draining
        """
        if member.life is Life.TERMINATING:
            return
        member.life = Life.TERMINATING
        group.say(f"Terminating EC2 instance: {member.id}", cause)
        task = asyncio.create_task(self._end(group, member))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _end(self, group: Group, member: Member) -> None:
        targets = list(self._balancer.groups)
        self.deregister(member, targets)
        while any(one.find(member.id, None) for one in self._balancer.groups.values()):  # noqa: ASYNC110
            await asyncio.sleep(_EVERY)
        await self._instances.terminate(group.region, member.id)
        group.members.remove(member)


def _data(client: Any, template: Json) -> Json:
    by = {name: template[name] for name in ("LaunchTemplateId", "LaunchTemplateName") if template.get(name)}
    if "LaunchTemplateId" in by:
        by.pop("LaunchTemplateName", None)
    version = str(template.get("Version") or "$Default")
    found: list[Json] = client.describe_launch_template_versions(**by, Versions=[version])["LaunchTemplateVersions"]
    return found[0]
