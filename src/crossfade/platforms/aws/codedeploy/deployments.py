"""Deployments of CodeDeploy: which revision a colour's hosts have, and how one that comes is getting on.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crossfade.aws.places import Places
from crossfade.core.errors import PlatformError, RefusedError
from crossfade.core.release import Release
from crossfade.platforms.aws.autoscaling.user_data import IN_BUCKET
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.codedeploy.revisions import located
from crossfade.platforms.aws.refusals import AwsError, absent

UNDER_WAY = ("Created", "Queued", "InProgress", "Baking", "Ready")
ALL_AT_ONCE = "CodeDeployDefault.AllAtOnce"  # nobody is sent to a colour that is filled: none has to stay healthy
_OURS = "crossfade release "  # what the description of each of ours begins with
_BY_SCALING = "autoscaling"  # creator of one that a group's launch hook began
_AT_ONCE = 25  # targets that one call tells of
SUCCEEDED = "Succeeded"  # a deployment, or one host of it
_FAILED = {"Failed", "Skipped", "Unknown"}
# How the codes begin of what a script did; UnknownError is of the agent, such as one whose host is gone.
# https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Diagnostics.html
_BY_SCRIPT = "Script"
# The agent's part, before anything of the release runs: a host that is new has nothing to stop.
# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
_AGENTS_OWN = ("BeforeBlockTraffic", "BlockTraffic", "AfterBlockTraffic", "ApplicationStop", "DownloadBundle")
_NOT_YET = ("Pending", "Skipped", "Unknown")  # an event that no agent ever took


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTarget:
    """How far one host is: at which event, `why` it failed there, and whether a script of its `own` revision did.

    `taken`: its agent has taken something of it; `begun`: something that is the release's, such as its first hook.
    """

    status: str
    at: str = ""
    why: str = ""
    own: bool = False
    taken: bool = True
    begun: bool = True

    @property
    def failed(self) -> bool:
        return self.status in _FAILED

    @property
    def done(self) -> bool:
        """The revision is there, and its last hook is through."""
        return self.status == SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment, and each of its hosts by id."""

    id: str
    status: str
    created: datetime
    creator: str
    description: str
    why: str = ""
    targets: Mapping[str, HostTarget] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.status not in UNDER_WAY

    @property
    def taken(self) -> bool:
        """The agent of any host has answered."""
        return any(target.taken for target in self.targets.values())

    @property
    def begun(self) -> bool:
        """Something of the release was begun on any host."""
        return any(target.begun for target in self.targets.values())

    @property
    def ours(self) -> bool:
        return self.description.startswith(_OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """A deployment group: which revision its hosts have, and whether new ones of an Auto Scaling group get it, too."""

    name: str
    revision: str  # s3://bucket/key; empty before the first
    attached: bool


class _BegunError(Exception):
    """There it is: the answer was lost, and nothing else."""


class Deployments:
    """Those of one environment. A colour's deployment group is called as its Auto Scaling group."""

    def __init__(self, clients: Clients, places: Places) -> None:
        self._clients, self._places = clients, places

    async def group(self, name: str) -> DeploymentGroup:
        try:
            answer = await self._call("get_deployment_group", deploymentGroupName=name)
        except AwsError as error:
            if "DoesNotExist" not in error.code:
                raise
            what, command = f"deployment group {name} of CodeDeploy", f"infra apply -e {self._places.environment}"
            raise PlatformError(*absent(what, await self._clients.whereabouts(), command)) from error
        told = answer["deploymentGroupInfo"]
        attached = any(one["name"] == name for one in told.get("autoScalingGroups") or ())
        return DeploymentGroup(name=name, revision=_address(told.get("targetRevision") or {}), attached=attached)

    async def attach(self, name: str, before: Check) -> None:
        """From now on hosts that its group launches wait for the revision of the last deployment that succeeded."""
        await self._update(name, [name], before)

    async def detach(self, name: str, before: Check) -> None:
        """What its group launches gets nothing: what it would get is the release before."""
        await self._update(name, [], before)

    async def newest(self, name: str, since: datetime) -> Deployment | None:
        """The last one of ours, with its hosts: another hand's says nothing of our release."""
        found = await self._listed(name, createTimeRange={"start": since})
        last = max((one for one in found if one.ours), key=lambda one: one.created, default=None)
        return await self._with_targets(last) if last else None

    async def again(self, known: Deployment) -> Deployment:
        """How far it is now. Its hosts are those of before, once there are any."""
        return await self._with_targets(await self._one(known.id), list(known.targets))

    async def under_way(self, name: str) -> Sequence[Deployment]:
        """Scaling's own not among them."""
        found = await self._listed(name, includeOnlyStatuses=list(UNDER_WAY))
        return [one for one in found if one.creator != _BY_SCALING and not one.over]

    async def failed_to_scale(self, name: str, since: datetime) -> Sequence[Deployment]:
        """Those that brought the revision to no host that its group launched."""
        found = await self._listed(name, includeOnlyStatuses=["Failed", "Stopped"], createTimeRange={"start": since})
        return [await self._with_targets(one) for one in found if one.creator == _BY_SCALING]

    async def reached(self, name: str, since: datetime) -> Collection[str]:
        """Hosts that any deployment since then goes or went to, scaling's own as well."""
        found = [await self._with_targets(one) for one in await self._listed(name, createTimeRange={"start": since})]
        return {id_ for one in found for id_ in one.targets}

    async def require_none(self, name: str) -> None:
        """RefusedError for one of another hand: which, since when, and by what. Who, only CloudTrail knows."""
        for one in await self.under_way(name):
            if not one.ours:
                raise RefusedError(
                    f"somebody else has been deploying to {name} by CodeDeploy since {one.created:%H:%M:%S} UTC: "
                    f"{one.id}, begun by {one.creator or 'somebody'}",
                    f"wait until it is over, or `aws deploy stop-deployment --deployment-id {one.id}`; CloudTrail's "
                    "CreateDeployment says who began it",
                )

    async def begin(self, name: str, release: Release, before: Check, *, since: datetime, after: str = "") -> None:
        """Bring the release to all hosts of the group, at once.

        One whose answer was lost may be there, and over already where little was to do: before it is asked for again,
        what was begun `since`, other than the one that it comes `after`, is looked for.
        """
        said, tried = described(release), False

        async def unless_begun() -> None:
            nonlocal tried
            await before()
            newest = await self.newest(name, since) if tried else None
            if newest and newest.description == said and newest.id != after:
                raise _BegunError
            tried = True

        bucket, key = located(release.digest)
        revision = {"revisionType": "S3", "s3Location": {"bucket": bucket, "key": key, "bundleType": "zip"}}
        with suppress(_BegunError):
            await self._call(
                "create_deployment",
                unless_begun,
                deploymentGroupName=name,
                revision=revision,
                deploymentConfigName=ALL_AT_ONCE,
                description=said,
            )

    async def stop(self, name: str, before: Check) -> bool:
        """Whatever of ours is under way, False where nothing is; CodeDeploy brings nothing back: nobody is sent there.

        Scaling's own as well: one whose host went before it was through goes on for up to an hour, and a group has no
        other deployment meanwhile. Another hand's is for that hand to stop.
        """
        listed = await self._listed(name, includeOnlyStatuses=list(UNDER_WAY))
        found = [one for one in listed if not one.over and (one.ours or one.creator == _BY_SCALING)]
        for one in found:
            try:
                asked = {"deploymentId": one.id, "autoRollbackEnabled": False}
                await self._clients.call("codedeploy", "stop_deployment", before, **asked)
            except AwsError as error:
                if "Completed" not in error.code:
                    raise
        return bool(found)

    async def _listed(self, name: str, **which: Any) -> list[Deployment]:
        """Of one group, without their hosts."""
        asked = {"applicationName": self._places.prefix, "deploymentGroupName": name, **which}
        ids = await self._clients.all("codedeploy", "list_deployments", "deployments", **asked)
        return [await self._one(id_) for id_ in ids]

    async def _one(self, id_: str) -> Deployment:
        told = (await self._clients.call("codedeploy", "get_deployment", deploymentId=id_))["deploymentInfo"]
        wrong = told.get("errorInformation") or {}
        return Deployment(
            id=id_,
            status=told["status"],
            created=told["createTime"],
            creator=told.get("creator", ""),
            description=told.get("description", ""),
            why=wrong.get("message", "").rstrip("."),
        )

    async def _with_targets(self, one: Deployment, known: Sequence[str] = ()) -> Deployment:
        asked = {"deploymentId": one.id}
        ids = known or await self._clients.all("codedeploy", "list_deployment_targets", "targetIds", **asked)
        found: dict[str, HostTarget] = {}
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            answer = await self._clients.call("codedeploy", "batch_get_deployment_targets", **asked, targetIds=some)
            for told in answer["deploymentTargets"]:
                said = told["instanceTarget"]
                found[said["targetId"]] = host_target(said)
        return replace(one, targets=found)

    async def _update(self, name: str, scaling: list[str], before: Check) -> None:
        asked = {"currentDeploymentGroupName": name, "autoScalingGroups": scaling}
        await self._call("update_deployment_group", before, **asked)

    async def _call(self, operation: str, before: Check = unfenced, /, **asked: Any) -> Answer:
        asked["applicationName"] = self._places.prefix
        return await self._clients.call("codedeploy", operation, before, **asked)


def described(release: Release) -> str:
    """By which a deployment is known as a release's."""
    return f"{_OURS}{release.label} of {release.service.key}"[:255]


def _address(revision: Answer) -> str:
    at = revision.get("s3Location") or {}
    return f"{IN_BUCKET}{at['bucket']}/{at['key']}" if at else ""


def host_target(said: Answer) -> HostTarget:
    """Of an InstanceTarget as CodeDeploy tells it."""
    events = said.get("lifecycleEvents") or []
    at = next((one["lifecycleEventName"] for one in events if one["status"] == "InProgress"), "")
    taken = [one["lifecycleEventName"] for one in events if one["status"] not in _NOT_YET]
    known = {"status": said["status"], "taken": bool(taken), "begun": any(one not in _AGENTS_OWN for one in taken)}
    for one in events:
        if one["status"] == "Failed":
            own = (one.get("diagnostics") or {}).get("errorCode", "").startswith(_BY_SCRIPT)
            return HostTarget(at=one["lifecycleEventName"], why=_why(one), own=own, **known)
    return HostTarget(at=at, **known)


def _why(event: Answer) -> str:
    """What failed, in the agent's words, with the last line that the script wrote."""
    told = event.get("diagnostics") or {}
    lines = [line.partition("]")[2].strip() for line in told.get("logTail", "").splitlines() if line.startswith("[")]
    last = next((line for line in reversed(lines) if line), "")
    said = told.get("message", "").replace("Script at specified location: ", "").rstrip(".")
    return f"{event['lifecycleEventName']} failed: {said}{f': {last}' if last else ''}"
