"""One look at a service whose revisions CodeDeploy brings: a host counts once its revision is there, not before."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from crossfade.core.fleet import Health
from crossfade.engine.ports.clock import Clock
from crossfade.platforms.aws.autoscaling.finder import GroupFinder
from crossfade.platforms.aws.autoscaling.lookout import GroupLookout
from crossfade.platforms.aws.autoscaling.templates import Templates
from crossfade.platforms.aws.autoscaling.user_data import IN_BUCKET
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.codedeploy.deployments import (
    SUCCEEDED,
    Deployment,
    DeploymentGroup,
    Deployments,
    HostTarget,
)
from crossfade.platforms.aws.sight import SAME_MOMENT, Side, Sight, Task

_STOPPED = "Stopped"
_LOOK_AT_AGENT = "`systemctl status codedeploy-agent` there says whether it runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a release has come to the hosts of its colour, of which `living` are there and are to stay.

    `deployment` is the one that was begun for these hosts.
    """

    group: DeploymentGroup
    revision: str
    deployment: Deployment | None = None
    living: Collection[str] = ()

    @property
    def ready(self) -> bool:
        """It is what these hosts have, and what each that its group launches will get."""
        return self.group.attached and self.group.revision == self.revision

    @property
    def brought(self) -> bool:
        """Each of the hosts got it, as far as it is there still; the launch hook may come back."""
        one = self.deployment
        return one is not None and one.status == SUCCEEDED and not self._failed_here(one)

    @property
    def under_way(self) -> bool:
        return self.deployment is not None and not self.deployment.over

    @property
    def bereft(self) -> bool:
        """A host went away before it had the revision, and no script of that said no.

        CodeDeploy waits up to an hour for the agent of one that is gone, and has failed then; that says nothing of the
        release. Where others got it meanwhile there is nothing to begin anew.
        https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-auto-scaling.html
        """
        one = self.deployment
        if one is None or self.brought or any(target.own for target in one.targets.values()):
            return False
        return any(id_ not in self.living and not target.done for id_, target in one.targets.items())

    def _failed_here(self, one: Deployment) -> bool:
        return any(target.failed for id_, target in one.targets.items() if id_ in self.living)


class RevisionLookout(GroupLookout):
    """Looks at the groups of one environment, and at CodeDeploy where a release is not on its hosts yet."""

    def __init__(  # noqa: PLR0917  as its base
        self,
        clients: Clients,
        finder: GroupFinder,
        templates: Templates,
        clock: Clock,
        deployments: Deployments,
        log_group: str,
        moment: float = SAME_MOMENT,
    ) -> None:
        super().__init__(clients, finder, templates, clock, log_group, moment)
        self._deployments = deployments
        self._known: dict[tuple[str, str], tuple[str, Progress]] = {}  # by service and colour, of which definition
        self._unbrought: dict[str, HostTarget | None] = {}  # by host that its group gave up: how its revision failed

    def progress(self, key: str, colour: str) -> Progress | None:
        """As it was at the last look; None where the colour has no release, or no hosts."""
        _, progress = self._known.get((key, colour), ("", None))
        return progress

    def forget(self, key: str, colour: str) -> None:
        """What is known of it is old: something was told to CodeDeploy."""
        self._known.pop((key, colour), None)

    async def _look(self, key: str) -> Sight:
        sight = await super()._look(key)
        tasks: list[Task] = []
        for name, side in sight.sides.items():
            mine = [task for task in sight.tasks if task.colour == name]
            progress = await self._progress(sight, side, mine)
            if progress is None:
                tasks += mine
            elif progress.ready:
                tasks += [await self._abandoned(task, progress) for task in mine]
            else:
                self._nothing_seen(key, [task.id for task in mine])
                tasks += [on_its_way(task, progress) for task in mine]
        return replace(sight, tasks=tuple(sorted(tasks, key=lambda task: task.arn)))

    async def _progress(self, sight: Sight, side: Side, tasks: list[Task]) -> Progress | None:
        """Asked for again at each look until it is ready; while a deployment runs nothing but that changes."""
        release, at = side.release, (sight.place.key, side.colour)
        if release is None or side.empty or not release.digest.startswith(IN_BUCKET):
            self._known.pop(at, None)
            return None
        of, known = self._known.get(at, ("", None))
        living = frozenset(task.arn for task in tasks if not (task.stopping or task.exited))
        if known is not None and of == side.definition:
            if known.ready:
                return known
            known = replace(known, living=living)
            if known.deployment is not None and known.under_way:
                known = replace(known, deployment=await self._deployments.again(known.deployment))
            self._known[at] = of, known
            if known.under_way:
                return known
            if known.bereft and side.in_service < side.wanted:  # nobody begins one before all are there again
                return known
        name = sight.place.colour(side.colour).service
        group = await self._deployments.group(name)
        progress = Progress(group=group, revision=release.digest, living=living)
        launched = [self._launched[host] for host in living if host in self._launched]
        if not progress.ready and launched:  # one that is older was for other hosts
            since = datetime.fromtimestamp(min(launched), UTC)
            progress = replace(progress, deployment=await self._deployments.newest(name, since))
        self._known[at] = side.definition, progress
        return progress

    async def _abandoned(self, task: Task, progress: Progress) -> Task:
        """A host that its group launched and gave up, because the revision did not come to it."""
        if task.health is Health.STARTING and not (task.blamed or task.stopping or task.exited):  # the hook has it wait
            return replace(task, detail=f"waits until CodeDeploy's agent has brought its revision: {_LOOK_AT_AGENT}")
        if not task.stopping or task.exited:
            return task
        if task.arn not in self._unbrought:
            since = datetime.fromtimestamp(task.launched_at, UTC)
            found = await self._deployments.failed_to_scale(progress.group.name, since)
            told = [one.targets[task.arn] for one in found if task.arn in one.targets]
            self._unbrought[task.arn] = next((target for target in told if target.why), None)
        failed = self._unbrought[task.arn]
        if failed is None:
            return task
        return replace(task, exited=True, stopping=False, blamed=failed.own, detail=failed.why)


def on_its_way(task: Task, progress: Progress) -> Task:
    """Whatever the load balancer finds: until its last hook is through, nobody may be sent there.

    Before anything of the release was begun on any host, that it takes so long is none of its own.
    """
    if task.exited or task.stopping:
        return task
    one = progress.deployment
    if one is None:
        return replace(task, health=Health.STARTING, detail="boots, and waits for CodeDeploy", blamed=False)
    starting = replace(task, health=Health.STARTING, blamed=one.begun)
    if progress.bereft:
        return replace(starting, detail=f"CodeDeploy's {one.id} lost a host, and is begun anew")
    target = one.targets.get(task.arn)
    if one.over and (one.status != SUCCEEDED or (target is not None and target.failed)):
        # What no script says is CodeDeploy's own trouble: no hosts found, no right to, a host that is gone.
        blamed = one.status != _STOPPED and any(each.own for each in one.targets.values())
        return replace(task, exited=True, final=True, blamed=blamed, detail=_failed(one, target))
    if one.targets and not one.taken:
        return replace(
            starting, detail=f"waits, because no host's agent has taken CodeDeploy's {one.id}: {_LOOK_AT_AGENT}"
        )
    at = f" is at {target.at}" if target and target.at else f" is {one.status}"
    return replace(starting, detail=f"CodeDeploy's {one.id}{at}")


def _failed(one: Deployment, target: HostTarget | None) -> str:
    if one.status == _STOPPED:
        return f"did not get its revision: somebody stopped CodeDeploy's {one.id}"
    others = _first(one.targets)
    why = (target.why if target else "") or others or one.why or one.status
    return f"did not get its revision by CodeDeploy's {one.id}: {why}"


def _first(targets: Mapping[str, HostTarget]) -> str:
    """Where others failed, it was skipped."""
    return next((f"on {id_} {target.why}" for id_, target in sorted(targets.items()) if target.why), "")
