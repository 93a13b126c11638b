"""Deployments of a service of ECS that are under way, and their end."""

from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.refusals import AwsError

COMPLETE = "COMPLETED"  # all tasks of a deployment were well
_UNDER_WAY = ["PENDING", "IN_PROGRESS"]


async def stop_deployments(clients: Clients, cluster: str, service: str, before: Check) -> None:
    """Back to the tasks of the deployment before, of which those that serve go on.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
    """
    for arn in await _under_way(clients, cluster, service):
        try:
            await clients.call("ecs", "stop_service_deployment", before, serviceDeploymentArn=arn, stopType="ROLLBACK")
        except AwsError:
            if arn in await _under_way(clients, cluster, service):  # else it ended between our two calls
                raise


async def _under_way(clients: Clients, cluster: str, service: str) -> list[str]:
    asked = {"cluster": cluster, "service": service, "status": _UNDER_WAY}
    answer = await clients.call("ecs", "list_service_deployments", **asked)
    return [one["serviceDeploymentArn"] for one in answer["serviceDeployments"]]
