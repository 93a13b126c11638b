"""Instance refreshes: ours, which restart a group, and others', for a group is changed by one hand at a time."""

from crossfade.core.errors import RefusedError
from crossfade.platforms.aws.clients import Check, Clients
from crossfade.platforms.aws.place import Place
from crossfade.platforms.aws.refusals import AwsError

_UNDER_WAY = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}


# One more for two that there are, which serves before one of them goes.
_GENTLY = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "SkipMatching": False}


class Refreshes:
    """The instance refreshes of groups: looked for, begun, and ended."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def require_none(self, place: Place) -> None:
        """RefusedError says which runs, since when, and how far it is. Who began it only CloudTrail knows."""
        for colour in place.colours:
            asked = {"AutoScalingGroupName": colour.service, "MaxRecords": 1}
            answer = await self._clients.call("autoscaling", "describe_instance_refreshes", **asked)
            for one in answer["InstanceRefreshes"]:
                if one["Status"] in _UNDER_WAY:
                    since = f"since {one['StartTime']:%H:%M:%S} UTC, " if "StartTime" in one else ""  # pending: not yet
                    raise RefusedError(
                        f"group {colour.service} is being refreshed, by somebody else or by `crossfade restart`, "
                        f"{since}{one.get('PercentageComplete', 0)} % done: {one['InstanceRefreshId']}",
                        "wait until it is over, or `aws autoscaling cancel-instance-refresh --auto-scaling-group-name "
                        f"{colour.service}`; CloudTrail's StartInstanceRefresh says who began it",
                    )

    async def begin(self, group: str, before: Check) -> None:
        """All hosts are replaced by new ones of the version that the group has already.

        Whoever has just seen that none runs, and is told that one does, has begun it, and the answer got lost.
        """
        asked = {"AutoScalingGroupName": group, "Strategy": "Rolling", "Preferences": _GENTLY}
        try:
            await self._clients.call("autoscaling", "start_instance_refresh", before, **asked)
        except AwsError as error:
            if error.code != "InstanceRefreshInProgress":
                raise

    async def cancel(self, group: str, before: Check) -> None:
        """Hosts that came stay, and old ones for which none came yet.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/cancel-instance-refresh.html
        """
        try:
            await self._clients.call("autoscaling", "cancel_instance_refresh", before, AutoScalingGroupName=group)
        except AwsError as error:
            if error.code != "ActiveInstanceRefreshNotFound":
                raise
