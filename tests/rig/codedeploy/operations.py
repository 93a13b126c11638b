"""CodeDeploy's API for servers: https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html"""

import uuid
from typing import Any

from tests.rig.codedeploy.carrier import Carrier
from tests.rig.codedeploy.deployment import Deployment, Group, now
from tests.rig.rig import ACCOUNT
from tests.rig.wire import AwsError, Call, Json


class CodeDeploy:
    """Each operation takes a call and returns its answer."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._applications: dict[tuple[str, str], Json] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def operations(self) -> dict[tuple[str, str], Any]:
        mine = {
            "CreateApplication": self.create_application,
            "GetApplication": self.get_application,
            "DeleteApplication": self.delete_application,
            "CreateDeploymentGroup": self.create_group,
            "UpdateDeploymentGroup": self.update_group,
            "GetDeploymentGroup": self.get_group,
            "ListDeploymentGroups": self.list_groups,
            "DeleteDeploymentGroup": self.delete_group,
            "CreateDeployment": self.create,
            "GetDeployment": self.get,
            "ListDeployments": self.list_all,
            "StopDeployment": self.stop,
            "ListDeploymentTargets": self.list_targets,
            "BatchGetDeploymentTargets": self.get_targets,
            "ListTagsForResource": self.list_tags,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }
        return {("codedeploy", name): operation for name, operation in mine.items()}

    async def create_application(self, call: Call) -> Json:
        name = call.params["applicationName"]
        if (call.region, name) in self._applications:
            raise AwsError("ApplicationAlreadyExistsException", f"Application already exists with name: {name}")
        made = {
            "applicationId": str(uuid.uuid4()),
            "applicationName": name,
            "createTime": now(),
            "linkedToGitHub": False,
            "computePlatform": call.params.get("computePlatform") or "Server",
        }
        self._applications[call.region, name] = made
        self._put_tags(f"arn:aws:codedeploy:{call.region}:{ACCOUNT}:application:{name}", call.params.get("tags"))
        return {"applicationId": made["applicationId"]}

    async def get_application(self, call: Call) -> Json:
        return {"application": self._application(call)}

    async def delete_application(self, call: Call) -> Json:
        self._applications.pop((call.region, call.params["applicationName"]), None)
        return {}

    async def create_group(self, call: Call) -> Json:
        self._application(call)
        application, name = call.params["applicationName"], call.params["deploymentGroupName"]
        group = Group(application, name, call.params)
        self._carrier.groups[call.region, application, name] = group
        self._attach(group)
        arn = f"arn:aws:codedeploy:{call.region}:{ACCOUNT}:deploymentgroup:{application}/{name}"
        self._put_tags(arn, call.params.get("tags"))
        return {"deploymentGroupId": group.id}

    async def update_group(self, call: Call) -> Json:
        """What is not said stays; an empty list of Auto Scaling groups takes all hooks away."""
        group = self._group(call, call.params["currentDeploymentGroupName"])
        group.said |= {name: value for name, value in call.params.items() if value is not None}
        self._attach(group)
        return {"hooksNotCleanedUp": []}

    async def get_group(self, call: Call) -> Json:
        return {"deploymentGroupInfo": self._group(call, call.params["deploymentGroupName"]).shown()}

    async def list_groups(self, call: Call) -> Json:
        application = call.params["applicationName"]
        names = [name for region, of, name in self._carrier.groups if (region, of) == (call.region, application)]
        return {"applicationName": application, "deploymentGroups": sorted(names)}

    async def delete_group(self, call: Call) -> Json:
        key = call.region, call.params["applicationName"], call.params["deploymentGroupName"]
        self._carrier.groups.pop(key, None)
        return {"hooksNotCleanedUp": []}

    async def create(self, call: Call) -> Json:
        said = call.params
        group = self._group(call, said["deploymentGroupName"])
        style = (group.said.get("deploymentStyle") or {}).get("deploymentType")
        if style == "BLUE_GREEN":
            raise AwsError("UnknownOperationException", "the rig has no blue/green deployments of CodeDeploy's own")
        runs = next((one for one in self._of(group) if not one.over), None)
        if runs:
            raise AwsError(
                "DeploymentLimitExceededException",
                f"The Deployment Group '{group.name}' already has an active Deployment '{runs.id}'",
            )
        revision = said.get("revision") or group.revision
        if not revision:
            raise AwsError("RevisionRequiredException", "The revision ID was not specified.")
        configuration = said.get("deploymentConfigName") or group.shown()["deploymentConfigName"]
        made = Deployment(group, revision, configuration, said.get("description") or "")
        self._carrier.begin(call.region, made, await self._carrier.instances_of(call.region, group))
        return {"deploymentId": made.id}

    async def get(self, call: Call) -> Json:
        return {"deploymentInfo": self._deployment(call).shown()}

    async def list_all(self, call: Call) -> Json:
        """The newest first."""
        said = call.params
        group = self._group(call, said["deploymentGroupName"])
        since = (said.get("createTimeRange") or {}).get("start")
        wanted = said.get("includeOnlyStatuses") or []
        found = [
            one.id
            for one in self._of(group)
            if (not wanted or one.status.value in wanted)
            and (since is None or one.created.timestamp() >= _seconds(since))
        ]
        return {"deployments": found}

    async def stop(self, call: Call) -> Json:
        deployment = self._deployment(call)
        if deployment.over:
            raise AwsError("DeploymentAlreadyCompletedException", f"The deployment {deployment.id} is over.")
        deployment.stopping = True
        return {"status": "Pending", "statusMessage": "The deployment is being stopped."}

    async def list_targets(self, call: Call) -> Json:
        return {"targetIds": [one.instance for one in self._deployment(call).targets]}

    async def get_targets(self, call: Call) -> Json:
        deployment, wanted = self._deployment(call), call.params["targetIds"]
        found = [one.shown(deployment.id, call.region, ACCOUNT) for one in deployment.targets if one.instance in wanted]
        return {"deploymentTargets": found}

    async def list_tags(self, call: Call) -> Json:
        tags = self._tags.get(call.params["ResourceArn"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    async def tag(self, call: Call) -> Json:
        self._put_tags(call.params["ResourceArn"], call.params["Tags"])
        return {}

    async def untag(self, call: Call) -> Json:
        for key in call.params["TagKeys"]:
            self._tags.get(call.params["ResourceArn"], {}).pop(key, None)
        return {}

    def _put_tags(self, arn: str, tags: list[Json] | None) -> None:
        self._tags.setdefault(arn, {}).update({one["Key"]: one["Value"] for one in tags or []})

    def _attach(self, group: Group) -> None:
        """A hook in each of its Auto Scaling groups, and in no other."""
        name = f"CodeDeploy-managed-automatic-launch-deployment-hook-{group.name}-{group.id}"
        group.hooks = {scaling: group.hooks.get(scaling, name) for scaling in group.scaling}

    def _of(self, group: Group) -> list[Deployment]:
        found = [one for one in self._carrier.deployments.values() if one.group is group]
        return sorted(found, key=lambda one: one.created, reverse=True)

    def _application(self, call: Call) -> Json:
        name = call.params["applicationName"]
        if (call.region, name) not in self._applications:
            raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return self._applications[call.region, name]

    def _group(self, call: Call, name: str) -> Group:
        self._application(call)
        group = self._carrier.groups.get((call.region, call.params["applicationName"], name))
        if group is None:
            raise AwsError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
        return group

    def _deployment(self, call: Call) -> Deployment:
        found = self._carrier.deployments.get(call.params["deploymentId"])
        if found is None:
            raise AwsError(
                "DeploymentDoesNotExistException", f"The deployment {call.params['deploymentId']} is unknown"
            )
        return found


def _seconds(moment: Any) -> float:
    return float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
