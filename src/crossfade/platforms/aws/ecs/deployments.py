"""Deployments of a service of ECS that are under way, and their end."""

from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.refusals import AwsError

_UNDER_WAY = ["PENDING", "IN_PROGRESS"]
# It ended between our two calls.
_OVER = {"ConflictException", "ServiceDeploymentNotFoundException"}


async def stop_deployments(clients: Clients, cluster: str, service: str, before: Check) -> None:
    """Back to the tasks of the deployment before, of which those that serve go on.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
    """
    asked = {"cluster": cluster, "service": service, "status": _UNDER_WAY}
    answer = await clients.call("ecs", "list_service_deployments", **asked)
    for one in answer["serviceDeployments"]:
        arn = one["serviceDeploymentArn"]
        try:
            await clients.call("ecs", "stop_service_deployment", before, serviceDeploymentArn=arn, stopType="ROLLBACK")
        except AwsError as error:
            if error.code not in _OVER:
                raise
